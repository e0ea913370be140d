package dev.outboard.pci.sysfs;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Writes the files of sysfs, which take a value in one piece. */
public final class SysfsFile {
    private SysfsFile() {}

    /**
     * Writes a value. {@code write(2)}.
     *
     * @param file the file
     * @param value the value; a newline is added
     * @throws LinuxException if the kernel refuses; without permission the message says who may
     */
    public static void write(Path file, String value) throws LinuxException {
        // The kernel takes a value with its newline, and an empty one not at all.
        byte[] bytes = (value + "\n").getBytes(StandardCharsets.US_ASCII);
        try (Fd fd = Fd.open(file.toString(), Fd.O_WRONLY);
                Arena arena = Arena.ofConfined()) {
            MemorySegment line = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
            fd.write(line);
        } catch (LinuxException e) {
            throw e.errno() == Errno.EACCES || e.errno() == Errno.EPERM
                    ? e.withAdvice("only root may do this: use sudo")
                    : e;
        }
    }
}
