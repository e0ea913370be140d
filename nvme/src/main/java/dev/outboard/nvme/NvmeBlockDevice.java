package dev.outboard.nvme;

import dev.outboard.driver.BlockDevice;
import dev.outboard.driver.DeviceException;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.Field;
import dev.outboard.specs.nvme.Identify;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;

/**
 * A namespace as a {@link BlockDevice}, over a queue pair of its own. Calls of several threads take turns; transfers of
 * any size are split as the controller needs it.
 */
public final class NvmeBlockDevice implements BlockDevice {
    private static final int DEPTH = 32;
    /** So that each command ends in time, on devices, too, that have to look at each block. */
    private static final long TRIMMED_BLOCKS = 1 << 23;

    private final NvmeController controller;
    private final NvmeNamespace namespace;
    private final QueuePair queue;
    private final Duration timeout;
    private final int blocksACommand;

    private interface Transfer {
        NvmeRequest submit(long firstBlock, DmaMemory part) throws IOException;
    }

    /**
     * Creates the view, and its queue pair.
     *
     * @param controller the namespace's controller
     * @param namespace the namespace
     * @param waiting how to wait for the controller
     * @throws IOException if the queue pair cannot be created
     */
    public NvmeBlockDevice(NvmeController controller, NvmeNamespace namespace, Waiting waiting) throws IOException {
        this.controller = controller;
        this.namespace = namespace;
        timeout = controller.commandTimeout();
        long transfer = controller.maximumTransferBytes();
        if (transfer < namespace.blockSizeBytes()) {
            throw new DeviceException(controller.address() + " has blocks of " + namespace.blockSizeBytes()
                    + " bytes, and one command transfers up to " + transfer + ": none of them can be read");
        }
        blocksACommand = (int) Math.min(QueuePair.MAXIMUM_BLOCKS, transfer / namespace.blockSizeBytes());
        queue = controller.createQueuePair(DEPTH, waiting);
    }

    @Override
    public int blockSizeBytes() {
        return namespace.blockSizeBytes();
    }

    @Override
    public long blockCount() {
        return namespace.blockCount();
    }

    @Override
    public DmaMemory allocate(long sizeBytes) throws IOException {
        return controller.dma().allocate(sizeBytes);
    }

    @Override
    public void read(long firstBlock, DmaMemory buffer) throws IOException {
        transfer(firstBlock, buffer, (block, part) -> queue.read(namespace, block, part));
    }

    @Override
    public void write(long firstBlock, DmaMemory buffer) throws IOException {
        transfer(firstBlock, buffer, (block, part) -> queue.write(namespace, block, part));
    }

    private synchronized void transfer(long firstBlock, DmaMemory buffer, Transfer transfer) throws IOException {
        long step = (long) blocksACommand * namespace.blockSizeBytes();
        long size = buffer.sizeBytes();
        Objects.checkFromIndexSize(firstBlock, size / namespace.blockSizeBytes(), namespace.blockCount());
        for (long done = 0; done < size; done += step) {
            DmaMemory part = size <= step ? buffer : buffer.slice(done, Math.min(step, size - done));
            transfer.submit(firstBlock + done / namespace.blockSizeBytes(), part)
                    .await(timeout);
        }
    }

    @Override
    public boolean trims() {
        return has(Identify.ONCS_DATASET_MANAGEMENT);
    }

    private boolean has(Field optionalCommand) {
        return optionalCommand.isSet(controller.identity().data().get("oncs"));
    }

    @Override
    public synchronized void trim(long firstBlock, long blocks) throws IOException {
        Objects.checkFromIndexSize(firstBlock, blocks, namespace.blockCount());
        NvmeCommand command = NvmeCommand.deallocate(namespace);
        for (long done = 0; trims() && done < blocks; done += TRIMMED_BLOCKS) {
            command.clearRanges().range(firstBlock + done, Math.min(TRIMMED_BLOCKS, blocks - done));
            queue.submit(command).await(timeout);
        }
    }

    @Override
    public synchronized void writeZeroes(long firstBlock, long blocks) throws IOException {
        if (!has(Identify.ONCS_WRITE_ZEROES)) {
            BlockDevice.super.writeZeroes(firstBlock, blocks);
            return;
        }
        Objects.checkFromIndexSize(firstBlock, blocks, namespace.blockCount());
        for (long done = 0; done < blocks; done += blocksACommand) {
            int some = (int) Math.min(blocksACommand, blocks - done);
            queue.submit(NvmeCommand.writeZeroes(namespace, firstBlock + done, some, false))
                    .await(timeout);
        }
    }

    @Override
    public synchronized void flush() throws IOException {
        queue.flush(namespace).await(timeout);
    }

    @Override
    public synchronized void close() {
        queue.close();
    }
}
