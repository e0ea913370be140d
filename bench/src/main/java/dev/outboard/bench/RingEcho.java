package dev.outboard.bench;

import dev.outboard.linux.Affinity;
import dev.outboard.linux.Fd;
import dev.outboard.memory.ring.PeerGoneException;
import dev.outboard.memory.ring.RecordHandler;
import dev.outboard.memory.ring.Ring;
import dev.outboard.memory.ring.RingConsumer;
import dev.outboard.memory.ring.RingProducer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;

/** The other process of {@code ring}: answers the records that ask for it, swallows the others. */
final class RingEcho implements RecordHandler {
    static final int ANSWER = 1;
    static final int SWALLOW = 2;
    static final Duration TIMEOUT = Duration.ofSeconds(60);

    private static final int BATCH = 64;

    private final RingProducer back;

    private RingEcho(RingProducer back) {
        this.back = back;
    }

    @Override
    public void record(int type, MemorySegment memory, long offset, int length) {
        if (type == ANSWER) {
            try {
                send(back, ANSWER, memory.get(ValueLayout.JAVA_LONG, offset));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    static void send(RingProducer producer, int type, long value) throws IOException {
        long at = producer.claim(Long.BYTES, TIMEOUT);
        if (at == RingProducer.FULL) {
            throw new IOException("the other process does not read its ring");
        }
        producer.memory().set(ValueLayout.JAVA_LONG, at, value);
        producer.commit(type);
    }

    /** Arguments: the ring to read, the ring to answer in. */
    public static void main(String[] arguments) throws IOException {
        Affinity.pin(Settings.DEVICE_CPU);
        try (Fd in = Fd.open(arguments[0], Fd.O_RDWR);
                Fd out = Fd.open(arguments[1], Fd.O_RDWR);
                Ring there = Ring.attach(in);
                Ring back = Ring.attach(out);
                RingConsumer consumer = there.consumer();
                RingProducer producer = back.producer()) {
            RingEcho echo = new RingEcho(producer);
            while (consumer.await(echo, BATCH, TIMEOUT) != 0) {}
        } catch (PeerGoneException finished) {
            // It has closed its rings.
        }
    }
}
