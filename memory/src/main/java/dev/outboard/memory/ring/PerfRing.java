package dev.outboard.memory.ring;

import static dev.outboard.linux.uapi.PerfEvents.*;
import static dev.outboard.memory.ring.RingLayout.LONG;

import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import dev.outboard.linux.PerfEvent;
import dev.outboard.linux.Poll;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.Objects;

/**
 * The ring that the kernel fills with performance events, read as a {@link Ring} is: {@code perf_event_open(2)}, "MMAP
 * layout". A record's type is its {@code PERF_RECORD_} number, and the record is what follows its
 * {@code perf_event_header}. Records of type {@link dev.outboard.linux.uapi.PerfEvents#PERF_RECORD_LOST} are handed on
 * too, and counted by {@link #lost}.
 */
public final class PerfRing implements RecordReader {
    private static final long PAGE_BYTES = 4096;
    private static final long LOST_COUNT_OFFSET = 8;
    private static final int LARGEST_RECORD = 1 << 16;
    private static final int SPIN_LOOKS = 1000;

    private final Arena arena = Arena.ofShared();
    private final Fd event;
    private final MemorySegment mapping;
    private final MemorySegment readOnly;
    private final long dataOffset;
    private final long dataBytes;
    // Where a record that goes round the end is put together; as large as its 16-bit size can be.
    private final MemorySegment whole = Arena.ofAuto().allocate(LARGEST_RECORD, Long.BYTES);
    private final MemorySegment readOnlyWhole = whole.asReadOnly();
    private long tail;
    private long lost;
    private int misc;

    /**
     * What to record.
     *
     * @param type a {@code PERF_TYPE_} constant
     * @param config which event of that type, such as {@code PERF_COUNT_SW_DUMMY}
     * @param samplePeriod a sample every so many events (of a clock: nanoseconds); 0 for no samples
     * @param sampleType {@code PERF_SAMPLE_} bits: what samples hold, in the order of the bits
     * @param flags {@code FLAG_} bits of {@link dev.outboard.linux.uapi.PerfEvents}: which other records there are
     */
    public record Event(int type, long config, long samplePeriod, long sampleType, long flags) {}

    private PerfRing(Fd event, int dataPages) throws LinuxException, RingException {
        this.event = event;
        try {
            mapping = event.mmap(
                    0, (1 + dataPages) * PAGE_BYTES, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, arena);
            readOnly = mapping.asReadOnly();
            dataOffset = (long) LONG.get(mapping, (long) PAGE_DATA_OFFSET);
            dataBytes = (long) LONG.get(mapping, (long) PAGE_DATA_SIZE);
            if (dataOffset != PAGE_BYTES || dataBytes != dataPages * PAGE_BYTES) {
                throw new RingException("the kernel's ring is at " + dataOffset + " and has " + dataBytes + " bytes");
            }
        } catch (LinuxException | RingException e) {
            arena.close();
            throw e;
        }
    }

    /**
     * Opens an event and its ring; nothing is recorded before {@link #enable}, unless the flags lack FLAG_DISABLED.
     *
     * @param event what to record
     * @param pid the process or thread to watch; 0 for the calling thread, −1 for all
     * @param cpu the processor to watch; −1 for any
     * @param dataPages the ring's size in pages of 4096 bytes: a power of two
     * @return the ring
     * @throws LinuxException EACCES or EPERM if that is not allowed (the message says what to do), EPERM at mmap if the
     *     limit on locked memory is reached
     * @throws RingException if the kernel maps something else
     */
    public static PerfRing open(Event event, int pid, int cpu, int dataPages) throws LinuxException, RingException {
        if (dataPages < 1 || Integer.bitCount(dataPages) != 1 || dataPages > 1 << 18) {
            throw new IllegalArgumentException(
                    dataPages + " pages: give a power of two from 1 to " + (1 << 18) + " for the ring's data");
        }
        try (Arena call = Arena.ofConfined()) {
            MemorySegment attributes = call.allocate(PERF_ATTR_SIZE_VER0, Long.BYTES);
            attributes.set(ValueLayout.JAVA_INT, ATTR_TYPE, event.type());
            attributes.set(ValueLayout.JAVA_INT, ATTR_SIZE, PERF_ATTR_SIZE_VER0);
            attributes.set(ValueLayout.JAVA_LONG, ATTR_CONFIG, event.config());
            attributes.set(ValueLayout.JAVA_LONG, ATTR_SAMPLE_PERIOD, event.samplePeriod());
            attributes.set(ValueLayout.JAVA_LONG, ATTR_SAMPLE_TYPE, event.sampleType());
            attributes.set(ValueLayout.JAVA_LONG, ATTR_FLAGS, event.flags());
            attributes.set(ValueLayout.JAVA_INT, ATTR_WAKEUP, 1);
            Fd fd = PerfEvent.open(attributes, pid, cpu);
            try {
                return new PerfRing(fd, dataPages);
            } catch (LinuxException | RingException | RuntimeException e) {
                fd.close();
                throw e;
            }
        }
    }

