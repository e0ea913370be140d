package dev.outboard.virtio;

import dev.outboard.memory.DmaMemory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The two sides of one queue, and what its device was told. */
final class QueuePairing implements QueueEvents, AutoCloseable {
    static final int MAXIMUM_BUFFERS = 4;

    final LocalMemory memory = new LocalMemory();
    final DmaMemory data;
    final DriverQueue driver;
    final DeviceQueue device = new DeviceQueue(0, memory, this);
    final DescriptorChain chain = new DescriptorChain(memory);
    final List<String> broken = new ArrayList<>();
    int interrupts;

    QueuePairing(QueueLayout layout, int size) throws IOException {
        data = memory.dma.allocate(64 << 10);
        driver = DriverQueue.create(memory.dma, "the queue", size, layout.features, MAXIMUM_BUFFERS);
        device.enable(driver.addresses(), layout.features);
    }

    /** The address of a place in the data. */
    long at(long offset) {
        return data.deviceAddress() + offset;
    }

    @Override
    public void used(int queue) {
        interrupts++;
    }

    @Override
    public void broken(int queue, String reason) {
        broken.add(reason);
    }

    @Override
    public void close() {
        memory.close();
    }
}
