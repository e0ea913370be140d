package dev.outboard.cli.reg;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which bits of a register are meant. */
final class MaskOption {
    @Option(names = "--mask", paramLabel = "MASK", description = "Show, or change, these bits alone.")
    private @Nullable String mask;

    boolean isGiven() {
        return mask != null;
    }

    /** The bits; all of them unless told. */
    long bits(int widthBits) {
        return mask == null ? RegisterNumber.ones(widthBits) : RegisterNumber.parse(mask, widthBits);
    }
}
