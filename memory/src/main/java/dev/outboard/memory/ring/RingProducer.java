package dev.outboard.memory.ring;

import static dev.outboard.memory.ring.RingLayout.*;

import dev.outboard.linux.EventFd;
import dev.outboard.linux.LinuxException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The producer of a {@link Ring}. A record is claimed, written where it will be read, and committed; or offered, which
 * copies it. One thread at a time uses a producer. Nothing is allocated, and there is no system call unless the other
 * side sleeps or the ring is full.
 */
public final class RingProducer implements AutoCloseable {
    /** What {@link #tryClaim} returns when the ring is full. */
    public static final long FULL = -1;

    private static final long NO_CLAIM = -1;

    private final RingWords words;
    private final MemorySegment memory;
    private final boolean broadcast;
    private final long capacity;
    private final int headerBytes;
    private final int maximumLength;
    private final Bell data;
    private final Bell space;
    private final Waiting waiting = new Waiting();
    private long tail;
    private long head;
    private long sequence;
    private long claimed = NO_CLAIM;
    private boolean closed;

    RingProducer(RingWords words, RingLayout.Shape shape) throws RingException {
        this.words = words;
        memory = words.memory();
        broadcast = shape.kind() == BROADCAST;
        capacity = shape.capacity();
        headerBytes = headerBytes(shape.kind());
        maximumLength = shape.maximumLength();
        data = new Bell(words, DATA_BELL);
        space = new Bell(words, SPACE_BELL);
        resume();
    }

    /** Goes on where the producer before this one stopped: between two stores, if it was killed. */
    private void resume() throws RingException {
        tail = words.getAcquire(TAIL);
        long latest = words.getAcquire(LATEST);
        if (tail < 0 || tail != aligned(tail)) {
            throw new RingException("the ring's producer position is 0x" + Long.toHexString(tail)
                    + ", no multiple of 16: create the ring anew");
        }
        if (broadcast && latest != NO_RECORD) {
            long at = DATA + (latest & (capacity - 1));
            if (latest < 0 || latest != aligned(latest) || capacity - (latest & (capacity - 1)) < headerBytes) {
                throw new RingException("the ring's latest record is at 0x" + Long.toHexString(latest)
                        + ", where none can be: create the ring anew");
            }
            sequence = words.get(at + SEQUENCE);
        }
        if (!broadcast) {
            readHead();
        }
        long start = tail;
        while (words.getAcquire(DATA + (tail & (capacity - 1))) == stamp(tail)) {
            long at = DATA + (tail & (capacity - 1));
            long room = capacity - (tail & (capacity - 1));
            long lengthAndType = words.get(at + LENGTH_AND_TYPE);
            boolean padding = (int) (lengthAndType >>> Integer.SIZE) == PADDING;
            long bytes = padding ? room : aligned(headerBytes + Integer.toUnsignedLong((int) lengthAndType));
            if (bytes > room || tail + bytes - start > capacity) {
                throw new RingException("the record at position " + tail + " cannot be: create the ring anew");
            }
            if (broadcast && !padding) {
                sequence = words.get(at + SEQUENCE);
                words.setRelease(LATEST, tail);
            }
            tail += bytes;
        }
        words.setRelease(TAIL, tail);
    }

    /**
     * Sets for how long {@link #claim} spins before it sleeps.
     *
     * @param duration the time; 20 µs unless told
     */
    public void spinFor(Duration duration) {
        waiting.spin(duration);
    }

    /**
     * Tells which eventfd to signal for a consumer that has {@linkplain RingConsumer#arm armed} it.
     *
     * @param event the eventfd, still owned by the caller; null for none
     */
    public void signal(@Nullable EventFd event) {
        data.event(event);
    }

    /**
     * The memory in which records are written.
     *
     * @return the ring's memory; only what is claimed in it may be written
     */
    public MemorySegment memory() {
        return memory;
    }

    /**
     * The longest record.
     *
     * @return bytes
     */
    public int maximumLength() {
        return maximumLength;
    }

    /**
     * Claims room for a record, if there is some. The record must be {@linkplain #commit committed} or
     * {@linkplain #abort aborted} before the next one is claimed.
     *
     * @param length the record's length, in bytes
     * @return where to write it in {@link #memory}, a multiple of 8; {@link #FULL} if there is no room, which a broadcast
     *     ring always has
     * @throws RingException if the consumer's position cannot be
     */
    public long tryClaim(int length) throws RingException {
        words.checkOpen();
        if (claimed != NO_CLAIM || closed) {
            throw new IllegalStateException(
                    closed ? "this producer is closed" : "a record is claimed: commit or abort it first");
        }
        if (length < 0 || length > maximumLength) {
            throw new IllegalArgumentException(
                    "a record of " + length + " bytes: this ring takes 0 to " + maximumLength);
        }
        long bytes = aligned(headerBytes + (long) length);
        long room = capacity - (tail & (capacity - 1));
        long padding = bytes > room ? room : 0;
        long end = tail + padding + bytes;
        if (broadcast) {
            // Before anything is overwritten; with the header behind the record, which commit may have to clear.
            words.setOpaque(RESERVED, end + ALIGNMENT);
            VarHandle.storeStoreFence();
        } else if (end - head > capacity) {
            readHead();
            if (end - head > capacity) {
                return FULL;
            }
        }
        if (padding != 0) {
            publish(tail, room - HEADER_BYTES, PADDING, tail + padding);
            tail += padding;
        }
        claimed = length;
        return DATA + (tail & (capacity - 1)) + headerBytes;
    }

