package dev.outboard.virtio;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Both sides of a queue, in every layout. */
class QueueTest {
    private static final int SIZE = 16;

    @ParameterizedTest
    @EnumSource
    void aRequestIsSeenOnceItIsPublishedAndUsedOnceThatIs(QueueLayout layout) throws IOException {
        try (QueuePairing queue = new QueuePairing(layout, SIZE)) {
            queue.driver.readable(queue.at(0), 16);
            queue.driver.writable(queue.at(64), 32);
            queue.driver.writable(queue.at(128), 1);
            int id = queue.driver.add();
            assertThat(queue.device.take(queue.chain)).isFalse();
            assertThat(queue.driver.publish()).isTrue();
            assertThat(queue.device.isPending()).isTrue();

            assertThat(queue.device.take(queue.chain)).isTrue();
            assertThat(queue.chain.buffers()).isEqualTo(3);
            assertThat(queue.chain.readableBuffers()).isEqualTo(1);
            assertThat(queue.chain.readableBytes()).isEqualTo(16);
            assertThat(queue.chain.writableBytes()).isEqualTo(33);
            assertThat(queue.chain.address(1)).isEqualTo(queue.at(64));
            assertThat(queue.device.take(queue.chain)).isFalse();

            queue.device.complete(queue.chain, 33);
            assertThat(queue.driver.poll()).isEqualTo(DriverQueue.NONE);
            queue.device.publish();
            assertThat(queue.driver.poll()).isEqualTo(id);
            assertThat(queue.driver.usedBytes()).isEqualTo(33);
            assertThat(queue.driver.poll()).isEqualTo(DriverQueue.NONE);
            assertThat(queue.broken).isEmpty();
        }
    }

