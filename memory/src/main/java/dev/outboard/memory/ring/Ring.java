package dev.outboard.memory.ring;

import dev.outboard.linux.DevicePages;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A ring of records of various lengths in memory that processes share. The layout is that of {@code docs/rings.md}, so
 * the other side may be a program in another language; {@code clients/python/outboard_ring.py} is one.
 *
 * <pre>{@code
 * try (var file = Fd.memfd("records", 0);
 *         var ring = Ring.create(file, Ring.Kind.SINGLE_CONSUMER, 1 << 16);
 *         var producer = ring.producer()) {
 *     producer.offer(7, bytes, Duration.ofSeconds(1));     // the other side: Ring.attach(file).consumer()
 * }
 * }</pre>
 *
 * <p>A ring has one producer, and one consumer or many, in any processes of one PID namespace. The other side is not
 * trusted: what it writes is checked before it is used. Close what a ring gave before the ring; what is closed must not
 * be in use by another thread.
 */
public final class Ring implements AutoCloseable {
    /** Who reads a ring. */
    public enum Kind {
        /** One consumer, which the producer waits for when the ring is full: nothing is lost. */
        SINGLE_CONSUMER(RingLayout.SINGLE_CONSUMER),
        /** Any number of consumers, which the producer does not wait for: who is too slow counts what he lost. */
        BROADCAST(RingLayout.BROADCAST);

        private final int number;

        Kind(int number) {
            this.number = number;
        }
    }

    private final MemorySegment memory;
    private final RingWords words;
    /** The mapping of a ring in a file. */
    private final @Nullable DevicePages pages;

    private final RingLayout.Shape shape;

    private Ring(MemorySegment memory, @Nullable DevicePages pages) throws RingException {
        this.pages = pages;
        shape = RingLayout.validate(memory);
        this.memory = memory.asSlice(0, RingLayout.DATA + shape.capacity());
        words = new RingWords(this.memory);
    }

    /**
     * Creates a ring in a file: a memfd, a file of /dev/shm, or any other. The file is made as long as it must be, and
     * what it held is gone.
     *
     * @param file the file, open for reading and writing; it may be closed afterwards
     * @param kind who reads
     * @param capacityBytes the bytes of data, headers included: a power of two of at least 1024
     * @return the ring
     * @throws LinuxException if the file cannot be sized or mapped
     * @throws RingException if there is a ring in it that somebody uses
     */
    public static Ring create(Fd file, Kind kind, long capacityBytes) throws IOException {
        RingLayout.checkCapacity(capacityBytes);
        if (file.regularFileBytes() < RingLayout.DATA + capacityBytes) {
            file.truncate(RingLayout.DATA + capacityBytes);
        }
        DevicePages pages = DevicePages.map(file, 0, RingLayout.DATA + capacityBytes, true);
        try {
            refuseIfUsed(pages.segment());
            RingLayout.initialise(pages.segment(), kind.number, capacityBytes);
            return new Ring(pages.segment(), pages);
        } catch (IOException | RuntimeException e) {
            pages.close();
            throw e;
        }
    }

    /**
     * Creates a ring in memory that is mapped already. What it held is gone.
     *
     * @param memory the memory, which must outlive the ring; the ring's data takes the largest power of two that fits
     *     behind its header of 1024 bytes
     * @param kind who reads
     * @return the ring; closing it leaves the memory mapped
     * @throws RingException if there is a ring in it that somebody uses
     */
    public static Ring create(MemorySegment memory, Kind kind) throws RingException {
        RingLayout.checkMemory(memory);
        long capacity = Long.highestOneBit(Math.max(0, memory.byteSize() - RingLayout.DATA));
        RingLayout.checkCapacity(Math.min(capacity, RingLayout.MAXIMUM_CAPACITY));
        refuseIfUsed(memory);
        RingLayout.initialise(memory, kind.number, Math.min(capacity, RingLayout.MAXIMUM_CAPACITY));
        return new Ring(memory, null);
    }

