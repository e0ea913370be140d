package dev.outboard.memory;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.FileLock;
import dev.outboard.linux.LinuxException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * A directory of claims, of whatever user. What excludes are locks of the kernel; records only say whose they are.
 *
 * <ul>
 *   <li>{@code names.lock}: the byte at a hash of a name is locked exclusively by who has the device as a whole, shared by
 *       those who have ranges of it. The hash is the upper 62 bits of FNV-1a.
 *   <li>{@code HASH.lock}: of the space whose name has this hash, the bytes of a range are locked by who has the range.
 *   <li>{@code PID-START-RANDOM.claim}: see {@link ClaimRecords}.
 * </ul>
 *
 * <p>Everything is done below a descriptor of the directory, and without following links: another user, who may write to
 * the directory or has made it, cannot lead root elsewhere.
 */
final class ClaimDirectory implements AutoCloseable {
    private static final String NAMES = "names.lock";
    private static final String RANGES = ".lock";
    private static final String UNFINISHED = ".new";
    private static final int PERMISSION_BITS = 07777;
    private static final int STICKY_FOR_ALL = 01777;
    private static final int EVERYBODY_WRITES = 0666;
    private static final int OWNER_ALONE = 0600;
    // FNV-1a: loading Java's message digests takes longer than all the rest of a claim.
    private static final long FNV_OFFSET_BASIS = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;
    /** An offset in a file has 63 bits, and the byte there must have an end. */
    private static final int HASH_SHIFT = 2;

    private static final int ATTEMPTS = 5;

    private final Path path;
    private final Fd directory;

    private ClaimDirectory(Path path, Fd directory) {
        this.path = path;
        this.directory = directory;
    }

    /** Opens a directory; empty if there is none. */
    static Optional<ClaimDirectory> open(Path path) throws LinuxException {
        int flags = Fd.O_RDONLY | Fd.O_DIRECTORY | Fd.O_NOFOLLOW;
        try {
            return Optional.of(new ClaimDirectory(path, Fd.open(path.toString(), flags)));
        } catch (LinuxException e) {
            if (e.errno() == Errno.ENOENT) {
                return Optional.empty();
            }
            throw e.errno() == Errno.ENOTDIR || e.errno() == Errno.ELOOP
                    ? e.withAdvice("it must be a directory: remove what is there")
                    : e.withAdvice("every user must be able to use it: sudo chmod 1777 " + path);
        }
    }

    /** Lets every user add files, and remove none but their own; for who has made it, and may have died before this. */
    void share() throws IOException {
        Path self = self();
        int mode = (Integer) Files.getAttribute(self, "unix:mode") & PERMISSION_BITS;
        Object owner = Files.getAttribute(self, "unix:uid");
        if (mode != STICKY_FOR_ALL && owner.equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"))) {
            directory.changeMode(STICKY_FOR_ALL);
        }
    }

    private Path self() throws LinuxException {
        return Path.of("/proc/self/fd/" + directory.number());
    }

    /** A file below the descriptor, wherever the directory is by now. */
    Path at(String file) throws LinuxException {
        return self().resolve(file);
    }

    /** The directory's own path, below the descriptor. */
    Path listing() throws LinuxException {
        return at(".");
    }

    /** Opens a file of the directory. Never waits, even if somebody has put a FIFO there. */
    Fd openFile(String file, int flags, int mode) throws LinuxException {
        try {
            return Fd.open(at(file).toString(), flags | Fd.O_NOFOLLOW | Fd.O_NONBLOCK, mode);
        } catch (LinuxException e) {
            throw new LinuxException(
                    "open",
                    path.resolve(file).toString(),
                    e.errno(),
                    switch (e.errno()) {
                        case Errno.EACCES, Errno.EPERM -> "every user must be able to claim: sudo chmod 1777 " + path;
                        case Errno.ELOOP -> "it must not be a link: remove it";
                        default -> "";
                    });
        }
    }

    /**
     * Creates a file that nobody knows yet, for its owner alone.
     *
     * @param process in the name, so that it is known when nobody will finish it
     */
    Unfinished createUnfinished(ProcessIdentity process) throws LinuxException {
        String name = process.pid() + "-" + process.startTicks() + "-"
                + Long.toHexString(ThreadLocalRandom.current().nextLong());
        String file = name + UNFINISHED;
        return new Unfinished(name, file, openFile(file, Fd.O_RDWR | Fd.O_CREAT | Fd.O_EXCL, OWNER_ALONE));
    }

    /** A file that has no final name yet. */
    record Unfinished(String name, String file, Fd fd) {}

    /** Whether this is a file that nobody will finish. */
    static boolean isAbandoned(String file) {
        String[] parts = file.split("-", -1);
        if (!file.endsWith(UNFINISHED) || parts.length != 3) {
            return false;
        }
        try {
            return new ProcessIdentity(Long.parseLong(parts[0]), Long.parseLong(parts[1])).hasEnded();
        } catch (NumberFormatException notOurs) {
            return false;
        }
    }

    /**
     * Takes a target, if it is free.
     *
     * @return null if somebody else has it, or something of it
     */
    @Nullable
    ClaimHold tryClaim(ClaimText text) throws IOException {
        ClaimHold hold = new ClaimHold(directory.duplicate());
        try {
            if (tryLock(text.target(), hold)) {
                ClaimRecords.publish(this, text, hold);
                return hold;
            }
        } catch (IOException | RuntimeException e) {
            hold.close();
            throw e;
        }
        hold.close();
        return null;
    }

    private boolean tryLock(ClaimTarget target, ClaimHold hold) throws IOException {
        long hash = hash(target.name());
        Fd names = lockFile(NAMES);
        hold.keep(names);
        if (target.isWhole()) {
            return FileLock.tryExclusive(names, hash, 1);
        }
        if (!FileLock.tryShared(names, hash, 1)) {
            return false;
        }
        Fd ranges = lockFile(Long.toHexString(hash) + RANGES);
        hold.keep(ranges);
        return FileLock.tryExclusive(ranges, target.start(), target.lengthBytes());
    }

    private static long hash(String name) {
        long hash = FNV_OFFSET_BASIS;
        for (byte each : name.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ Byte.toUnsignedLong(each)) * FNV_PRIME;
        }
        return hash >>> HASH_SHIFT;
    }

    /** Lock files stay for good: who removed one would have to know that nobody is about to lock it. */
    private Fd lockFile(String file) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                Fd fd = openFile(file, Fd.O_RDWR, 0);
                if (fd.regularFileBytes() >= 0) {
                    return fd;
                }
                fd.close();
                throw new LinuxException(
                        "use of", path.resolve(file).toString(), Errno.EINVAL, "it is no regular file: remove it");
            } catch (LinuxException e) {
                if (e.errno() != Errno.ENOENT || attempt == ATTEMPTS) {
                    throw e;
                }
            }
            createLockFile(file);
        }
    }

    /** It must not be seen before others may open it; O_CREAT on a file that is there would be refused in a sticky directory. */
    private void createLockFile(String file) throws IOException {
        Unfinished created = createUnfinished(ProcessIdentity.current());
        try {
            created.fd().changeMode(EVERYBODY_WRITES);
            Files.createLink(at(file), at(created.file()));
        } catch (FileAlreadyExistsException another) {
            // Another process was first: its file is as good.
            return;
        } finally {
            created.fd().close();
            Files.deleteIfExists(at(created.file()));
        }
    }

    @Override
    public void close() {
        directory.close();
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
