package dev.outboard.emulation;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.outboard.emulation.virtio.VirtioBlockModel;
import dev.outboard.emulation.virtio.VirtioBlockOptions;
import dev.outboard.emulation.virtio.VirtioPciModel;
import dev.outboard.linux.Fd;
import dev.outboard.linux.Mman;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.virtio.VirtioBlk;
import dev.outboard.specs.virtio.VirtioFeature;
import dev.outboard.virtio.DeviceQueue;
import dev.outboard.virtio.DriverQueue;
import dev.outboard.virtio.QueueEvents;
import dev.outboard.virtio.block.BlockQueue;
import dev.outboard.virtio.block.VirtioBlock;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Reads and writes of a virtio disk allocate nothing, on either side, however they are compiled. */
class VirtioAllocationTest {
    private static final int ROUND = 4_000;
    private static final int MEMORY_BYTES = 4 << 20;
    private static final long ADDRESS = 0x1000_0000;
    private static final VirtioBlockOptions DISK = VirtioBlockOptions.DEFAULT.withSizeBytes(1 << 20);

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** The interrupts and faults of a queue that has none. */
    private static final class NoEvents implements QueueEvents {
        @Override
        public void used(int queue) {
            // Nobody waits.
        }

        @Override
        public void broken(int queue, String reason) {
            throw new AssertionError(reason);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, VirtioFeature.RING_PACKED | VirtioFeature.INDIRECT_DESC})
    void theDeviceAllocatesNothing(long features) throws IOException {
        DmaSpace space = new DmaSpace();
        int protection = Mman.PROT_READ | Mman.PROT_WRITE;
        try (Arena arena = Arena.ofShared();
                Fd file = Fd.memfd("local", MEMORY_BYTES);
                VirtioBlockModel model = new VirtioBlockModel(DISK)) {
            space.map(ADDRESS, MEMORY_BYTES, file, 0, true, true);
            MemorySegment memory = file.mmap(0, MEMORY_BYTES, protection, Mman.MAP_SHARED, arena);
            DmaAllocator dma = DmaAllocator.within(new DmaMemory(memory, ADDRESS, () -> {}));
            DmaMemory data = dma.allocate(8192);
            DriverQueue driver = DriverQueue.create(dma, "queue", 16, features, 3);
            DeviceQueue device = new DeviceQueue(0, space, new NoEvents());
            model.start(features, List.of(device), () -> {});
            device.enable(driver.addresses(), features);
            run(model, driver, data);
            long before = threads.getCurrentThreadAllocatedBytes();
            run(model, driver, data);
            assertThat((threads.getCurrentThreadAllocatedBytes() - before) / ROUND)
                    .as("bytes for each request")
                    .isZero();
        }
        space.unmapAll();
    }

    private static void run(VirtioBlockModel model, DriverQueue driver, DmaMemory data) throws IOException {
        long status = 4096 + VirtioBlk.HEADER_BYTES;
        for (int i = 0; i < ROUND; i++) {
            data.segment().set(JAVA_LONG, 4096 + VirtioBlk.HEADER_TYPE, VirtioBlk.TYPE_IN);
            data.segment().set(JAVA_LONG, 4096 + VirtioBlk.HEADER_SECTOR, i % 100);
            data.segment().set(JAVA_BYTE, status, (byte) -1);
            driver.readable(data.deviceAddress() + 4096, VirtioBlk.HEADER_BYTES);
            driver.writable(data.deviceAddress(), 4096);
            driver.writable(data.deviceAddress() + status, VirtioBlk.STATUS_BYTES);
            int id = driver.add();
            driver.publish();
            model.doWork();
            if (driver.poll() != id || data.segment().get(JAVA_BYTE, status) != VirtioBlk.STATUS_OK) {
                throw new AssertionError("request " + i);
            }
        }
    }

    @Test
    void theDriverAllocatesNothing(@TempDir Path directory) throws IOException {
        try (PciModel model = new VirtioPciModel(new VirtioBlockModel(DISK));
                VfioUserServer server = VfioUserServer.start(model, directory.resolve("disk"));
                VirtioBlock disk = VirtioBlock.open("vfio-user:" + server.path());
                BlockQueue queue = disk.createQueue(8);
                DmaMemory buffer = disk.dma().allocate(4096)) {
            Duration soon = Duration.ofSeconds(30);
            run(queue, buffer, soon);
            long before = threads.getCurrentThreadAllocatedBytes();
            run(queue, buffer, soon);
            // Not none at all: now and then a slow device is looked after, by a message.
            assertThat((threads.getCurrentThreadAllocatedBytes() - before) / ROUND)
                    .as("bytes for each request")
                    .isLessThan(16);
        }
    }

    private static void run(BlockQueue queue, DmaMemory buffer, Duration soon) throws IOException {
        for (int i = 0; i < ROUND; i++) {
            queue.write(i % 100, buffer).await(soon);
            queue.read(i % 100, buffer).await(soon);
        }
    }
}
