package dev.outboard.emulation;

import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.outboard.emulation.virtio.VirtioBlockModel;
import dev.outboard.emulation.virtio.VirtioBlockOptions;
import dev.outboard.linux.Fd;
import dev.outboard.linux.Mman;
import dev.outboard.specs.virtio.SplitRing;
import dev.outboard.specs.virtio.VirtioFeature;
import dev.outboard.virtio.DeviceQueue;
import dev.outboard.virtio.QueueAddresses;
import dev.outboard.virtio.QueueEvents;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * What a driver may put into a virtqueue of a disk, split or packed, found by a fuzzer that sees which code each input
 * reaches. Without {@code JAZZER_FUZZ=1} it is an ordinary test, of the inputs in the resources.
 */
class VirtioRingFuzzTest {
    private static final long ADDRESS = 0x10_0000;
    private static final int MEMORY_BYTES = 1 << 16;
    private static final int SIZE = 16;
    private static final int DRIVER_AREA = SIZE * SplitRing.DESCRIPTOR_BYTES;
    private static final int DEVICE_AREA = DRIVER_AREA + 64;
    private static final int TURNS = 4;

    /** The first byte says how the queue is laid out; what follows is memory, the queue first. */
    @FuzzTest(maxDuration = "5s")
    void anyRingIsServedOrBroken(byte[] input) throws IOException {
        if (input.length < 1 || input.length > MEMORY_BYTES) {
            return;
        }
        long features = ((input[0] & 1) != 0 ? VirtioFeature.RING_PACKED : 0)
                | ((input[0] & 2) != 0 ? VirtioFeature.INDIRECT_DESC : 0)
                | ((input[0] & 4) != 0 ? VirtioFeature.EVENT_IDX : 0);
        List<String> broken = new ArrayList<>();
        QueueEvents events = new QueueEvents() {
            @Override
            public void used(int queue) {
                assertThat(queue).isZero();
            }

            @Override
            public void broken(int queue, String reason) {
                broken.add(reason);
            }
        };
        DmaSpace space = new DmaSpace();
        try (Arena arena = Arena.ofShared();
                Fd file = Fd.memfd("local", MEMORY_BYTES);
                VirtioBlockModel model = new VirtioBlockModel(VirtioBlockOptions.DEFAULT.withSizeBytes(1 << 16))) {
            space.map(ADDRESS, MEMORY_BYTES, file, 0, true, true);
            MemorySegment memory = file.mmap(0, MEMORY_BYTES, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, arena);
            MemorySegment.copy(MemorySegment.ofArray(input), 1, memory, 0, input.length - 1);
            short offered = memory.get(JAVA_SHORT, DRIVER_AREA + SplitRing.AVAILABLE_INDEX);
            DeviceQueue queue = new DeviceQueue(0, space, events);
            model.start(features, List.of(queue), () -> {});
            queue.enable(new QueueAddresses(SIZE, ADDRESS, ADDRESS + DRIVER_AREA, ADDRESS + DEVICE_AREA), features);
            int served = 0;
            for (int turn = 0; turn < TURNS; turn++) {
                served += model.doWork();
            }
            assertThat(broken).hasSizeLessThanOrEqualTo(1);
            assertThat(queue.isEnabled()).isEqualTo(broken.isEmpty());
            boolean split = (features & VirtioFeature.RING_PACKED) == 0;
            if (split && Short.toUnsignedInt(offered) > SIZE) {
                assertThat(served).isZero();
            }
        } finally {
            space.unmapAll();
        }
    }
}
