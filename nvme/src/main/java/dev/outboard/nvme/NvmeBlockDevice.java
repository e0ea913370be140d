package dev.outboard.nvme;

import dev.outboard.driver.BlockDevice;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.Field;
import dev.outboard.specs.nvme.Guard;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.ProtectionInformation;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * A namespace as a {@link BlockDevice}, over a queue pair of its own. Calls of several threads take turns; transfers of
 * any size are split as the controller needs it, and where it is {@linkplain NvmeNamespace.OptimalSizes#boundaryBlocks
 * fastest}.
 *
 * <p>Blocks with protection information and no other metadata are protected by the controller, which makes, checks and
 * takes it away.
 */
public final class NvmeBlockDevice implements BlockDevice {
    private static final int DEPTH = 32;
    /** So that each command ends in time, on devices, too, that have to look at each block. */
    private static final long TRIMMED_BLOCKS = 1 << 23;
    /** The type of protection information whose reference tags are the host's own. */
    private static final int OWN_REFERENCE_TAGS = 3;

    /** Where Intel's drives say how large a stripe is, in the vendor's part of identify controller. */
    private static final long STRIPE_OFFSET = 3;

    private static final int LARGEST_STRIPE = 16;
    private static final int SMALLEST_PAGE_BYTES = 4096;

    private final NvmeController controller;
    private final NvmeNamespace namespace;
    /** Those that the controller had when the namespace was last looked up; at first none of them. */
    private List<NvmeNamespace> seen;

    private final QueuePair queue;
    private final Duration timeout;
    private final int blocksACommand;
    private final int boundaryBlocks;
    private final boolean protects;

    private interface Transfer {
        NvmeRequest submit(long firstBlock, int blocks, DmaMemory part) throws IOException;
    }

    /**
     * Creates the view, and its queue pair.
     *
     * @param controller the namespace's controller
     * @param namespace the namespace
     * @param waiting how to wait for the controller
     * @throws IllegalArgumentException if the namespace has metadata that a block device has no place for
     * @throws IOException if the queue pair cannot be created
     */
    public NvmeBlockDevice(NvmeController controller, NvmeNamespace namespace, Waiting waiting) throws IOException {
        if (namespace.metadataBytes() != 0 && !namespace.hasOnlyProtection()) {
            throw new IllegalArgumentException("namespace " + namespace.id() + " has " + namespace.metadataBytes()
                    + " bytes of metadata a block, which a block device has no place for: use a queue pair, or format"
                    + " it without");
        }
        this.controller = controller;
        this.namespace = namespace;
        seen = List.of(namespace);
        protects = namespace.hasOnlyProtection();
        boundaryBlocks = boundaryBlocks();
        timeout = controller.commandTimeout();
        long transfer = controller.maximumTransferBytes();
        if (transfer < namespace.blockSizeBytes()) {
            throw new DeviceException(controller.address() + " has blocks of " + namespace.blockSizeBytes()
                    + " bytes, and one command transfers up to " + transfer + ": none of them can be read");
        }
        blocksACommand = (int) Math.min(QueuePair.MAXIMUM_BLOCKS, transfer / namespace.blockSizeBytes());
        queue = controller.createQueuePair(Math.min(DEPTH, controller.maximumQueueDepth()), waiting);
    }

    /** What transfers are best kept within; 0 for no limit. */
    private int boundaryBlocks() {
        int told = namespace.optimalSizes().boundaryBlocks();
        int stripe =
                Byte.toUnsignedInt(controller.identity().data().slice("vs").get(ValueLayout.JAVA_BYTE, STRIPE_OFFSET));
        // As a power of two, in pages; 0 if the drive has none.
        boolean isStriped = told == 0 && controller.has(Quirk.STRIPED) && stripe > 0 && stripe < LARGEST_STRIPE;
        return isStriped ? (SMALLEST_PAGE_BYTES << stripe) / namespace.blockSizeBytes() : told;
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
        transfer(
                firstBlock,
                buffer,
                (block, blocks, part) -> protects
                        ? queue.submit(protect(NvmeCommand.read(namespace, block, blocks), block)
                                .data(part))
                        : queue.read(namespace, block, part));
    }

    @Override
    public void write(long firstBlock, DmaMemory buffer) throws IOException {
        transfer(
                firstBlock,
                buffer,
                (block, blocks, part) -> protects
                        ? queue.submit(protect(NvmeCommand.write(namespace, block, blocks), block)
                                .data(part))
                        : queue.write(namespace, block, part));
    }

    /** The controller makes protection information, and checks what it can: tags of type 3 are the host's own. */
    private NvmeCommand protect(NvmeCommand command, long firstBlock) {
        boolean referencesBlocks = namespace.protectionType() != OWN_REFERENCE_TAGS;
        long checks = ProtectionInformation.CHECK_GUARD.mask()
                | (referencesBlocks ? ProtectionInformation.CHECK_REFERENCE_TAG.mask() : 0);
        return command.protection(true, checks, firstBlock, 0, 0);
    }

