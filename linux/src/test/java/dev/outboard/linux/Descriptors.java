package dev.outboard.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What /proc says about this process's descriptors. */
final class Descriptors {
    private Descriptors() {}

    /** How many descriptors are open that lead to what one call's name says, such as {@code memfd:x} or a path. */
    static long openTo(String target) throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.filter(link -> target(link).contains(target)).count();
        }
    }

    static long open() throws IOException {
        return openTo("");
    }

    /** The {@code O_} flags that a descriptor has. */
    static int flags(Fd fd) throws IOException {
        return Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd.number())).stream()
                .filter(line -> line.startsWith("flags:"))
                .map(line -> Integer.parseInt(line.replace("flags:", "").strip(), 8))
                .findFirst()
                .orElseThrow();
    }

    static void assertClosedOnExec(Fd fd) throws IOException {
        assertThat(flags(fd) & 0x80000).as("O_CLOEXEC of " + fd).isNotZero();
    }

    /** How many mappings of a file this process has. */
    static long mappingsOf(String name) throws IOException {
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            return maps.filter(line -> line.contains(name)).count();
        }
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException closedMeanwhile) {
            return "closed";
        }
    }
}
