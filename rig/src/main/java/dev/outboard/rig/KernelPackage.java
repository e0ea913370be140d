package dev.outboard.rig;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A stock Debian kernel, unpacked: its image and its modules.
 *
 * <p>{@link #obtain()} takes the newest one from the cache, {@code ${XDG_CACHE_HOME:-~/.cache}/outboard/rig/<version>},
 * and touches the network only when there is none. Delete that folder to get a newer kernel.
 *
 * @param version what {@code uname -r} says in it
 * @param root the folder it is unpacked in, with {@code boot/vmlinuz-VERSION} and {@code lib/modules}
 */
public record KernelPackage(String version, Path root) {
    /** The environment variable that names a folder with {@code boot/vmlinuz-*} and {@code lib/modules} to use instead. */
    public static final String KERNEL_VARIABLE = "OUTBOARD_RIG_KERNEL";

    private static final PrivateApt.Wanted IMAGE = new PrivateApt.Wanted(
            "linux-image-amd64",
            Pattern.compile("Depends: (linux-image-[0-9]\\S*)"),
            "set " + KERNEL_VARIABLE + " to a folder with boot/vmlinuz-* and lib/modules");
    private static final Duration UNPACK_LIMIT = Duration.ofMinutes(5);

    /**
     * The kernel named by {@link #KERNEL_VARIABLE}, else the newest cached one, else a fresh one from the machine's own
     * package source.
     *
     * @return a kernel that is complete on disk
     * @throws IOException when none is cached and none can be had; the message says why
     */
    public static KernelPackage obtain() throws IOException {
        String given = System.getenv().getOrDefault(KERNEL_VARIABLE, "");
        if (!given.isEmpty()) {
            return at(Path.of(given).toAbsolutePath());
        }
        Path cache = cacheDirectory();
        Optional<KernelPackage> cached = newestIn(cache);
        return cached.isPresent() ? cached.get() : download(cache);
    }

    /**
     * A kernel that is unpacked already.
     *
     * @param root a folder with {@code boot/vmlinuz-VERSION} and {@code lib/modules/VERSION}
     * @return that kernel
     * @throws IOException when the folder has no such files
     */
    public static KernelPackage at(Path root) throws IOException {
        Path boot = root.resolve("boot");
        if (Files.isDirectory(boot)) {
            try (Stream<Path> files = Files.list(boot)) {
                for (Path file : files.sorted().toList()) {
                    String version = file.getFileName().toString().replaceFirst("^vmlinuz-", "");
                    if (file.getFileName().toString().startsWith("vmlinuz-")
                            && Files.exists(
                                    root.resolve("lib/modules").resolve(version).resolve("modules.dep"))) {
                        return new KernelPackage(version, root);
                    }
                }
            }
        }
        throw new RigException("%s has no boot/vmlinuz-VERSION with lib/modules/VERSION/modules.dep".formatted(root));
    }

    /**
     * The compressed image to boot.
     *
     * @return its file
     */
    public Path image() {
        return root.resolve("boot/vmlinuz-" + version);
    }

    /**
     * The folder that is {@code /lib/modules/<version>} in a guest.
     *
     * @return that folder
     */
    public Path modules() {
        return root.resolve("lib/modules").resolve(version);
    }

    /** {@code ${XDG_CACHE_HOME:-~/.cache}/outboard/rig}. */
    static Path cacheDirectory() {
        String configured = System.getenv().getOrDefault("XDG_CACHE_HOME", "");
        // The XDG base directory specification: a relative path is to be ignored.
        Path base =
                configured.startsWith("/") ? Path.of(configured) : Path.of(System.getProperty("user.home"), ".cache");
        return base.resolve("outboard/rig");
    }

    private static Optional<KernelPackage> newestIn(Path cache) throws IOException {
        if (!Files.isDirectory(cache)) {
            return Optional.empty();
        }
        List<KernelPackage> kernels = new ArrayList<>();
        try (Stream<Path> folders = Files.list(cache)) {
            for (Path folder : folders.toList()) {
                if (Character.isDigit(folder.getFileName().toString().charAt(0))) {
                    kernels.add(at(folder));
                }
            }
        }
        return kernels.stream().max(Comparator.comparing(kernel -> sortable(kernel.version())));
    }

    /** Pads every number, so that 6.12.100 comes after 6.12.95. */
    private static String sortable(String version) {
        return Pattern.compile("\\d+")
                .matcher(version)
                .replaceAll(number -> "0".repeat(Math.max(0, 8 - number.group().length())) + number.group());
    }

    private static KernelPackage download(Path cache) throws IOException {
        Files.createDirectories(cache);
        try (WorkDirectory work = WorkDirectory.create(cache, ".download-")) {
            Path archive = PrivateApt.download(work.path(), IMAGE, DebianRelease.ofThisMachine());
            Path unpacked = work.path().resolve("unpacked");
            HostProgram.DPKG.run(
                    UNPACK_LIMIT, work.path(), Map.of(), List.of("-x", archive.toString(), unpacked.toString()));
            // With a merged /usr the modules are below usr, where depmod -b may not look.
            if (Files.isDirectory(unpacked.resolve("usr/lib/modules"))) {
                Files.createDirectories(unpacked.resolve("lib"));
                Files.move(unpacked.resolve("usr/lib/modules"), unpacked.resolve("lib/modules"));
            }
            try (Stream<Path> versions = Files.list(unpacked.resolve("lib/modules"))) {
                for (Path version : versions.toList()) {
                    HostProgram.DEPMOD.run(
                            UNPACK_LIMIT,
                            work.path(),
                            Map.of(),
                            List.of(
                                    "-b",
                                    unpacked.toString(),
                                    version.getFileName().toString()));
                }
            }
            KernelPackage kernel = at(unpacked);
            publish(unpacked, cache.resolve(kernel.version()));
            return at(cache.resolve(kernel.version()));
        }
    }

    static void publish(Path unpacked, Path target) throws IOException {
        try {
            Files.move(unpacked, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            throw e;
        } catch (FileSystemException e) {
            // Somebody else downloaded the same kernel meanwhile; theirs is as good.
            if (!Files.isDirectory(target)) {
                throw e;
            }
        }
    }
}
