package dev.outboard.virtio;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.specs.virtio.SplitRing;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What one side writes into a ring that cannot be: the other notices, or goes on, and touches nothing else. */
class HostileRingTest {
    private static final int SIZE = 16;
    private static final int RING_BYTES = 1024;
    private static final int ROUNDS = 20_000;

    private static long split(int length, int flags, int next) {
        return (long) next << SplitRing.NEXT_SHIFT
                | (long) flags << SplitRing.FLAGS_SHIFT
                | Integer.toUnsignedLong(length);
    }

    /** Has the device take what one descriptor makes of a ring that is otherwise empty; returns why it broke. */
    private static String broken(QueueLayout layout, long address, long word) throws IOException {
        try (QueuePairing queue = new QueuePairing(layout, SIZE)) {
            MemorySegment memory = queue.memory.segment();
            QueueAddresses at = queue.driver.addresses();
            long table = at.descriptors() - LocalMemory.ADDRESS;
            memory.set(JAVA_LONG, table, address < 0 ? queue.at(-address) : address);
            memory.set(JAVA_LONG, table + Long.BYTES, word);
            // A table of descriptors, for those that lead to one: the second of them is like the first.
            memory.set(JAVA_LONG, queue.at(64) - LocalMemory.ADDRESS, queue.at(0));
            memory.set(JAVA_LONG, queue.at(72) - LocalMemory.ADDRESS, split(4, SplitRing.FLAG_INDIRECT, 0));
            long available = at.driver() - LocalMemory.ADDRESS;
            memory.set(JAVA_SHORT, available + SplitRing.AVAILABLE_INDEX, (short) 1);
            assertThat(queue.device.take(queue.chain)).isFalse();
            assertThat(queue.device.isEnabled()).isFalse();
            assertThat(queue.device.take(queue.chain)).isFalse();
            queue.device.complete(queue.chain, 0);
            queue.device.publish();
            assertThat(queue.broken).hasSize(1);
            return queue.broken.getFirst();
        }
    }

    @Test
    void descriptorsThatCannotBeBreakTheQueue() throws IOException {
        assertThat(broken(QueueLayout.SPLIT, -64, split(4, SplitRing.FLAG_NEXT, 0)))
                .contains("does not end");
        assertThat(broken(QueueLayout.SPLIT, -64, split(4, SplitRing.FLAG_NEXT, SIZE)))
                .contains("descriptor 16 in a queue of 16");
        assertThat(broken(QueueLayout.SPLIT, -64, split(0, 0, 0))).contains("no length");
        assertThat(broken(QueueLayout.SPLIT, -64, split(4, SplitRing.FLAG_NEXT | SplitRing.FLAG_WRITE, 1)))
                .contains("no length");
        assertThat(broken(QueueLayout.SPLIT, -64, split(16, SplitRing.FLAG_INDIRECT, 0)))
                .contains("not agreed on");
        assertThat(broken(QueueLayout.SPLIT_INDIRECT, -64, split(16, SplitRing.FLAG_INDIRECT, 0)))
                .contains("an indirect descriptor in a table");
        assertThat(broken(QueueLayout.SPLIT_INDIRECT, -64, split(16, SplitRing.FLAG_INDIRECT | SplitRing.FLAG_NEXT, 1)))
                .contains("with a next one");
        assertThat(broken(QueueLayout.SPLIT_INDIRECT, -64, split(17, SplitRing.FLAG_INDIRECT, 0)))
                .contains("of 17 bytes");
        assertThat(broken(QueueLayout.SPLIT_INDIRECT, 4096, split(16, SplitRing.FLAG_INDIRECT, 0)))
                .contains("no memory is shared");
        assertThat(broken(QueueLayout.SPLIT_INDIRECT, -64, split(-16, SplitRing.FLAG_INDIRECT, 0)))
                .contains("more than 1024");
    }

    @Test
    void aBufferToReadBehindOneToWriteBreaksTheQueue() throws IOException {
        try (QueuePairing queue = new QueuePairing(QueueLayout.SPLIT, SIZE)) {
            MemorySegment memory = queue.memory.segment();
            QueueAddresses at = queue.driver.addresses();
            long table = at.descriptors() - LocalMemory.ADDRESS;
            memory.set(JAVA_LONG, table, queue.at(0));
            memory.set(JAVA_LONG, table + 8, split(4, SplitRing.FLAG_NEXT | SplitRing.FLAG_WRITE, 1));
            memory.set(JAVA_LONG, table + 16, queue.at(8));
            memory.set(JAVA_LONG, table + 24, split(4, 0, 0));
            memory.set(JAVA_SHORT, at.driver() - LocalMemory.ADDRESS + SplitRing.AVAILABLE_INDEX, (short) 1);
            assertThat(queue.device.take(queue.chain)).isFalse();
            assertThat(queue.broken).singleElement().asString().contains("behind one to write");
        }
    }

