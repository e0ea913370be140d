package dev.outboard.emulation.interpose;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** The regions of registers that a PCI function can have. The base address registers come first, by their number. */
public enum Region {
    /** Base address register 0. */
    BAR0,
    /** Base address register 1. */
    BAR1,
    /** Base address register 2. */
    BAR2,
    /** Base address register 3. */
    BAR3,
    /** Base address register 4. */
    BAR4,
    /** Base address register 5. */
    BAR5,
    /** Configuration space. */
    CONFIG;

    /**
     * The region behind a base address register.
     *
     * @param index 0 to 5
     * @return the region
     */
    public static Region bar(int index) {
        return List.of(BAR0, BAR1, BAR2, BAR3, BAR4, BAR5).get(index);
    }

    /**
     * A region by its name in files and messages.
     *
     * @param name for example {@code bar0} or {@code config}
     * @return the region, if there is one
     */
    public static Optional<Region> find(String name) {
        return Stream.of(values())
                .filter(region -> region.toString().equals(name))
                .findFirst();
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
