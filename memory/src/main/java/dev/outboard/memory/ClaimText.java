package dev.outboard.memory;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What is in the file of a claim: a line with the format's name and version, then one line each for {@code target},
 * {@code start} and {@code length} (of the range, decimal), {@code owner}, {@code pid}, {@code pid-start} (clock ticks) and
 * {@code since} (ISO 8601). UTF-8. Lines that are not known are left aside.
 *
 * @param target what is claimed
 * @param owner what the program calls itself
 * @param process its process
 * @param since since when
 */
record ClaimText(ClaimTarget target, String owner, ProcessIdentity process, Instant since) {
    /** The longest that is read: nobody needs more. */
    static final int LONGEST_BYTES = 8192;

    private static final String VERSION = "outboard-claim 1";
    private static final int LONGEST_OWNER = 200;

    /** What an owner may be called: one line, not too long. */
    static String printable(String owner) {
        String line = owner.replaceAll("\\p{Cntrl}+", " ").strip();
        return line.isEmpty() ? "unknown" : line.substring(0, Math.min(line.length(), LONGEST_OWNER));
    }

    /** What everybody is told, for whose file it is. */
    ClaimRecord by(String user) {
        return new ClaimRecord(target, new ClaimOwner(owner, process.pid(), user, since, process.hasEnded()));
    }

    String format() {
        return String.join(
                "\n",
                VERSION,
                "target " + target.name(),
                "start " + target.start(),
                "length " + target.lengthBytes(),
                "owner " + printable(owner),
                "pid " + process.pid(),
                "pid-start " + process.startTicks(),
                "since " + since,
                "");
    }

    /** Reads what another process wrote, who may be another user: empty if it is nonsense. */
    static Optional<ClaimText> parse(String text) {
        Map<String, String> values = new HashMap<>();
        String[] lines = text.split("\n", -1);
        if (!lines[0].equals(VERSION)) {
            return Optional.empty();
        }
        for (String line : lines) {
            int blank = line.indexOf(' ');
            if (blank > 0) {
                values.putIfAbsent(line.substring(0, blank), line.substring(blank + 1));
            }
        }
        try {
            return Optional.of(new ClaimText(
                    new ClaimTarget(
                            values.getOrDefault("target", ""), number(values, "start"), number(values, "length")),
                    printable(values.getOrDefault("owner", "")),
                    new ProcessIdentity(number(values, "pid"), number(values, "pid-start")),
                    Instant.parse(values.getOrDefault("since", ""))));
        } catch (IllegalArgumentException | DateTimeException nonsense) {
            return Optional.empty();
        }
    }

    private static long number(Map<String, String> values, String key) {
        return Long.parseLong(values.getOrDefault(key, ""));
    }
}
