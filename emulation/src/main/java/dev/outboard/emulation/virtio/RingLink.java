package dev.outboard.emulation.virtio;

import dev.outboard.memory.ring.RecordHandler;
import dev.outboard.memory.ring.Ring;
import dev.outboard.memory.ring.RingConsumer;
import dev.outboard.memory.ring.RingException;
import dev.outboard.memory.ring.RingProducer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A link in memory of this process: both ends of a cable, for two threads, or an end from which what is sent comes back. */
public final class RingLink implements NetworkLink {
    private static final long CAPACITY_BYTES = 1 << 20;
    /** Where a ring's data begins. */
    private static final long RING_HEADER_BYTES = 1024;

    private static final int FRAME = 0;

    private final RingProducer sent;
    private final RingConsumer received;
    private final boolean loop;
    private final RecordHandler handler = this::take;
    private MemorySegment target = MemorySegment.NULL;
    private int taken;

    private RingLink(Ring sent, Ring received, boolean loop) throws RingException {
        this.sent = sent.producer();
        this.received = received.consumer();
        this.loop = loop;
    }

    private static Ring ring() throws RingException {
        // Unmapped once nothing refers to it: its two ends are closed by two threads.
        MemorySegment memory = Arena.ofAuto().allocate(RING_HEADER_BYTES + CAPACITY_BYTES, RING_HEADER_BYTES);
        return Ring.create(memory, Ring.Kind.SINGLE_CONSUMER);
    }

    /**
     * An end from which each frame comes back.
     *
     * @return the end
     */
    public static NetworkLink loopback() {
        try {
            Ring ring = ring();
            return new RingLink(ring, ring, true);
        } catch (RingException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Both ends of a cable.
     *
     * @return two ends
     */
    public static List<NetworkLink> cable() {
        try {
            Ring there = ring();
            Ring back = ring();
            return List.of(new RingLink(there, back, false), new RingLink(back, there, false));
        } catch (RingException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public boolean send(MemorySegment frame, long offset, int length) throws IOException {
        long at = sent.tryClaim(length);
        if (at == RingProducer.FULL) {
            return false;
        }
        MemorySegment.copy(frame, offset, sent.memory(), at, length);
        sent.commitQuietly(FRAME, length);
        return true;
    }

    @Override
    public int receive(MemorySegment buffer) throws IOException {
        target = buffer;
        taken = 0;
        while (received.poll(handler, 1) > 0 && taken == 0) {
            // That one was too long.
        }
        return taken;
    }

    private void take(int type, MemorySegment memory, long offset, int length) {
        if (length <= target.byteSize()) {
            MemorySegment.copy(memory, offset, target, 0, length);
            taken = length;
        }
    }

    @Override
    public boolean polls() {
        return !loop;
    }

    @Override
    public void close() {
        sent.close();
        received.close();
    }
}
