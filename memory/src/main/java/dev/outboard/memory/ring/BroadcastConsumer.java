package dev.outboard.memory.ring;

import static dev.outboard.memory.ring.RingLayout.BROADCAST_HEADER_BYTES;
import static dev.outboard.memory.ring.RingLayout.DATA;
import static dev.outboard.memory.ring.RingLayout.HEADER_BYTES;
import static dev.outboard.memory.ring.RingLayout.LATEST;
import static dev.outboard.memory.ring.RingLayout.LENGTH_AND_TYPE;
import static dev.outboard.memory.ring.RingLayout.LONG;
import static dev.outboard.memory.ring.RingLayout.NO_RECORD;
import static dev.outboard.memory.ring.RingLayout.PADDING;
import static dev.outboard.memory.ring.RingLayout.RESERVED;
import static dev.outboard.memory.ring.RingLayout.SEQUENCE;
import static dev.outboard.memory.ring.RingLayout.aligned;
import static dev.outboard.memory.ring.RingLayout.stamp;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * A consumer of a broadcast ring. The producer does not wait, so a record is copied first, then the producer's position
 * is read again; only if the record cannot have been overwritten meanwhile is it handed on (a sequence lock). Between
 * the two reads stands an acquire fence, and the producer announces what it is going to overwrite, a store fence, and
 * only then writes: who has copied a new byte sees the announcement.
 */
final class BroadcastConsumer extends RingConsumer {
    private static final int MOST_JUMPS = 64;
    private static final long TORN = -1;

    // Not of an arena that closes: a handler may hold it by mistake, which must not end the program.
    private final MemorySegment copy;
    private final MemorySegment readOnlyCopy;
    private long position;
    private long expectedSequence;
    private long lost;

    BroadcastConsumer(RingWords words, RingLayout.Shape shape) throws RingException {
        super(words, shape);
        copy = Arena.ofAuto().allocate(Math.max(Long.BYTES, maximumLength), Long.BYTES);
        readOnlyCopy = copy.asReadOnly();
        for (int tries = 0; !join(); tries++) {
            if (tries == Integer.MAX_VALUE) {
                throw new RingException("the producer overwrites the ring faster than one record can be read");
            }
        }
    }

    /** Goes behind the latest record; false if the producer has overwritten it meanwhile. */
    private boolean join() throws RingException {
        long latest = (long) LONG.getAcquire(memory, LATEST);
        if (latest == NO_RECORD) {
            expectedSequence = 1;
            return true;
        }
        position = checkedLatest(latest);
        long at = DATA + (latest & (capacity - 1));
        int length = (int) (long) LONG.getOpaque(memory, at + LENGTH_AND_TYPE);
        long sequence = room(latest) < BROADCAST_HEADER_BYTES ? 0 : (long) LONG.getOpaque(memory, at + SEQUENCE);
        if (isLapped(latest)) {
            return false;
        }
        if (length < 0 || length > maximumLength || length > room(latest) - BROADCAST_HEADER_BYTES || sequence < 1) {
            throw lie(latest, 0, length);
        }
        position = latest + aligned(BROADCAST_HEADER_BYTES + (long) length);
        expectedSequence = sequence + 1;
        return true;
    }

    private long room(long at) {
        return capacity - (at & (capacity - 1));
    }

    private long checkedLatest(long latest) throws RingException {
        if (latest < position || latest != aligned(latest)) {
            throw new RingException("the producer says that its latest record is at position 0x"
                    + Long.toHexString(latest) + "; it is at a multiple of 16, and not before 0x"
                    + Long.toHexString(position));
        }
        return latest;
    }

    /** Whether what was read at a position before this call may have been overwritten before it was read. */
    private boolean isLapped(long at) throws RingException {
        VarHandle.acquireFence();
        long reserved = (long) LONG.getOpaque(memory, RESERVED);
        if (reserved < 0) {
            throw new RingException("the producer's position is 0x" + Long.toHexString(reserved));
        }
        return reserved - at > capacity;
    }

    @Override
    int read(RecordHandler handler, int limit) throws IOException {
        int count = 0;
        // A producer that laps us again and again must not keep us here.
        for (int jumps = 0; count < limit && jumps < MOST_JUMPS; ) {
            long at = DATA + (position & (capacity - 1));
            if ((long) LONG.getAcquire(memory, at) != stamp(position)) {
                if (!isLapped(position)) {
                    break;
                }
                jumps++;
                position = checkedLatest((long) LONG.getAcquire(memory, LATEST));
                continue;
            }
            long lengthAndType = (long) LONG.getOpaque(memory, at + LENGTH_AND_TYPE);
            int length = (int) lengthAndType;
            int type = (int) (lengthAndType >>> Integer.SIZE);
            long sequence = copyRecord(at, type, length);
            if (isLapped(position)) {
                jumps++;
                position = checkedLatest((long) LONG.getAcquire(memory, LATEST));
                continue;
            }
            if (sequence == TORN) {
                throw lie(position, type, length);
            }
            if (type == PADDING) {
                jumps++;
                position += room(position);
                continue;
            }
            if (sequence < expectedSequence) {
                throw new RingException(
                        "the producer numbers a record " + sequence + " after " + (expectedSequence - 1));
            }
            lost += sequence - expectedSequence;
            expectedSequence = sequence + 1;
            position += aligned(BROADCAST_HEADER_BYTES + (long) length);
            count++;
            handler.record(type, readOnlyCopy, 0, length);
        }
        return count;
    }

    /** Copies a record if there can be one, and returns its sequence number; whether it was one shows afterwards. */
    private long copyRecord(long at, int type, int length) {
        long room = room(position);
        if (type == PADDING) {
            return length == room - HEADER_BYTES && room != capacity ? 0 : TORN;
        }
        if (length < 0 || length > maximumLength || length > room - BROADCAST_HEADER_BYTES) {
            return TORN;
        }
        MemorySegment.copy(memory, at + BROADCAST_HEADER_BYTES, copy, 0, length);
        return Math.max(TORN, (long) LONG.getOpaque(memory, at + SEQUENCE));
    }

    @Override
    boolean isReady() throws RingException {
        return (long) LONG.getAcquire(memory, DATA + (position & (capacity - 1))) == stamp(position)
                || isLapped(position);
    }

    @Override
    public long lost() {
        return lost;
    }

    @Override
    void released() {
        // Consumers of a broadcast ring have no role to give back.
    }
}
