package dev.outboard.virtio.block;

import dev.outboard.driver.BlockDevice;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import java.io.IOException;
import java.util.Objects;

/**
 * A virtio block device as a {@link BlockDevice}, over a queue of its own. Calls of several threads take turns; transfers
 * of any size are split as the device needs it.
 */
public final class VirtioBlockDevice implements BlockDevice {
    private static final int DEPTH = 1;

    private final VirtioBlock device;
    private final BlockQueue queue;

    private interface Transfer {
        BlockRequest submit(long firstBlock, DmaMemory part) throws IOException;
    }

    /**
     * Creates the view, and takes its queue.
     *
     * @param device the device
     * @param waiting how to wait for it
     * @throws IOException if there is no memory
     */
    public VirtioBlockDevice(VirtioBlock device, Waiting waiting) throws IOException {
        this.device = device;
        queue = device.createQueue(DEPTH, waiting);
    }

    @Override
    public int blockSizeBytes() {
        return device.blockSizeBytes();
    }

    @Override
    public long blockCount() {
        return device.blockCount();
    }

    @Override
    public DmaMemory allocate(long sizeBytes) throws IOException {
        return device.dma().allocate(sizeBytes);
    }

    @Override
    public void read(long firstBlock, DmaMemory buffer) throws IOException {
        transfer(firstBlock, buffer, queue::read);
    }

    @Override
    public void write(long firstBlock, DmaMemory buffer) throws IOException {
        transfer(firstBlock, buffer, queue::write);
    }

    private synchronized void transfer(long firstBlock, DmaMemory buffer, Transfer transfer) throws IOException {
        long step = device.maximumTransferBytes() & -device.blockSizeBytes();
        long size = buffer.sizeBytes();
        Objects.checkFromIndexSize(firstBlock, size / device.blockSizeBytes(), device.blockCount());
        for (long done = 0; done < size; done += step) {
            DmaMemory part = size <= step ? buffer : buffer.slice(done, Math.min(step, size - done));
            transfer.submit(firstBlock + done / device.blockSizeBytes(), part).await(device.requestTimeout());
        }
    }

    @Override
    public synchronized void flush() throws IOException {
        queue.flush().await(device.requestTimeout());
    }

    @Override
    public synchronized void close() {
        queue.close();
    }
}