    @Test
    void moreRequestsThanTheQueueHoldsBreakIt() throws IOException {
        try (QueuePairing queue = new QueuePairing(QueueLayout.SPLIT, SIZE)) {
            long available = queue.driver.addresses().driver() - LocalMemory.ADDRESS;
            queue.memory.segment().set(JAVA_SHORT, available + SplitRing.AVAILABLE_INDEX, (short) (SIZE + 1));
            assertThat(queue.device.isPending()).isFalse();
            assertThat(queue.broken).singleElement().asString().contains("an available index of 17");
        }
    }

    @Test
    void aDeviceThatUsesWhatWasNeverSentIsFound() throws IOException {
        try (QueuePairing queue = new QueuePairing(QueueLayout.SPLIT, SIZE)) {
            queue.driver.writable(queue.at(0), 8);
            queue.driver.add();
            queue.driver.publish();
            long used = queue.driver.addresses().device() - LocalMemory.ADDRESS;
            queue.memory.segment().set(JAVA_INT, used + SplitRing.USED_RING, 5);
            queue.memory.segment().set(JAVA_SHORT, used + SplitRing.USED_INDEX, (short) 1);
            assertThatThrownBy(queue.driver::poll)
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("request 5, which is not on its way");
            assertThatThrownBy(queue.driver::poll).hasMessageContaining("broken by its device before");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aDeviceThatWritesMoreThanItMayIsFound(QueueLayout layout) throws IOException {
        try (QueuePairing queue = new QueuePairing(layout, SIZE)) {
            queue.driver.writable(queue.at(0), 8);
            queue.driver.add();
            queue.driver.publish();
            assertThat(queue.device.take(queue.chain)).isTrue();
            queue.device.complete(queue.chain, 9);
            queue.device.publish();
            assertThatThrownBy(queue.driver::poll)
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("wrote 9 bytes of a request with room for 8");
        }
    }

    /** Requests, and noise over everything that both sides read: nothing escapes but what each side says of the other. */
    @ParameterizedTest
    @EnumSource
    void noiseBreaksQueuesAndNothingElse(QueueLayout layout) throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int brokenByDriver = 0;
        int brokenByDevice = 0;
        int taken = 0;
        try {
            for (int round = 0; round < ROUNDS; ) {
                try (QueuePairing queue = new QueuePairing(layout, SIZE)) {
                    MemorySegment copy = MemorySegment.ofArray(new byte[256]);
                    long rings = queue.driver.addresses().descriptors() - LocalMemory.ADDRESS;
                    while (queue.broken.isEmpty() && round++ < ROUNDS) {
                        send(queue, random);
                        disturb(queue.memory.segment(), rings, random);
                        while (queue.device.take(queue.chain)) {
                            taken++;
                            queue.chain.read(0, copy, 0, Math.min(256, queue.chain.readableBytes()));
                            queue.chain.write(0, copy, 0, Math.min(8, queue.chain.writableBytes()));
                            queue.device.complete(queue.chain, random.nextInt(9));
                        }
                        queue.device.publish();
                        if (!isDriverContent(queue)) {
                            brokenByDevice++;
                            break;
                        }
                    }
                    brokenByDriver += queue.broken.size();
                }
            }
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError("seed " + seed, e);
        }
        // The noise is loud enough to matter, and not so loud that nothing gets through.
        assertThat(brokenByDriver).as("seed %d", seed).isPositive();
        assertThat(brokenByDevice).as("seed %d", seed).isPositive();
        assertThat(taken).as("seed %d", seed).isPositive();
    }

    private static void send(QueuePairing queue, Random random) {
        while (queue.driver.room(QueuePairing.MAXIMUM_BUFFERS) > 0 && random.nextBoolean()) {
            int buffers = random.nextInt(QueuePairing.MAXIMUM_BUFFERS);
            for (int i = 0; i < buffers; i++) {
                queue.driver.readable(queue.at(64L * i), 64);
            }
            queue.driver.writable(queue.at(1024), 8);
            queue.driver.add();
        }
        queue.driver.publish();
    }

    private static void disturb(MemorySegment memory, long rings, Random random) {
        for (int i = random.nextInt(3); i > 0; i--) {
            long at = rings + random.nextInt(RING_BYTES);
            byte noise = random.nextBoolean() ? (byte) random.nextInt(SIZE + 2) : (byte) random.nextInt();
            memory.set(JAVA_BYTE, at, noise);
        }
    }

    private static boolean isDriverContent(QueuePairing queue) {
        try {
            for (int id = queue.driver.poll(); id != DriverQueue.NONE; id = queue.driver.poll()) {
                assertThat(id).isBetween(0, SIZE - 1);
                assertThat(queue.driver.usedBytes()).isBetween(0L, 8L);
            }
            return true;
        } catch (DeviceException e) {
            assertThat(e).hasMessageContaining("reset the device");
            return false;
        }
    }
}
