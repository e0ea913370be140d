package dev.outboard.memory;

import dev.outboard.linux.LinuxException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Exclusive ownership of devices and address ranges, across processes and users, with an owner that anyone can ask for. A
 * claim holds against other claims alone: a program that does not claim is not stopped. The kernel ends it with its
 * process, however that ends. Two claims of one process exclude each other too.
 *
 * <p>All users of a machine share one directory, {@code /run/outboard/claims}. Where nobody has made that and this user
 * cannot, {@code /tmp/.outboard-claims} is used; claims in both are respected by all. The environment variable
 * {@code OUTBOARD_CLAIMS} names another one, which must be given to all who shall see each other. A directory of each
 * user's own, such as {@code XDG_RUNTIME_DIR}, would not do: a device belongs to the machine.
 *
 * <p>Safe for use by several threads. Nothing here waits for an owner.
 */
public final class Claims {
    /** The system property by which a program says what it is called as an owner. */
    public static final String OWNER_PROPERTY = "outboard.owner";

    /** The environment variable that names another directory than the usual ones. */
    public static final String DIRECTORY_VARIABLE = "OUTBOARD_CLAIMS";

    private static final Path USUAL = Path.of("/run/outboard/claims");
    private static final Path WITHOUT_ROOT = Path.of("/tmp/.outboard-claims");
    /** Between its locks and its record an owner is unknown, for some microseconds unless it is stopped there. */
    private static final Duration OWNER_TIMEOUT = Duration.ofSeconds(1);

    private static final long RETRY_NANOS = 500_000;

    private final List<Path> directories;
    private final boolean shared;

    private Claims(List<Path> directories, boolean shared) {
        this.directories = directories;
        this.shared = shared;
    }

    /**
     * The claims of this machine.
     *
     * @return the claims
     */
    public static Claims system() {
        String other = System.getenv(DIRECTORY_VARIABLE);
        return other == null || other.isBlank()
                ? new Claims(List.of(USUAL, WITHOUT_ROOT), true)
                : in(Path.of(other).toAbsolutePath());
    }

    /**
     * Claims in a directory of their own, seen by those alone who use it too.
     *
     * @param directory where; it is made when something is claimed
     * @return the claims
     */
    public static Claims in(Path directory) {
        return new Claims(List.of(directory.toAbsolutePath()), false);
    }

    /** Claims as a machine has them, elsewhere. */
    static Claims among(List<Path> directories) {
        return new Claims(directories, true);
    }

    /**
     * Claims a device, with all its addresses.
     *
     * @param name the device's one full name, for example {@code pci:0000:03:00.0}
     * @return the claim
     * @throws ClaimedException if somebody has it, or a range of it
     * @throws IOException if claims cannot be made here; the message says what to do
     * @throws IllegalArgumentException if this is no name
     */
    public Claim claim(String name) throws IOException {
        return claim(ClaimTarget.whole(name));
    }

    /**
     * Claims a range of addresses.
     *
     * @param space the name of the space that they are in: {@code mem} for physical memory, {@code port} for I/O ports
     * @param start the first address, zero or more
     * @param lengthBytes how many bytes, at least 1; the range ends before 2⁶³
     * @return the claim
     * @throws ClaimedException if somebody has one of the addresses, or the space as a whole
     * @throws IOException if claims cannot be made here; the message says what to do
     * @throws IllegalArgumentException if there is no such name or range
     */
    public Claim claim(String space, long start, long lengthBytes) throws IOException {
        return claim(ClaimTarget.range(space, start, lengthBytes));
    }

    /**
     * Claims a device or a range.
     *
     * @param target which
     * @return the claim
     * @throws ClaimedException if somebody has it, or something of it
     * @throws IOException if claims cannot be made here; the message says what to do
     */
    public Claim claim(ClaimTarget target) throws IOException {
        long start = System.nanoTime();
        List<ClaimDirectory> open = openForClaiming();
        try {
            while (true) {
                ClaimText text = new ClaimText(target, ownerName(), ProcessIdentity.current(), Instant.now());
                List<ClaimHold> holds = tryClaim(open, text);
                if (holds != null) {
                    return new Claim(text.by(System.getProperty("user.name", "?")), holds);
                }
                Optional<ClaimRecord> holder = records(open).stream()
                        .filter(record -> record.target().overlaps(target))
                        .findFirst();
                if (holder.isPresent() || System.nanoTime() - start > OWNER_TIMEOUT.toNanos()) {
                    throw new ClaimedException(
                            target, holder.orElse(null), open.getFirst().toString());
                }
                LockSupport.parkNanos(RETRY_NANOS);
            }
        } finally {
            open.forEach(ClaimDirectory::close);
        }
    }

