package dev.outboard.nvme.load;

import java.util.Locale;

/** What a load does, under the names that fio uses. */
public enum Operation {
    /** Random reads. */
    RANDREAD(true, 100),
    /** Random writes. */
    RANDWRITE(true, 0),
    /** Sequential reads. */
    READ(false, 100),
    /** Sequential writes. */
    WRITE(false, 0),
    /** Random, 70 % reads and 30 % writes. */
    RANDRW(true, 70),
    /** Sequential, 70 % reads and 30 % writes. */
    RW(false, 70);

    private final boolean random;
    private final int readPercent;

    Operation(boolean random, int readPercent) {
        this.random = random;
        this.readPercent = readPercent;
    }

    /**
     * In which order it goes.
     *
     * @return whether blocks are picked at random
     */
    public boolean isRandom() {
        return random;
    }

    /**
     * How much of it reads.
     *
     * @return 0 to 100
     */
    public int readPercent() {
        return readPercent;
    }

    /**
     * Whether it changes what is stored.
     *
     * @return whether some of it writes
     */
    public boolean writes() {
        return readPercent < 100;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
