package dev.outboard.samples.idio;

import dev.outboard.driver.GpioEdges;
import dev.outboard.driver.Interrupt;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The edges of a card's inputs: what they are at an interrupt, against what they were at the one before. */
final class IdioEdges implements GpioEdges {
    private final IdioCard card;
    private final Interrupt interrupt;
    private final long lines;
    private long levels;
    private long unreported;
    private long seenNanos;

    IdioEdges(IdioCard card, Interrupt interrupt, long lines, long levels) {
        this.card = card;
        this.interrupt = interrupt;
        this.lines = lines;
        this.levels = levels;
    }

    @Override
    public @Nullable Edge await(Duration timeout) throws IOException {
        long start = System.nanoTime();
        // An interrupt that nothing changed for must not extend the wait.
        for (long left = timeout.toNanos(); unreported == 0; left = timeout.toNanos() - (System.nanoTime() - start)) {
            if (left < 0 || interrupt.await(Duration.ofNanos(left)) == 0) {
                return null;
            }
            long now = card.inputsAfterInterrupt(lines);
            seenNanos = System.nanoTime();
            interrupt.rearm();
            unreported = now ^ levels;
            levels = now;
        }
        int line = Long.numberOfTrailingZeros(unreported);
        unreported &= unreported - 1;
        return new Edge(line, ((levels >> line) & 1) != 0, seenNanos);
    }

    /** Whoever waits gets an exception. */
    @Override
    public void close() {
        card.unwatch(this);
        interrupt.close();
    }
}