    private synchronized void transfer(long firstBlock, DmaMemory buffer, Transfer transfer) throws IOException {
        long all = buffer.sizeBytes() / namespace.blockSizeBytes();
        if (all == 0 || buffer.sizeBytes() % namespace.blockSizeBytes() != 0) {
            throw new IllegalArgumentException("a buffer of " + buffer.sizeBytes()
                    + " bytes holds no whole number of blocks" + " of " + namespace.blockSizeBytes());
        }
        Objects.checkFromIndexSize(firstBlock, all, namespace.blockCount());
        checkUnchanged();
        for (long done = 0; done < all; ) {
            int some = blocksAt(firstBlock + done, all - done);
            DmaMemory part = some == all
                    ? buffer
                    : buffer.slice(done * namespace.blockSizeBytes(), (long) some * namespace.blockSizeBytes());
            transfer.submit(firstBlock + done, some, part).await(timeout);
            done += some;
        }
    }

    /** A namespace that was formatted has other blocks, which buffers of this device's would not hold. */
    @SuppressWarnings("ReferenceEquality") // Lists that are the same object say the same; others are looked into.
    private void checkUnchanged() throws DeviceException {
        List<NvmeNamespace> now = controller.namespaces();
        if (now != seen) {
            if (now.stream().noneMatch(each -> each.hasBlocksOf(namespace))) {
                throw new DeviceException("namespace " + namespace.id() + " of " + controller.address()
                        + " was formatted, resized or deleted since; make a new block device of what"
                        + " NvmeController.namespaces has now");
            }
            seen = now;
        }
    }

    /** How many blocks one command should transfer. */
    private int blocksAt(long firstBlock, long left) {
        long some = Math.min(left, blocksACommand);
        return (int) (boundaryBlocks == 0 ? some : Math.min(some, boundaryBlocks - firstBlock % boundaryBlocks));
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
        checkUnchanged();
        NvmeCommand command = NvmeCommand.deallocate(namespace);
        for (long done = 0; trims() && done < blocks; done += TRIMMED_BLOCKS) {
            command.clearRanges().range(firstBlock + done, Math.min(TRIMMED_BLOCKS, blocks - done));
            queue.submit(command).await(timeout);
        }
    }

    /**
     * Whether the controller copies blocks by itself. Not those with protection information: their reference tags would
     * stay those of the source.
     *
     * @return whether {@link #copy} works
     */
    public boolean copies() {
        return has(Identify.ONCS_COPY) && blocksACopy() > 0 && !protects;
    }

    private long blocksACopy() {
        return Math.min(namespace.identity().get("mssrl"), namespace.identity().get("mcl"));
    }

    /**
     * Has the controller copy blocks, in as many commands as its limits make it. No data pass through here. NVM command
     * set specification 1.0, 3.2.2.
     *
     * @param firstBlock the first block of the source
     * @param blocks how many
     * @param target the first block of the target, which does not overlap the source
     * @throws IllegalArgumentException if the controller does not {@linkplain #copies copy}, or source and target overlap
     * @throws IndexOutOfBoundsException if the blocks are not all there
     * @throws IOException if the device fails
     */
    public synchronized void copy(long firstBlock, long blocks, long target) throws IOException {
        Objects.checkFromIndexSize(firstBlock, blocks, namespace.blockCount());
        checkUnchanged();
        Objects.checkFromIndexSize(target, blocks, namespace.blockCount());
        if (Math.abs(target - firstBlock) < blocks) {
            throw new IllegalArgumentException("blocks " + firstBlock + " to " + (firstBlock + blocks - 1)
                    + " and their target overlap: copy them in parts, or by way of another place");
        }
        if (!copies()) {
            throw new IllegalArgumentException(
                    controller + " copies nothing by itself in " + namespace + "; use read and write");
        }
        long most = blocksACopy();
        for (long done = 0; done < blocks; done += most) {
            queue.submit(NvmeCommand.copy(namespace, target + done)
                            .range(firstBlock + done, Math.min(most, blocks - done)))
                    .await(timeout);
        }
    }

    @Override
    public synchronized void writeZeroes(long firstBlock, long blocks) throws IOException {
        boolean lacksGuards = protects
                && namespace.protection().guard() != Guard.BITS_16
                && controller.has(Quirk.NO_LONG_GUARDS_OF_ZEROES);
        if (!has(Identify.ONCS_WRITE_ZEROES) || controller.has(Quirk.NO_WRITE_ZEROES) || lacksGuards) {
            BlockDevice.super.writeZeroes(firstBlock, blocks);
            return;
        }
        Objects.checkFromIndexSize(firstBlock, blocks, namespace.blockCount());
        checkUnchanged();
        for (long done = 0; done < blocks; done += blocksACommand) {
            int some = (int) Math.min(blocksACommand, blocks - done);
            NvmeCommand command = NvmeCommand.writeZeroes(namespace, firstBlock + done, some, false);
            if (protects) {
                // There is nothing to check in what does not come from the host.
                command.protection(true, 0, firstBlock + done, 0, 0);
            }
            queue.submit(command).await(timeout);
        }
    }

    @Override
    public synchronized void flush() throws IOException {
        // Without a cache that forgets, what is written is durable.
        if (Identify.VWC_PRESENT.isSet(controller.identity().data().get("vwc"))) {
            queue.flush(namespace).await(timeout);
        }
    }

    @Override
    public synchronized void close() {
        queue.close();
    }
}
