package dev.outboard.cli.reg;

import dev.outboard.emulation.interpose.RegisterNames;
import dev.outboard.memory.RegisterMap;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which definitions the registers have. */
final class NamesOption {
    @Option(
            names = "--names",
            paramLabel = "NAMES",
            description = "What the registers are called: " + RegisterNames.CHOICES + ". The last is a CMSIS-SVD file.")
    private @Nullable String names;

    @Option(
            names = "--base",
            paramLabel = "OFFSET",
            defaultValue = "0",
            description = "Where the named registers start in the region; unless told ${DEFAULT-VALUE}.")
    private String base = "0";

    /** The definitions, or null. */
    @Nullable
    RegisterMap map() throws IOException {
        if (names == null) {
            return null;
        }
        RegisterMap map = RegisterNames.find(names);
        try {
            return map.shiftedBy(RegisterNumber.parse(base));
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("--base " + base + " is beyond every region", e);
        }
    }
}
