package dev.outboard.memory;

import java.util.ArrayList;
import java.util.List;

/**
 * Exclusive ownership of a device or an address range, until it is closed or this process ends, however it ends: the
 * kernel releases it. Any thread may close it.
 */
public final class Claim implements AutoCloseable {
    private final ClaimRecord record;
    private final List<ClaimHold> holds;

    Claim(ClaimRecord record, List<ClaimHold> holds) {
        this.record = record;
        this.holds = List.copyOf(holds);
    }

    /**
     * What is claimed.
     *
     * @return the device or the range
     */
    public ClaimTarget target() {
        return record.target();
    }

    /**
     * What others are told.
     *
     * @return this process, and since when
     */
    public ClaimOwner owner() {
        return record.owner();
    }

    /**
     * This claim and another one as one, with the target of this: what closes it closes both.
     *
     * @param other the other claim, of this process too
     * @return the two
     */
    public Claim with(Claim other) {
        List<ClaimHold> both = new ArrayList<>(holds);
        both.addAll(other.holds);
        return new Claim(record, both);
    }

    /** Gives it up. Closing twice is harmless. */
    @Override
    public void close() {
        holds.reversed().forEach(ClaimHold::close);
    }

    @Override
    public String toString() {
        return record.toString();
    }
}
