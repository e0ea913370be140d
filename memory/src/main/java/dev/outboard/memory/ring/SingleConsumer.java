package dev.outboard.memory.ring;

import static dev.outboard.memory.ring.RingLayout.DATA;
import static dev.outboard.memory.ring.RingLayout.HEAD;
import static dev.outboard.memory.ring.RingLayout.HEADER_BYTES;
import static dev.outboard.memory.ring.RingLayout.LENGTH_AND_TYPE;
import static dev.outboard.memory.ring.RingLayout.PADDING;
import static dev.outboard.memory.ring.RingLayout.SPACE_BELL;
import static dev.outboard.memory.ring.RingLayout.aligned;
import static dev.outboard.memory.ring.RingLayout.stamp;

import dev.outboard.linux.LinuxException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * The consumer of a ring with one: reads records where they are. It polls the header of the next record, not a position
 * of the producer's, so a short record costs one cache line from core to core.
 */
final class SingleConsumer extends RingConsumer {
    private static final int SHARE_WORTH_WAKING_FOR = 8;

    private final MemorySegment readOnly;
    private final Bell space;
    private long position;
    /** Up to where a producer that waits for room has been told. */
    private long told;

    SingleConsumer(RingWords words, RingLayout.Shape shape) throws RingException {
        super(words, shape);
        readOnly = memory.asReadOnly();
        space = new Bell(words, SPACE_BELL);
        position = words.getAcquire(HEAD);
        if (position < 0 || position != aligned(position)) {
            throw new RingException("the ring's consumer position is 0x" + Long.toHexString(position)
                    + ", no multiple of 16: create the ring anew");
        }
        told = position;
    }

    @Override
    int read(RecordHandler handler, int limit) throws IOException {
        long start = position;
        long next = start;
        int count = 0;
        boolean drained = false;
        try {
            while (count < limit) {
                long index = next & (capacity - 1);
                long header = DATA + index;
                if (words.getAcquire(header) != stamp(next)) {
                    drained = true;
                    break;
                }
                // Read once: the producer may change it while we look.
                long lengthAndType = words.getOpaque(header + LENGTH_AND_TYPE);
                int length = (int) lengthAndType;
                int type = (int) (lengthAndType >>> Integer.SIZE);
                long room = capacity - index - HEADER_BYTES;
                if (type == PADDING) {
                    // Only up to the end, and never a whole round: it would have no end.
                    if (index == 0 || length != room) {
                        throw lie(next, type, length);
                    }
                    next += capacity - index;
                    continue;
                }
                if (length < 0 || length > maximumLength || length > room) {
                    throw lie(next, type, length);
                }
                next += aligned(HEADER_BYTES + (long) length);
                count++;
                handler.record(type, readOnly, header + HEADER_BYTES, length);
            }
        } finally {
            if (next != start) {
                position = next;
                words.setRelease(HEAD, next);
            }
            // Who stopped at his limit comes back soon, so the bell's fence can wait until there is nothing to read, or
            // until there is room worth waking for.
            if (next - told > capacity / SHARE_WORTH_WAKING_FOR || (drained && next != told)) {
                told = next;
                space.ringIfAwaited();
            }
        }
        return count;
    }

    @Override
    boolean isReady() {
        return words.getAcquire(DATA + (position & (capacity - 1))) == stamp(position);
    }

    @Override
    public long lost() {
        return 0;
    }

    @Override
    void released() {
        super.released();
        try {
            space.ringIfAwaited();
        } catch (LinuxException notWoken) {
            // The producer notices within its slice of sleep.
        }
    }
}
