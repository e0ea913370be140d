package dev.outboard.memory.ring;

import static dev.outboard.memory.ring.RingLayout.CONSUMER;
import static dev.outboard.memory.ring.RingLayout.DATA_BELL;
import static dev.outboard.memory.ring.RingLayout.PRODUCER;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Objects;

/** A consumer of a {@link Ring}. */
public abstract sealed class RingConsumer implements RecordReader permits SingleConsumer, BroadcastConsumer {
    final RingWords words;
    final MemorySegment memory;
    final long capacity;
    final int maximumLength;
    private final Bell data;
    private final Waiting waiting = new Waiting();
    private boolean closed;

    RingConsumer(RingWords words, RingLayout.Shape shape) {
        this.words = words;
        memory = words.memory();
        capacity = shape.capacity();
        maximumLength = shape.maximumLength();
        data = new Bell(words, DATA_BELL);
    }

    /**
     * Sets for how long {@link #await} spins before it sleeps.
     *
     * @param duration the time; 20 µs unless told; 0 to sleep at once, as is best when more threads wait than there are
     *     processors
     */
    public void spinFor(Duration duration) {
        waiting.spin(duration);
    }

    /**
     * Asks the producer to signal the eventfd that it was {@linkplain RingProducer#signal told}, once, when there is a
     * record: for consumers that wait for other descriptors too.
     *
     * @return true if the consumer may now wait for the eventfd; false if there is a record already
     * @throws IOException as {@link #await}
     */
    public boolean arm() throws IOException {
        checkOpen();
        data.raise(Bell.ARMED);
        if (isReady()) {
            return false;
        }
        Owner.checkPresent(memory, PRODUCER, "producer");
        return !isReady();
    }

    @Override
    public int poll(RecordHandler handler, int limit) throws IOException {
        Objects.requireNonNull(handler);
        if (limit < 1) {
            throw new IllegalArgumentException("a limit of " + limit + " records: give at least 1");
        }
        checkOpen();
        return read(handler, limit);
    }

    @Override
    public int await(RecordHandler handler, int limit, Duration timeout) throws IOException {
        int count = poll(handler, limit);
        if (count != 0) {
            return count;
        }
        waiting.begin(timeout);
        do {
            // As tight as can be: a record that comes at the end of a turn of this loop waits for the next one.
            for (int i = 0; i < Waiting.LOOKS_BETWEEN_CLOCKS; i++) {
                if (isReady()) {
                    count = read(handler, limit);
                    if (count != 0) {
                        return count;
                    }
                }
            }
        } while (waiting.spins());
        return sleep(handler, limit);
    }

    // A method of its own, so that the one above stays small enough for the compiler to inline.
    private int sleep(RecordHandler handler, int limit) throws IOException {
        while (true) {
            int counter = data.raise(Bell.SLEEPS);
            int count = read(handler, limit);
            if (count != 0) {
                return count;
            }
            if (!isReady()) {
                if (waiting.isOver()) {
                    return 0;
                }
                checkProducer();
                waiting.sleep(data, counter);
            }
        }
    }

    private void checkProducer() throws IOException {
        try {
            Owner.checkPresent(memory, PRODUCER, "producer");
        } catch (PeerGoneException e) {
            // It may have written between our look and its end.
            if (!isReady()) {
                throw e;
            }
        }
    }

    /** Reads what is there. */
    abstract int read(RecordHandler handler, int limit) throws IOException;

    /** Whether {@link #read} would find something. */
    abstract boolean isReady() throws IOException;

    final void checkOpen() throws RingException {
        if (closed) {
            throw new RingException("this consumer is closed");
        }
        words.checkOpen();
    }

    /** A record that cannot be: the producer is broken, and nothing more can be read. */
    final RingException lie(long position, int type, int length) {
        return new RingException("the producer wrote a record that cannot be, at position " + position + ": type "
                + Integer.toUnsignedString(type) + ", length " + Integer.toUnsignedString(length) + " of at most "
                + maximumLength);
    }

    /** Gives the role back. Closing twice is harmless. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            released();
        }
    }

    void released() {
        Owner.release(memory, CONSUMER);
    }
}
