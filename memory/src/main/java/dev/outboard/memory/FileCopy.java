package dev.outboard.memory;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Copies a file by mapping it: the kernel writes from the mapped pages, so each byte moves once and none through a buffer
 * of this process. A file that is truncated meanwhile is an error number (EFAULT), as the kernel itself touches the
 * pages. Holes stay holes, and a file that is created has the source's permissions, less the umask, as with {@code cp}.
 */
public final class FileCopy {
    /** Enough that a call costs nothing, and little enough to stay in the processor's cache and show progress. */
    private static final long CHUNK_BYTES = 1 << 20;

    private static final int PERMISSIONS = 0777;

    private FileCopy() {}

    /** Hears how far a copy is. */
    @FunctionalInterface
    public interface Progress {
        /**
         * Called after each part, in the copying thread; an exception ends the copy.
         *
         * @param copiedBytes how much is copied
         * @param totalBytes how much there is
         */
        void copied(long copiedBytes, long totalBytes);
    }

    /**
     * Copies a file to a file that is created, or replaced.
     *
     * @param from the source, a regular file or a block device
     * @param to the target, another file
     * @param progress hears how far it is
     * @return how many bytes were copied
     * @throws LinuxException if one of the files cannot be opened, mapped or written; the target is then incomplete
     * @throws IllegalArgumentException if they are the same file, or the source has no end
     * @throws IOException if it cannot be told whether they are the same
     */
    public static long copy(Path from, Path to, Progress progress) throws IOException {
        if (Files.exists(to) && Files.isSameFile(from, to)) {
            throw new IllegalArgumentException(from + " and " + to + " are the same file; give another target");
        }
        try (Fd source = Fd.open(from.toString(), Fd.O_RDONLY)) {
            long total = source.endBytes();
            if (total < 0) {
                throw new IllegalArgumentException(from + " does not say where it ends; copy a file or a block device");
            }
            try (Fd target =
                    Fd.open(to.toString(), Fd.O_WRONLY | Fd.O_CREAT | Fd.O_TRUNC, source.mode() & PERMISSIONS)) {
                if (total > 0) {
                    copy(source, target, total, progress);
                }
            }
            return total;
        }
    }

    private static void copy(Fd source, Fd target, long total, Progress progress) throws LinuxException {
        boolean holes = source.regularFileBytes() >= 0 && target.regularFileBytes() >= 0;
        try (Mapping mapping = Mapping.of(source).length(total).map()) {
            mapping.advise(Advice.SEQUENTIAL, 0, total);
            long copied = 0;
            while (copied < total) {
                long data = holes ? source.nextData(copied) : copied;
                if (data < 0 || data >= total) {
                    keepLastHole(source, target, total);
                    progress.copied(total, total);
                    return;
                }
                long hole = holes ? source.nextHole(data) : total;
                long end = hole <= data ? total : Math.min(hole, total);
                target.allocate(data, end - data);
                for (copied = data; copied < end; ) {
                    long part = Math.min(CHUNK_BYTES, end - copied);
                    copied += target.pwrite(mapping.segment().asSlice(copied, part), copied);
                    progress.copied(copied, total);
                }
            }
        }
    }

    private static void keepLastHole(Fd source, Fd target, long total) throws LinuxException {
        if (source.endBytes() < total) {
            throw new LinuxException("copy", source.name(), Errno.EFAULT, "it was truncated meanwhile; copy it again");
        }
        target.truncate(total);
    }
}