    /** Chains of all lengths, batches of all sizes, completed in any order, past the end of indexes and wrap counters. */
    @ParameterizedTest
    @EnumSource
    void whatTheDriverSendsTheDeviceAnswersWhateverTheOrder(QueueLayout layout) throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        try (QueuePairing queue = new QueuePairing(layout, SIZE)) {
            Map<Integer, Integer> sent = new HashMap<>();
            Deque<DescriptorChain> spare = new ArrayDeque<>();
            for (int i = 0; i < SIZE; i++) {
                spare.add(new DescriptorChain(queue.memory));
            }
            List<DescriptorChain> taken = new ArrayList<>();
            MemorySegment word = MemorySegment.ofArray(new int[1]);
            int requests = 0;
            int answers = 0;
            while (answers < 200_000) {
                while (queue.driver.room(QueuePairing.MAXIMUM_BUFFERS) > 0 && random.nextInt(4) != 0) {
                    int buffers = 1 + random.nextInt(QueuePairing.MAXIMUM_BUFFERS - 1);
                    int slot = freeSlot(sent);
                    queue.data.segment().set(JAVA_INT, 64L * slot, requests);
                    for (int i = 0; i < buffers; i++) {
                        queue.driver.readable(queue.at(64L * slot), 4);
                    }
                    queue.driver.writable(queue.at(64L * slot + 32), 4);
                    sent.put(queue.driver.add(), slot);
                    requests++;
                }
                queue.driver.publish();
                while (!spare.isEmpty() && queue.device.take(spare.peek())) {
                    taken.add(spare.remove());
                }
                Collections.shuffle(taken, random);
                int answered = random.nextInt(taken.size() + 1);
                for (DescriptorChain chain : taken.subList(0, answered)) {
                    long last = chain.readableBytes() - 4;
                    assertThat(chain.read(last, word, 0, 4)).isTrue();
                    word.set(JAVA_INT, 0, ~word.get(JAVA_INT, 0));
                    assertThat(chain.write(0, word, 0, 4)).isTrue();
                    queue.device.complete(chain, 4);
                    spare.add(chain);
                }
                taken.subList(0, answered).clear();
                queue.device.publish();
                for (int id = queue.driver.poll(); id != DriverQueue.NONE; id = queue.driver.poll()) {
                    int slot = sent.remove(id);
                    int sentWord = queue.data.segment().get(JAVA_INT, 64L * slot);
                    assertThat(queue.data.segment().get(JAVA_INT, 64L * slot + 32))
                            .isEqualTo(~sentWord);
                    assertThat(queue.driver.usedBytes()).isEqualTo(4);
                    answers++;
                }
                assertThat(queue.broken).isEmpty();
            }
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("seed " + seed, e);
        }
    }

    private static int freeSlot(Map<Integer, Integer> sent) {
        int slot = 1;
        while (sent.containsValue(slot)) {
            slot++;
        }
        return slot;
    }

    @ParameterizedTest
    @EnumSource
    void nobodyIsToldWhoDoesNotWantIt(QueueLayout layout) throws IOException {
        try (QueuePairing queue = new QueuePairing(layout, SIZE)) {
            queue.device.setNotifying(false);
            int notified = 0;
            for (int i = 0; i < 1000; i++) {
                notified += pass(queue) ? 1 : 0;
            }
            // The first request passes the event index that was there at first.
            assertThat(notified).isLessThanOrEqualTo(1);
            assertThat(queue.interrupts).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whoWantsToBeToldIsToldEachTime(QueueLayout layout) throws IOException {
        try (QueuePairing queue = new QueuePairing(layout, SIZE)) {
            for (int i = 0; i < 1000; i++) {
                queue.device.setNotifying(true);
                queue.driver.setInterrupting(true);
                assertThat(queue.device.isPending()).isFalse();
                assertThat(queue.driver.isPending()).isFalse();
                assertThat(pass(queue)).as("notification %d", i).isTrue();
                assertThat(queue.interrupts).as("interrupts").isEqualTo(i + 1);
            }
        }
    }

    /** One request from the one side to the other and back; returns whether the device wanted to be notified. */
    private static boolean pass(QueuePairing queue) throws IOException {
        queue.driver.readable(queue.at(0), 8);
        queue.driver.writable(queue.at(8), 8);
        int id = queue.driver.add();
        boolean notify = queue.driver.publish();
        assertThat(queue.device.take(queue.chain)).isTrue();
        queue.device.complete(queue.chain, 8);
        queue.device.publish();
        assertThat(queue.driver.poll()).isEqualTo(id);
        return notify;
    }

    @ParameterizedTest
    @EnumSource
    void requestsThatArePutBackAreTakenAgain(QueueLayout layout) throws IOException {
        try (QueuePairing queue = new QueuePairing(layout, SIZE)) {
            for (int round = 0; round < 100; round++) {
                for (int i = 0; i < 3; i++) {
                    queue.driver.writable(queue.at(64L * i), 64);
                    queue.driver.add();
                }
                queue.driver.publish();
                int position = queue.device.position();
                for (int pass = 0; pass < 2; pass++) {
                    queue.device.rewind(position);
                    for (int i = 0; i < 3; i++) {
                        assertThat(queue.device.take(queue.chain)).isTrue();
                        assertThat(queue.chain.address(0)).isEqualTo(queue.at(64L * i));
                        if (pass == 1) {
                            queue.device.complete(queue.chain, 1);
                        }
                    }
                    assertThat(queue.device.take(queue.chain)).isFalse();
                }
                queue.device.publish();
                for (int i = 0; i < 3; i++) {
                    assertThat(queue.driver.poll()).isNotEqualTo(DriverQueue.NONE);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aQueueGoesOnWhereAnotherDeviceLeftIt(QueueLayout layout) throws IOException {
        try (QueuePairing queue = new QueuePairing(layout, SIZE)) {
            for (int i = 0; i < 5 * SIZE; i++) {
                pass(queue);
                int position = queue.device.disable();
                assertThat(queue.device.take(queue.chain)).isFalse();
                queue.device.enable(queue.driver.addresses(), layout.features, position);
            }
            assertThat(queue.broken).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFullQueueRefuses(QueueLayout layout) throws IOException {
        try (QueuePairing queue = new QueuePairing(layout, SIZE)) {
            while (queue.driver.room(2) > 0) {
                queue.driver.readable(queue.at(0), 1);
                queue.driver.writable(queue.at(8), 1);
                queue.driver.add();
            }
            assertThat(queue.driver.pending()).isEqualTo(queue.driver.capacity(2));
            queue.driver.readable(queue.at(0), 1);
            queue.driver.writable(queue.at(8), 1);
            assertThatThrownBy(queue.driver::add)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("full");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aQueueWhoseMemoryWasUnmappedIsBrokenAndNothingElse(QueueLayout layout) throws IOException {
        try (QueuePairing queue = new QueuePairing(layout, SIZE)) {
            pass(queue);
            queue.memory.mapped = false;
            assertThat(queue.device.take(queue.chain)).isFalse();
            assertThat(queue.broken).hasSize(1).first().asString().contains("no memory is shared");
            assertThat(queue.device.isEnabled()).isFalse();
        }
    }
}
