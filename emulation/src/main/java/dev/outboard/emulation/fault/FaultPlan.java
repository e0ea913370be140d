package dev.outboard.emulation.fault;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The rules of a file, which {@code docs/faults.md} describes.
 *
 * @param seed what chance is made of
 * @param rules the rules, in order
 */
public record FaultPlan(long seed, List<FaultRule> rules) {
    /** The first line of a file. */
    static final String HEADER = "outboard-faults 1";

    private static final long MOST_BYTES = 1 << 20;

    /** Copies the list. */
    public FaultPlan {
        rules = List.copyOf(rules);
    }

    /**
     * Reads a file.
     *
     * @param file the file
     * @return its rules
     * @throws FaultSyntaxException if they cannot be understood
     * @throws IOException if it cannot be read
     */
    public static FaultPlan read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " is no file; it should hold fault rules, and begin with \"" + HEADER + "\"");
        }
        if (Files.size(file) > MOST_BYTES) {
            throw new IOException(file + " has more than " + MOST_BYTES + " bytes: that are no fault rules");
        }
        try {
            return parse(file.toString(), Files.readString(file));
        } catch (MalformedInputException e) {
            throw new IOException(file + " is no text in UTF-8: that are no fault rules", e);
        }
    }

    /**
     * Reads rules.
     *
     * @param name what to call the text in messages
     * @param text the text of a file
     * @return its rules
     * @throws FaultSyntaxException if they cannot be understood
     */
    public static FaultPlan parse(String name, String text) throws FaultSyntaxException {
        return new FaultParser(name).parse(text);
    }

    /** The text of a file with these rules. */
    @Override
    public String toString() {
        return rules.stream()
                .map(FaultRule::toString)
                .collect(Collectors.joining("\n", HEADER + "\nseed " + seed + "\n", "\n"));
    }
}
