package dev.outboard.virtio.block;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.Register;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.pci.PciConfiguration;
import dev.outboard.specs.virtio.VirtioBlk;
import dev.outboard.specs.virtio.VirtioDeviceType;
import dev.outboard.specs.virtio.VirtioPciRegisters;
import dev.outboard.virtio.DriverQueue;
import dev.outboard.virtio.pci.VirtioFunction;
import dev.outboard.virtio.pci.VirtioQueue;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * A virtio block device, ready for I/O from when it is opened until it is closed. VIRTIO 1.2, 5.2.
 *
 * <p>Safe for use by several threads; each of its {@linkplain BlockQueue queues} belongs to one.
 */
public final class VirtioBlock implements AutoCloseable {
    /** How long a request may take, unless it is opened with another deadline. */
    public static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);

    private static final int TRANSITIONAL_DEVICE_ID = VirtioPciRegisters.TRANSITIONAL_DEVICE_ID_BASE + 1;
    private static final int MOST_QUEUES = 16;
    private static final int MOST_DESCRIPTORS = 256;
    private static final long MOST_TRANSFER_BYTES = 16 << 20;
    private static final int LARGEST_BLOCK_BYTES = 1 << 16;
    /** A request's header and its status. */
    private static final int OTHER_BUFFERS = 2;

    private static final int MOST_DATA_BUFFERS = 62;
    private static final long FEATURES = DriverQueue.FEATURES
            | VirtioBlk.FEATURE_SIZE_MAX
            | VirtioBlk.FEATURE_SEG_MAX
            | VirtioBlk.FEATURE_READ_ONLY
            | VirtioBlk.FEATURE_BLK_SIZE
            | VirtioBlk.FEATURE_FLUSH
            | VirtioBlk.FEATURE_MQ
            | VirtioBlk.FEATURE_DISCARD
            | VirtioBlk.FEATURE_WRITE_ZEROES;

    private final VirtioFunction function;
    private final Duration requestTimeout;
    private final int blockSizeBytes;
    private final long blockCount;
    private final long maximumSegmentBytes;
    private final int maximumDataBuffers;
    private final long maximumDiscardSectors;
    private final long maximumWriteZeroesSectors;
    private final int queueCount;
    private final Deque<VirtioQueue> freeQueues = new ArrayDeque<>();
    private final List<BlockQueue> takenQueues = new ArrayList<>();
    private final String serial;

    private VirtioBlock(VirtioFunction function, Duration requestTimeout) throws IOException {
        this.function = function;
        this.requestTimeout = requestTimeout;
        blockSizeBytes =
                has(VirtioBlk.FEATURE_BLK_SIZE) ? (int) function.read(VirtioBlk.BLK_SIZE) : VirtioBlk.SECTOR_BYTES;
        long sectors = function.read(VirtioBlk.CAPACITY);
        if (blockSizeBytes < VirtioBlk.SECTOR_BYTES
                || blockSizeBytes > LARGEST_BLOCK_BYTES
                || Integer.bitCount(blockSizeBytes) != 1
                || sectors < sectors(1)
                || sectors > Long.MAX_VALUE / VirtioBlk.SECTOR_BYTES) {
            throw new DeviceException(function + " says that it has " + Long.toUnsignedString(sectors)
                    + " sectors, in blocks of " + Integer.toUnsignedString(blockSizeBytes)
                    + " bytes, which this driver cannot use");
        }
        blockCount = sectors / sectors(1);
        maximumSegmentBytes =
                maximum(VirtioBlk.FEATURE_SIZE_MAX, VirtioBlk.SIZE_MAX, MOST_TRANSFER_BYTES) & -blockSizeBytes;
        long segments = maximum(VirtioBlk.FEATURE_SEG_MAX, VirtioBlk.SEG_MAX, MOST_DATA_BUFFERS);
        if (maximumSegmentBytes == 0 || segments == 0) {
            throw new DeviceException(function + " takes no data: segments of " + function.read(VirtioBlk.SIZE_MAX)
                    + " bytes, " + segments + " in a request");
        }
        maximumDataBuffers = (int) Math.min(segments, Math.ceilDiv(MOST_TRANSFER_BYTES, maximumSegmentBytes));
        maximumDiscardSectors = maximum(VirtioBlk.FEATURE_DISCARD, VirtioBlk.MAX_DISCARD_SECTORS, Integer.MAX_VALUE);
        maximumWriteZeroesSectors =
                maximum(VirtioBlk.FEATURE_WRITE_ZEROES, VirtioBlk.MAX_WRITE_ZEROES_SECTORS, Integer.MAX_VALUE);
        long queues = maximum(VirtioBlk.FEATURE_MQ, VirtioBlk.NUM_QUEUES, MOST_QUEUES);
        queueCount = has(VirtioBlk.FEATURE_MQ) ? (int) Math.max(1, queues) : 1;
        for (int i = 0; i < queueCount; i++) {
            freeQueues.add(function.createQueue(i, MOST_DESCRIPTORS, maximumDataBuffers + OTHER_BUFFERS));
        }
        function.start();
        try (BlockQueue queue = createQueue(1)) {
            serial = queue.readId(requestTimeout);
        }
    }

    /** What a register of configuration space limits, if it is there. */
    private long maximum(long feature, Register register, long otherwise) throws IOException {
        return has(feature) ? Math.min(function.read(register), otherwise) : otherwise;
    }

    /**
     * Opens a device: resets it, agrees with it on features and sets its queues up.
     *
     * @param address its address, for example {@code "vfio:0000:03:00.0"} or {@code "model:virtio-blk"}
     * @return the device, ready for I/O
     * @throws IOException if it cannot be opened, or does not become ready
     */
    public static VirtioBlock open(String address) throws IOException {
        return open(Pci.open(address), REQUEST_TIMEOUT, 0);
    }

    /**
     * Takes over a PCI function that is a virtio block device.
     *
     * @param function the function; it now belongs to the device, and is closed if this fails
     * @param requestTimeout how long a request may take
     * @param withheld features not to use although the device and this driver have them, as
     *     {@link dev.outboard.specs.virtio.VirtioFeature#RING_PACKED}
     * @return the device, ready for I/O
     * @throws IOException if it is no virtio block device, or does not become ready
     */
    public static VirtioBlock open(PciFunction function, Duration requestTimeout, long withheld) throws IOException {
        checkIdentity(function);
        VirtioFunction device = VirtioFunction.open(function, FEATURES & ~withheld);
        try {
            return new VirtioBlock(device, requestTimeout);
        } catch (IOException | RuntimeException e) {
            device.close();
            throw e;
        } catch (InternalError e) {
            device.close();
            throw VirtioFunction.gone(function, e);
        }
    }

    private static void checkIdentity(PciFunction function) throws IOException {
        long vendor = function.configuration().read(PciConfiguration.VENDOR_ID);
        long device = function.configuration().read(PciConfiguration.DEVICE_ID);
        boolean isBlock = device == VirtioPciRegisters.DEVICE_ID_BASE + VirtioDeviceType.BLOCK
                || device == TRANSITIONAL_DEVICE_ID;
        if (vendor != VirtioPciRegisters.VENDOR_ID || !isBlock) {
            DeviceAddress address = function.address();
            function.close();
            throw new DeviceException(
                    address + " is no virtio block device: its ids are " + String.format("%04x:%04x", vendor, device));
        }
    }

    VirtioFunction function() {
        return function;
    }

    boolean has(long feature) {
        return function.has(feature);
    }

    void requireFeature(long feature, String name) {
        if (!has(feature)) {
            throw new UnsupportedOperationException(this + " does not offer " + name);
        }
    }

    long sectors(long blocks) {
        return blocks * (blockSizeBytes / VirtioBlk.SECTOR_BYTES);
    }

    long maximumSegmentBytes() {
        return maximumSegmentBytes;
    }

    long maximumDiscardSectors() {
        return maximumDiscardSectors;
    }

    long maximumWriteZeroesSectors() {
        return maximumWriteZeroesSectors;
    }

    /**
     * The address that the device was opened by.
     *
     * @return for example {@code vfio:0000:03:00.0}
     */
    public DeviceAddress address() {
        return function.function().address();
    }

    /**
     * What driver and device agreed on.
     *
     * @return a mask of {@link dev.outboard.specs.virtio.VirtioFeature} and {@link VirtioBlk}
     */
    public long features() {
        return function.features();
    }

    /**
     * The serial number.
     *
     * @return at most 20 characters; empty if the device has none
     */
    public String serial() {
        return serial;
    }

    /**
     * The size of a block.
     *
     * @return bytes, a power of two from 512
     */
    public int blockSizeBytes() {
        return blockSizeBytes;
    }

    /**
     * How many blocks there are.
     *
     * @return the number, when the device was opened
     */
    public long blockCount() {
        return blockCount;
    }

    /**
     * Whether it cannot be written.
     *
     * @return whether the device says so
     */
    public boolean isReadOnly() {
        return has(VirtioBlk.FEATURE_READ_ONLY);
    }

    /**
     * The most that one request can transfer.
     *
     * @return bytes
     */
    public long maximumTransferBytes() {
        return Math.min(MOST_TRANSFER_BYTES, maximumDataBuffers * maximumSegmentBytes);
    }

    /**
     * How long a request may take, unless its await says less.
     *
     * @return the deadline of every request
     */
    public Duration requestTimeout() {
        return requestTimeout;
    }

    /**
     * Memory for I/O without copies.
     *
     * @return the allocator of memory that the device reaches
     */
    public DmaAllocator dma() {
        return function.function().dma();
    }

    /**
     * Finds out whether the device is still there. Cheap: no system call and no message.
     *
     * @throws DeviceGoneException if it is not
     */
    public void checkPresent() throws DeviceGoneException {
        function.function().checkPresent();
    }

    /**
     * How many queues can be taken at a time.
     *
     * @return the number, from 1
     */
    public int maximumQueues() {
        return queueCount;
    }

    /**
     * Takes a queue that polls.
     *
     * @param depth how many requests can be on their way at a time
     * @return the queue
     * @throws IOException if there is no memory
     */
    public BlockQueue createQueue(int depth) throws IOException {
        return createQueue(depth, Waiting.POLL);
    }

    /**
     * Takes a queue.
     *
     * @param depth how many requests can be on their way at a time
     * @param waiting how it waits for completions
     * @return the queue
     * @throws IllegalStateException if all are taken, or there are no interrupts to wait for
     * @throws IOException if there is no memory
     */
    public synchronized BlockQueue createQueue(int depth, Waiting waiting) throws IOException {
        VirtioQueue queue = freeQueues.peek();
        if (queue == null) {
            throw new IllegalStateException(
                    this + " has " + queueCount + " queues, and all are in use; close one first");
        }
        int deepest = queue.ring().capacity(maximumDataBuffers + OTHER_BUFFERS);
        if (depth < 1 || depth > deepest) {
            throw new IllegalArgumentException(
                    "a queue of " + this + " has a depth of 1 to " + deepest + ", not " + depth);
        }
        if (waiting.sleeps() && !queue.hasInterrupt()) {
            throw new IllegalStateException(this + " has no interrupts over this access path; poll instead");
        }
        BlockQueue taken = new BlockQueue(this, queue, depth, waiting);
        freeQueues.remove();
        takenQueues.add(taken);
        return taken;
    }

    /** Called by a queue that closes, with nothing on its way. */
    synchronized void release(BlockQueue taken, VirtioQueue queue) {
        takenQueues.remove(taken);
        freeQueues.addFirst(queue);
    }

    /** Closes the queues, resets the device and closes its function. */
    @Override
    public synchronized void close() {
        List.copyOf(takenQueues).forEach(BlockQueue::close);
        function.close();
    }

    @Override
    public String toString() {
        return address().toString();
    }
}
