package dev.outboard.cli.reg;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How registers are accessed. */
final class AccessOptions {
    private static final long MAXIMUM_COUNT = 1 << 24;

    @Option(
            names = "--width",
            paramLabel = "BITS",
            description = "8, 16, 32 or 64 (ports: up to 32); unless told the named register's, else 32 (ports: 8).")
    private @Nullable Integer width;

    @Option(
            names = "--count",
            paramLabel = "N",
            description =
                    "How many, one after the other; unless told 1, for a dump to the end of the region (mem, port: 256 bytes).")
    private @Nullable Long count;

    @Option(
            names = "--force",
            description =
                    "Access registers too that reading changes, that cannot be read or written, or that a driver of the"
                            + " kernel uses.")
    private boolean force;

    @Nullable
    Integer width() {
        return width;
    }

    int widthOr(int usual) {
        return width == null ? usual : width;
    }

    @Nullable
    Long count() {
        if (count != null && (count < 1 || count > MAXIMUM_COUNT)) {
            throw new IllegalArgumentException("--count " + count + ": it is 1 to " + MAXIMUM_COUNT);
        }
        return count;
    }

    long countOrOne() {
        Long told = count();
        return told == null ? 1 : told;
    }

    boolean force() {
        return force;
    }
}
