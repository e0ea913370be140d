package dev.outboard.emulation.virtio;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.outboard.emulation.BackingStore;
import dev.outboard.specs.virtio.VirtioBlk;
import dev.outboard.specs.virtio.VirtioDeviceType;
import dev.outboard.virtio.DescriptorChain;
import dev.outboard.virtio.DeviceQueue;
import dev.outboard.virtio.VirtioDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A virtio block device: reads, writes, flushes, discards and writes of zeroes, on several queues. VIRTIO 1.2, 5.2. A
 * request that is wrong ends in a status; one that has no room for a status breaks its queue.
 */
public final class VirtioBlockModel implements VirtioDevice {
    private static final ValueLayout.OfInt INT = JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    // What goes around a request: its header and its status.
    private static final int OTHER_BUFFERS = 2;
    private static final int MOST_RANGES = 64;
    private static final int MOST_SECTORS_A_RANGE = 1 << 22;
    /** So much is moved before the driver is told, and another queue has its turn. */
    private static final long BYTES_A_TURN = 256 << 10;

    private static final int REQUESTS_A_TURN = 32;

    /** A request on a queue: the object that it is taken into goes with the queue's memory. */
    private record Work(DeviceQueue queue, DescriptorChain chain) {}

    private final VirtioBlockOptions options;
    private final BackingStore store;
    private final long sectors;
    private final ConfigurationBytes configuration = new ConfigurationBytes(VirtioBlk.CONFIGURATION_BYTES);
    private final Arena arena = Arena.ofShared();
    private final MemorySegment header = arena.allocate(VirtioBlk.HEADER_BYTES, Long.BYTES);
    private final MemorySegment range = arena.allocate(VirtioBlk.RANGE_BYTES, Long.BYTES);
    private final MemorySegment status = arena.allocate(VirtioBlk.STATUS_BYTES);
    private final MemorySegment id = arena.allocate(VirtioBlk.ID_BYTES);
    private List<Work> queues = List.of();
    /** Whether a write is durable when it is done: for drivers that cannot flush. 5.2.6.2. */
    private boolean writesThrough;

    /**
     * A device that was just reset.
     *
     * @param options what it shall be
     * @throws IOException if its file or its memory cannot be had
     */
    public VirtioBlockModel(VirtioBlockOptions options) throws IOException {
        this.options = options;
        store = new BackingStore(options.file(), options.sizeBytes(), options.readOnly());
        sectors = options.sizeBytes() / VirtioBlk.SECTOR_BYTES;
        MemorySegment.copy(
                MemorySegment.ofArray(options.serial().getBytes(StandardCharsets.US_ASCII)),
                0,
                id,
                0,
                options.serial().length());
        int sectorsABlock = options.blockSizeBytes() / VirtioBlk.SECTOR_BYTES;
        configuration.put(VirtioBlk.CAPACITY, sectors);
        configuration.put(VirtioBlk.SEG_MAX, options.queueSize() - OTHER_BUFFERS);
        configuration.put(VirtioBlk.BLK_SIZE, options.blockSizeBytes());
        configuration.put(VirtioBlk.MIN_IO_SIZE, 1);
        configuration.put(VirtioBlk.OPT_IO_SIZE, 1);
        configuration.put(VirtioBlk.NUM_QUEUES, options.queues());
        configuration.put(VirtioBlk.MAX_DISCARD_SECTORS, MOST_SECTORS_A_RANGE);
        configuration.put(VirtioBlk.MAX_DISCARD_SEG, MOST_RANGES);
        configuration.put(VirtioBlk.DISCARD_SECTOR_ALIGNMENT, sectorsABlock);
        configuration.put(VirtioBlk.MAX_WRITE_ZEROES_SECTORS, MOST_SECTORS_A_RANGE);
        configuration.put(VirtioBlk.MAX_WRITE_ZEROES_SEG, MOST_RANGES);
        configuration.put(VirtioBlk.WRITE_ZEROES_MAY_UNMAP, 1);
    }

    @Override
    public int type() {
        return VirtioDeviceType.BLOCK;
    }

    @Override
    public long features() {
        long features = VirtioBlk.FEATURE_SEG_MAX
                | VirtioBlk.FEATURE_BLK_SIZE
                | VirtioBlk.FEATURE_FLUSH
                | VirtioBlk.FEATURE_TOPOLOGY
                | VirtioBlk.FEATURE_MQ;
        return features
                | (options.readOnly()
                        ? VirtioBlk.FEATURE_READ_ONLY
                        : VirtioBlk.FEATURE_DISCARD | VirtioBlk.FEATURE_WRITE_ZEROES);
    }

    @Override
    public int queueCount() {
        return options.queues();
    }

    @Override
    public int maximumQueueSize(int queue) {
        return options.queueSize();
    }

    @Override
    public int configurationBytes() {
        return configuration.sizeBytes();
    }

    @Override
    public long readConfiguration(long offset, int widthBytes) {
        return configuration.read(offset, widthBytes);
    }

    @Override
    public void writeConfiguration(long offset, int widthBytes, long value) {
        // All of it is the device's to say.
    }

    @Override
    public void start(long features, List<DeviceQueue> all, Runnable configurationChanged) {
        writesThrough = (features & VirtioBlk.FEATURE_FLUSH) == 0;
        List<Work> started = new ArrayList<>();
        for (DeviceQueue queue : all) {
            started.add(new Work(queue, new DescriptorChain(queue.memory())));
        }
        queues = List.copyOf(started);
    }

    @Override
    public void reset() {
        queues = List.of();
    }