    /**
     * Claims room for a record; waits until there is some, spinning first and sleeping then.
     *
     * @param length the record's length, in bytes
     * @param timeout how long to wait at most
     * @return as {@link #tryClaim}; {@link #FULL} if there was no room in time
     * @throws IOException a {@link PeerGoneException} if the consumer has closed the ring or died, a
     *     {@link RingException} if its position cannot be, a {@link LinuxException} if the kernel does not let us sleep
     */
    public long claim(int length, Duration timeout) throws IOException {
        long at = tryClaim(length);
        if (at != FULL) {
            return at;
        }
        waiting.begin(timeout);
        do {
            for (int i = 0; i < Waiting.LOOKS_BETWEEN_CLOCKS; i++) {
                at = tryClaim(length);
                if (at != FULL) {
                    return at;
                }
            }
        } while (waiting.spins());
        return sleep(length);
    }

    private long sleep(int length) throws IOException {
        while (true) {
            int counter = space.raise(Bell.SLEEPS);
            long at = tryClaim(length);
            if (at != FULL || waiting.isOver()) {
                return at;
            }
            Owner.checkPresent(memory, CONSUMER, "consumer");
            waiting.sleep(space, counter);
        }
    }

    private void readHead() throws RingException {
        long read = words.getAcquire(HEAD);
        if (read < head || read > tail || tail - read > capacity || read != aligned(read)) {
            throw new RingException("the consumer says that it has read up to position " + read + "; it was at " + head
                    + ", and " + tail + " is written");
        }
        head = read;
    }

    /**
     * Publishes the claimed record, and wakes the consumer if it sleeps.
     *
     * @param type the record's type; 0xffffffff is not free
     * @throws LinuxException if a sleeping consumer could not be woken; the record is published
     */
    public void commit(int type) throws LinuxException {
        commitQuietly(type, (int) claimed);
        data.ringIfAwaited();
    }

    /**
     * Publishes the claimed record, shorter than it was claimed, and wakes the consumer if it sleeps.
     *
     * @param type the record's type; 0xffffffff is not free
     * @param length the record's length, in bytes, at most what was claimed
     * @throws LinuxException if a sleeping consumer could not be woken; the record is published
     */
    public void commit(int type, int length) throws LinuxException {
        commitQuietly(type, length);
        data.ringIfAwaited();
    }

    /**
     * Publishes the claimed record, one of many: a consumer that spins sees it, one that sleeps must be woken by
     * {@link #wake} after the last. Saves a fence for each record.
     *
     * @param type the record's type; 0xffffffff is not free
     * @param length the record's length, in bytes, at most what was claimed
     */
    public void commitQuietly(int type, int length) {
        words.checkOpen();
        if (claimed == NO_CLAIM) {
            throw new IllegalStateException("no record is claimed");
        }
        if (length < 0 || length > claimed) {
            throw new IllegalArgumentException("a record of " + length + " bytes: " + claimed + " were claimed");
        }
        if (type == PADDING) {
            throw new IllegalArgumentException("type 0xffffffff is for padding");
        }
        claimed = NO_CLAIM;
        long end = tail + aligned(headerBytes + (long) length);
        if (broadcast) {
            words.set(DATA + (tail & (capacity - 1)) + SEQUENCE, ++sequence);
        }
        publish(tail, length, type, end);
        if (broadcast) {
            words.setRelease(LATEST, tail);
        }
        tail = end;
        words.setRelease(TAIL, end);
    }

    /**
     * Wakes the consumer if it sleeps: after records that were {@linkplain #commitQuietly committed quietly}.
     *
     * @throws LinuxException if it could not be woken
     */
    public void wake() throws LinuxException {
        data.ringIfAwaited();
    }

    /** Gives up the claimed record: nothing of it is read. */
    public void abort() {
        claimed = NO_CLAIM;
    }

    /** Makes a header visible, which makes its record visible. */
    private void publish(long position, long length, int type, long end) {
        long at = DATA + (position & (capacity - 1));
        words.set(at + LENGTH_AND_TYPE, (long) type << Integer.SIZE | length);
        // Where the next header will be lies what was there a round ago. If its bytes happen to be, or were made to be,
        // the next header's stamp, the consumer would go on there.
        long next = DATA + (end & (capacity - 1));
        if (words.get(next) == stamp(end)) {
            words.set(next, 0L);
        }
        words.setRelease(at, stamp(position));
    }

    /**
     * Copies a record into the ring, and wakes the consumer if it sleeps.
     *
     * @param type the record's type; 0xffffffff is not free
     * @param record the record
     * @param timeout how long to wait for room
     * @return false if there was no room in time
     * @throws IOException as {@link #claim} and {@link #commit}
     */
    public boolean offer(int type, MemorySegment record, Duration timeout) throws IOException {
        Objects.requireNonNull(record);
        if (type == PADDING) {
            throw new IllegalArgumentException("type 0xffffffff is for padding");
        }
        long at = claim((int) Math.min(Integer.MAX_VALUE, record.byteSize()), timeout);
        if (at == FULL) {
            return false;
        }
        MemorySegment.copy(record, 0, memory, at, record.byteSize());
        commit(type);
        return true;
    }

    /** Gives the role back: consumers read what is left, and are then told. Closing twice is harmless. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        claimed = NO_CLAIM;
        Owner.release(memory, PRODUCER);
        try {
            data.ringIfAwaited();
        } catch (LinuxException notWoken) {
            // The consumer notices within its slice of sleep.
        }
    }
}
