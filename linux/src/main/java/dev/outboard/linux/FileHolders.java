package dev.outboard.linux;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Which processes have a file open, as {@code fuser(1)} finds out: from {@code /proc/PID/fd}. */
public final class FileHolders {
    private static final Path PROC = Path.of("/proc");

    /**
     * A process.
     *
     * @param pid its number
     * @param name the name of its program, as the kernel has it: at most 15 characters
     */
    public record Holder(long pid, String name) {
        @Override
        public String toString() {
            return name + " (process " + pid + ")";
        }
    }

    private FileHolders() {}

    /**
     * Looks who has a file open. Processes of other users show theirs to root alone.
     *
     * @param file the file's absolute path, without symbolic links
     * @return the processes, this one included; those that could not be looked at are missing
     */
    public static List<Holder> of(Path file) {
        List<Holder> holders = new ArrayList<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path process : processes) {
                if (holds(process, file)) {
                    holders.add(new Holder(Long.parseLong(process.getFileName().toString()), name(process)));
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // Without /proc nobody can say.
            return List.copyOf(holders);
        }
        return List.copyOf(holders);
    }

    private static String name(Path process) {
        try {
            return Files.readString(process.resolve("comm")).strip();
        } catch (IOException ended) {
            return "unknown";
        }
    }

    private static boolean holds(Path process, Path file) {
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
            for (Path descriptor : descriptors) {
                if (Files.readSymbolicLink(descriptor).equals(file)) {
                    return true;
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // Somebody else's, or it ended meanwhile.
            return false;
        }
        return false;
    }
}