    @Override
    public int doWork() {
        int work = 0;
        for (int i = 0; i < queues.size(); i++) {
            work += serve(queues.get(i));
        }
        return work;
    }

    private int serve(Work work) {
        DeviceQueue queue = work.queue;
        DescriptorChain chain = work.chain;
        int requests = 0;
        for (long bytes = 0; bytes < BYTES_A_TURN && requests < REQUESTS_A_TURN && queue.take(chain); requests++) {
            execute(queue, chain);
            bytes += chain.readableBytes() + chain.writableBytes();
        }
        if (requests > 0) {
            queue.publish();
        }
        return requests;
    }

    private void execute(DeviceQueue queue, DescriptorChain chain) {
        long room = chain.writableBytes() - VirtioBlk.STATUS_BYTES;
        if (room < 0 || !chain.read(0, header, 0, VirtioBlk.HEADER_BYTES)) {
            queue.fail("a request without " + (room < 0 ? "room for a status" : "a header that can be read"));
            return;
        }
        int type = header.get(INT, VirtioBlk.HEADER_TYPE);
        long sector = header.get(LONG, VirtioBlk.HEADER_SECTOR);
        long length = chain.readableBytes() - VirtioBlk.HEADER_BYTES;
        int result = switch (type) {
            case VirtioBlk.TYPE_IN -> status(lies(sector, room) && chain.write(0, store.segment(), at(sector), room));
            case VirtioBlk.TYPE_OUT -> status(write(chain, sector, length));
            case VirtioBlk.TYPE_FLUSH -> flush();
            case VirtioBlk.TYPE_GET_ID -> status(chain.write(0, id, 0, Math.min(room, VirtioBlk.ID_BYTES)));
            case VirtioBlk.TYPE_DISCARD, VirtioBlk.TYPE_WRITE_ZEROES -> erase(chain, length, type);
            default -> VirtioBlk.STATUS_UNSUPP;
        };
        status.set(JAVA_BYTE, 0, (byte) result);
        if (!chain.write(room, status, 0, VirtioBlk.STATUS_BYTES)) {
            queue.fail("a request whose status cannot be written");
            return;
        }
        // What was written from the start on, without a gap.
        queue.complete(chain, room == 0 || result == VirtioBlk.STATUS_OK ? room + VirtioBlk.STATUS_BYTES : 0);
    }

    private boolean write(DescriptorChain chain, long sector, long length) {
        boolean done = !options.readOnly()
                && lies(sector, length)
                && chain.read(VirtioBlk.HEADER_BYTES, store.segment(), at(sector), length);
        if (done && writesThrough) {
            store.flush(at(sector), length);
        }
        return done;
    }

    private static int status(boolean done) {
        return done ? VirtioBlk.STATUS_OK : VirtioBlk.STATUS_IOERR;
    }

    private static long at(long sector) {
        return sector * VirtioBlk.SECTOR_BYTES;
    }

    /** Whether so many bytes from a sector on are whole blocks of this device. */
    private boolean lies(long sector, long length) {
        return (length & (options.blockSizeBytes() - 1)) == 0 && liesSectors(sector, length / VirtioBlk.SECTOR_BYTES);
    }

    private boolean liesSectors(long sector, long count) {
        return count <= sectors && Long.compareUnsigned(sector, sectors - count) <= 0;
    }

    private int flush() {
        store.flush(0, options.sizeBytes());
        return VirtioBlk.STATUS_OK;
    }

    /** All ranges are checked before the first of them is erased. */
    private int erase(DescriptorChain chain, long length, int type) {
        int known = type == VirtioBlk.TYPE_WRITE_ZEROES ? VirtioBlk.RANGE_UNMAP : 0;
        if (options.readOnly()
                || length == 0
                || length % VirtioBlk.RANGE_BYTES != 0
                || length > (long) MOST_RANGES * VirtioBlk.RANGE_BYTES) {
            return VirtioBlk.STATUS_IOERR;
        }
        long end = VirtioBlk.HEADER_BYTES + length;
        for (long at = VirtioBlk.HEADER_BYTES; at < end; at += VirtioBlk.RANGE_BYTES) {
            if (!chain.read(at, range, 0, VirtioBlk.RANGE_BYTES)) {
                return VirtioBlk.STATUS_IOERR;
            }
            if ((range.get(INT, VirtioBlk.RANGE_FLAGS) & ~known) != 0) {
                return VirtioBlk.STATUS_UNSUPP;
            }
            if (!isErasable()) {
                return VirtioBlk.STATUS_IOERR;
            }
        }
        for (long at = VirtioBlk.HEADER_BYTES; at < end; at += VirtioBlk.RANGE_BYTES) {
            // The driver may have changed it meanwhile.
            if (!chain.read(at, range, 0, VirtioBlk.RANGE_BYTES) || !isErasable()) {
                return VirtioBlk.STATUS_IOERR;
            }
            long count = Integer.toUnsignedLong(range.get(INT, VirtioBlk.RANGE_SECTORS));
            store.erase(at(range.get(LONG, VirtioBlk.RANGE_SECTOR)), at(count));
        }
        return VirtioBlk.STATUS_OK;
    }

    private boolean isErasable() {
        long count = Integer.toUnsignedLong(range.get(INT, VirtioBlk.RANGE_SECTORS));
        return count <= MOST_SECTORS_A_RANGE && liesSectors(range.get(LONG, VirtioBlk.RANGE_SECTOR), count);
    }

    @Override
    public void close() {
        store.close();
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
