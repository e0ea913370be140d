package dev.outboard.rig;

import java.util.List;
import java.util.stream.Collectors;

/** Writes text for a POSIX shell. */
final class Shell {
    private Shell() {}

    static String quote(String word) {
        return "'" + word.replace("'", "'\\''") + "'";
    }

    static String quote(List<String> words) {
        return words.stream().map(Shell::quote).collect(Collectors.joining(" "));
    }
}