    /** In all directories or in none; all take them in the same order. */
    private static @Nullable List<ClaimHold> tryClaim(List<ClaimDirectory> open, ClaimText text) throws IOException {
        List<ClaimHold> holds = new ArrayList<>();
        boolean all = false;
        try {
            for (ClaimDirectory directory : open) {
                ClaimHold hold = directory.tryClaim(text);
                if (hold == null) {
                    return null;
                }
                holds.add(hold);
            }
            all = true;
            return holds;
        } finally {
            if (!all) {
                holds.reversed().forEach(ClaimHold::close);
            }
        }
    }

    /**
     * Everything that is claimed now. Claims nothing, makes no directory, and needs no privileges.
     *
     * @return the claims, in no order
     * @throws IOException if a directory of claims is there and cannot be read
     */
    public List<ClaimRecord> list() throws IOException {
        List<ClaimDirectory> open = new ArrayList<>();
        try {
            for (Path directory : directories) {
                ClaimDirectory.open(directory).ifPresent(open::add);
            }
            return records(open);
        } finally {
            open.forEach(ClaimDirectory::close);
        }
    }

    private static List<ClaimRecord> records(List<ClaimDirectory> open) throws IOException {
        List<ClaimRecord> records = new ArrayList<>();
        for (ClaimDirectory directory : open) {
            records.addAll(ClaimRecords.read(directory));
        }
        return records.stream().distinct().toList();
    }

    /**
     * Who stands in the way of a claim now.
     *
     * @param target the device or the range
     * @return a claim of it, or of something of it; empty if it is free
     * @throws IOException if a directory of claims is there and cannot be read
     */
    public Optional<ClaimRecord> holder(ClaimTarget target) throws IOException {
        return list().stream()
                .filter(record -> record.target().overlaps(target))
                .findFirst();
    }

    private List<ClaimDirectory> openForClaiming() throws IOException {
        List<ClaimDirectory> open = new ArrayList<>();
        FileSystemException obstacle = null;
        try {
            for (Path directory : directories) {
                if (open.isEmpty()) {
                    try {
                        make(directory);
                    } catch (FileAlreadyExistsException usual) {
                        // Made before.
                    } catch (FileSystemException e) {
                        obstacle = e;
                    }
                }
                Optional<ClaimDirectory> opened = ClaimDirectory.open(directory);
                if (opened.isPresent()) {
                    open.add(opened.get());
                    if (shared) {
                        opened.get().share();
                    }
                }
            }
            if (open.isEmpty()) {
                throw unusable(obstacle);
            }
            return ordered(open);
        } catch (IOException | RuntimeException e) {
            open.forEach(ClaimDirectory::close);
            throw e;
        }
    }

    /** Root may have made the usual directory after this user found none, and looked for the other before it was made. */
    private List<ClaimDirectory> ordered(List<ClaimDirectory> open) throws LinuxException {
        if (open.size() == directories.size()
                || open.getFirst().toString().equals(directories.getFirst().toString())) {
            return open;
        }
        ClaimDirectory.open(directories.getFirst()).ifPresent(open::addFirst);
        return open;
    }

    private void make(Path directory) throws IOException {
        Path parent = directory.getParent();
        if (parent != null && !Files.exists(parent)) {
            Files.createDirectories(parent);
            if (shared) {
                Files.setPosixFilePermissions(parent, PosixFilePermissions.fromString("rwxr-xr-x"));
            }
        }
        Files.createDirectory(directory);
    }

    private IOException unusable(@Nullable FileSystemException obstacle) {
        Path first = directories.getFirst();
        return new IOException(
                "nothing can be claimed, since there is no directory for claims; make one that every user can use: sudo"
                        + " mkdir -p " + first + " && sudo chmod 1777 " + first + "; or name one by "
                        + DIRECTORY_VARIABLE,
                obstacle);
    }

    /** What the program said, else the class or the file that Java was told to run. */
    private static String ownerName() {
        String said = System.getProperty(OWNER_PROPERTY, "");
        if (!said.isBlank()) {
            return ClaimText.printable(said);
        }
        String command = System.getProperty("sun.java.command", "java").split(" ", 2)[0];
        return ClaimText.printable(command.substring(command.lastIndexOf('/') + 1));
    }
}