    /**
     * Uses a ring that another process has created in a file.
     *
     * @param file the file, open for reading and writing; it may be closed afterwards
     * @return the ring
     * @throws LinuxException if the file cannot be mapped
     * @throws RingException if there is no ring in it that this release understands
     */
    public static Ring attach(Fd file) throws IOException {
        long length = file.regularFileBytes();
        if (length < RingLayout.DATA + RingLayout.MINIMUM_CAPACITY) {
            throw new RingException(file.name() + " holds no ring: it has " + length + " bytes");
        }
        DevicePages pages = DevicePages.map(file, 0, length, true);
        try {
            return new Ring(pages.segment(), pages);
        } catch (IOException | RuntimeException e) {
            pages.close();
            throw e;
        }
    }

    /**
     * Uses a ring that is in memory that is mapped already.
     *
     * @param memory the memory, which must outlive the ring
     * @return the ring; closing it leaves the memory mapped
     * @throws RingException if there is no ring in it that this release understands
     */
    public static Ring attach(MemorySegment memory) throws RingException {
        RingLayout.checkMemory(memory);
        return new Ring(memory, null);
    }

    private static void refuseIfUsed(MemorySegment memory) throws RingException {
        if ((long) RingLayout.LONG.getVolatile(memory, RingLayout.MAGIC) != RingLayout.MAGIC_VALUE) {
            return;
        }
        for (long role : new long[] {RingLayout.PRODUCER, RingLayout.CONSUMER}) {
            long owner = (long) RingLayout.LONG.getVolatile(memory, role);
            if (Owner.isAlive(owner)) {
                throw new RingException(
                        "there is a ring already, and process " + (int) owner + " uses it: attach to it");
            }
        }
    }

    /**
     * Takes the producer's role. After a producer that died, the new one goes on where that one stopped.
     *
     * @return the producer
     * @throws RingException if the ring has a living producer, or its positions are wrong
     */
    public RingProducer producer() throws RingException {
        Owner.take(memory, RingLayout.PRODUCER, "producer");
        try {
            return new RingProducer(words, shape);
        } catch (RingException | RuntimeException e) {
            Owner.release(memory, RingLayout.PRODUCER);
            throw e;
        }
    }

    /**
     * Opens a consumer. A single one takes the consumer's role and starts with the first record that no consumer has
     * read; one of a broadcast ring starts with the next record that is written.
     *
     * @return the consumer
     * @throws RingException if the ring is for a single consumer and has a living one, or its positions are wrong
     */
    public RingConsumer consumer() throws RingException {
        if (kind() == Kind.BROADCAST) {
            return new BroadcastConsumer(words, shape);
        }
        Owner.take(memory, RingLayout.CONSUMER, "consumer");
        try {
            return new SingleConsumer(words, shape);
        } catch (RingException | RuntimeException e) {
            Owner.release(memory, RingLayout.CONSUMER);
            throw e;
        }
    }

    /**
     * Who reads this ring.
     *
     * @return its kind
     */
    public Kind kind() {
        return shape.kind() == RingLayout.BROADCAST ? Kind.BROADCAST : Kind.SINGLE_CONSUMER;
    }

    /**
     * The size of the ring's data.
     *
     * @return bytes, headers of records included
     */
    public long capacityBytes() {
        return shape.capacity();
    }

    /**
     * The longest record.
     *
     * @return bytes: half of the capacity, an eighth of a broadcast ring's, less the header
     */
    public int maximumLength() {
        return shape.maximumLength();
    }

    /** Unmaps the ring, if it was created or attached in a file. Closing twice is harmless. */
    @Override
    public void close() {
        words.close();
        if (pages != null) {
            pages.close();
        }
    }

    @Override
    public String toString() {
        return kind() + " ring of " + shape.capacity() + " bytes";
    }
}