    /**
     * Starts to record.
     *
     * @throws LinuxException if the kernel refuses
     */
    public void enable() throws LinuxException {
        event.ioctl(PERF_EVENT_IOC_ENABLE, 0);
    }

    /**
     * Stops recording; what was recorded can still be read.
     *
     * @throws LinuxException if the kernel refuses
     */
    public void disable() throws LinuxException {
        event.ioctl(PERF_EVENT_IOC_DISABLE, 0);
    }

    /**
     * The {@code misc} field of the record that is being handled.
     *
     * @return {@code PERF_RECORD_MISC_} bits
     */
    public int misc() {
        return misc;
    }

    @Override
    public int poll(RecordHandler handler, int limit) throws RingException {
        Objects.requireNonNull(handler);
        if (limit < 1) {
            throw new IllegalArgumentException("a limit of " + limit + " records: give at least 1");
        }
        if (!event.isOpen()) {
            throw new RingException("this ring is closed");
        }
        // The kernel's own recipe: read data_head, then a read barrier, then the data.
        long head = (long) LONG.getAcquire(mapping, (long) PAGE_DATA_HEAD);
        if (head - tail > dataBytes || head < tail) {
            throw new RingException("the kernel has written up to " + head + ", read is " + tail);
        }
        int count = 0;
        try {
            while (count < limit && head - tail >= HEADER_BYTES) {
                long index = tail & (dataBytes - 1);
                long at = dataOffset + index;
                int type = mapping.get(ValueLayout.JAVA_INT, at);
                misc = Short.toUnsignedInt(mapping.get(ValueLayout.JAVA_SHORT, at + HEADER_MISC));
                int size = Short.toUnsignedInt(mapping.get(ValueLayout.JAVA_SHORT, at + HEADER_SIZE));
                if (size < HEADER_BYTES || size % HEADER_BYTES != 0 || size > head - tail) {
                    throw new RingException("a record of type " + type + " says that it has " + size + " bytes");
                }
                tail += size;
                count++;
                hand(handler, type, index, size);
            }
        } finally {
            // All reads before: the kernel may overwrite what is before data_tail.
            VarHandle.fullFence();
            LONG.setRelease(mapping, (long) PAGE_DATA_TAIL, tail);
        }
        return count;
    }

    private void hand(RecordHandler handler, int type, long index, int size) {
        MemorySegment memory = readOnly;
        long at = dataOffset + index + HEADER_BYTES;
        int length = size - HEADER_BYTES;
        long first = dataBytes - index;
        if (size > first) {
            // The header is whole: sizes are multiples of 8.
            MemorySegment.copy(mapping, dataOffset + index, whole, 0, first);
            MemorySegment.copy(mapping, dataOffset, whole, first, size - first);
            memory = readOnlyWhole;
            at = HEADER_BYTES;
        }
        if (type == PERF_RECORD_LOST && length >= LOST_COUNT_OFFSET + Long.BYTES) {
            lost += memory.get(ValueLayout.JAVA_LONG, at + LOST_COUNT_OFFSET);
        }
        handler.record(type, memory, at, length);
    }

    /**
     * Waits until there are records and reads them. The kernel wakes a waiter for samples alone: records of other kinds
     * (mappings, names, switches) may lie there until the time is over, and are read then.
     */
    @Override
    public int await(RecordHandler handler, int limit, Duration timeout) throws LinuxException, RingException {
        for (int look = 0; look < SPIN_LOOKS; look++) {
            int count = poll(handler, limit);
            if (count != 0) {
                return count;
            }
            Thread.onSpinWait();
        }
        int ready = Poll.poll(event, Poll.POLLIN, timeout);
        int count = poll(handler, limit);
        if (count == 0 && (ready & Poll.POLLHUP) != 0) {
            throw new PeerGoneException("the process that was watched has ended", true);
        }
        return count;
    }

    @Override
    public long lost() {
        return lost;
    }

    /** Ends recording and unmaps the ring. Closing twice is harmless. */
    @Override
    public void close() {
        if (event.isOpen()) {
            event.close();
            arena.close();
        }
    }
}
