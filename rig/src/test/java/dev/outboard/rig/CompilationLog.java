package dev.outboard.rig;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads what {@code -XX:+PrintCompilation} prints. */
final class CompilationLog {
    // Milliseconds, compile id, flags (% for a loop entered in the middle), tier, method.
    private static final Pattern LINE =
            Pattern.compile("\\s*\\d+\\s+\\d+\\s+([%sb!n ]*?)\\s*([1-4])\\s+(\\S+)::(\\S+) .*");

    private CompilationLog() {}

    /** The methods of a class that were compiled before one line and still were so at another, with their tiers. */
    static Map<String, Integer> tiers(String output, String className, String begin, String end) {
        Map<String, Integer> tiers = new HashMap<>();
        boolean begun = false;
        for (String line : output.lines().toList()) {
            begun |= line.equals(begin);
            if (line.equals(end)) {
                return tiers;
            }
            Matcher matcher = LINE.matcher(line);
            if (matcher.matches()
                    && matcher.group(3).endsWith("." + className)
                    && !matcher.group(1).contains("%")) {
                String method = matcher.group(4);
                int tier = Integer.parseInt(matcher.group(2));
                if (!line.contains("made not entrant")) {
                    if (!begun) {
                        tiers.put(method, tier);
                    }
                } else if (tiers.getOrDefault(method, 0) == tier) {
                    tiers.remove(method);
                }
            }
        }
        throw new IllegalArgumentException("no line \"" + end + "\" in " + output);
    }
}
