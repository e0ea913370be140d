package dev.outboard.memory;

import dev.outboard.linux.Fd;
import dev.outboard.linux.FileLock;
import dev.outboard.linux.LinuxException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The records of a directory of claims, one file each, readable by everybody. Its owner keeps its first byte locked: a
 * record without that lock is stale, whatever it says. It gets its name when it is written and locked, so that it is
 * stale only once, at the end.
 */
final class ClaimRecords {
    private static final String RECORD = ".claim";
    private static final int EVERYBODY_READS = 0644;

    private ClaimRecords() {}

    /** Writes the record of a claim whose locks are held. */
    static void publish(ClaimDirectory directory, ClaimText text, ClaimHold hold) throws IOException {
        ClaimDirectory.Unfinished created = directory.createUnfinished(text.process());
        hold.keep(created.fd());
        boolean published = false;
        try (Arena arena = Arena.ofConfined()) {
            byte[] bytes = text.format().getBytes(StandardCharsets.UTF_8);
            write(created.fd(), arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes));
            created.fd().changeMode(EVERYBODY_READS);
            FileLock.tryExclusive(created.fd(), 0, 1);
            Path record = hold.at(created.name() + RECORD);
            Files.move(hold.at(created.file()), record, StandardCopyOption.ATOMIC_MOVE);
            hold.published(record);
            published = true;
        } finally {
            if (!published) {
                Files.deleteIfExists(hold.at(created.file()));
            }
        }
    }

    private static void write(Fd fd, MemorySegment text) throws LinuxException {
        long written = 0;
        while (written < text.byteSize()) {
            written += fd.pwrite(text.asSlice(written), written);
        }
    }

    /** The records of those who live. Removes what the dead have left, if this user may. */
    static List<ClaimRecord> read(ClaimDirectory directory) throws IOException {
        List<ClaimRecord> records = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory.listing())) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                if (name.endsWith(RECORD)) {
                    read(directory, name).ifPresent(records::add);
                } else if (ClaimDirectory.isAbandoned(name)) {
                    removeStale(directory, name);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return records;
    }

    private static Optional<ClaimRecord> read(ClaimDirectory directory, String name) throws IOException {
        try (Fd fd = directory.openFile(name, Fd.O_RDONLY, 0);
                Arena arena = Arena.ofConfined()) {
            long length = fd.regularFileBytes();
            if (length < 0 || length > ClaimText.LONGEST_BYTES) {
                return Optional.empty();
            }
            if (!FileLock.isHeldElsewhere(fd, 0, 1)) {
                removeStale(directory, name);
                return Optional.empty();
            }
            MemorySegment bytes = arena.allocate(length);
            long got = fd.pread(bytes, 0);
            String text = new String(bytes.asSlice(0, got).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
            // The user is not asked, but looked up: whose file it is cannot be made up.
            String user =
                    Files.getOwner(Path.of("/proc/self/fd/" + fd.number())).getName();
            return ClaimText.parse(text).map(claim -> claim.by(user));
        } catch (LinuxException removedOrForeign) {
            // Given up between the two looks, or a file that is none of ours.
            return Optional.empty();
        }
    }

    /** A name is never used twice, so what is stale now stays so. */
    private static void removeStale(ClaimDirectory directory, String name) throws LinuxException {
        Path file = directory.at(name);
        try {
            Files.deleteIfExists(file);
        } catch (IOException notMine) {
            // In a sticky directory only its owner or root may; it does no harm.
            return;
        }
    }
}
