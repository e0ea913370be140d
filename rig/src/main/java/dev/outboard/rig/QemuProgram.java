package dev.outboard.rig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A QEMU to run machines with.
 *
 * @param command what starts it, before any argument of a machine
 * @param environment variables that it needs
 */
public record QemuProgram(List<String> command, Map<String, String> environment) {
    /**
     * The environment variable that names a QEMU with vfio-user to use instead of what is installed or cached: a program,
     * or a folder that Debian's packages were unpacked in (by debootstrap, for instance).
     */
    public static final String VFIO_USER_VARIABLE = "OUTBOARD_QEMU_VFIO_USER";

    /** It came with QEMU 10.1; Debian 13 has 10.0. */
    private static final String SUITE = "testing";

    private static final PrivateApt.Wanted PACKAGE = new PrivateApt.Wanted(
            "qemu-system-x86",
            null,
            "set " + VFIO_USER_VARIABLE + " to a QEMU 10.1 or later, or to a folder that has one");
    private static final Duration UNPACK_LIMIT = Duration.ofMinutes(5);
    private static final Duration QUERY_LIMIT = Duration.ofMinutes(1);
    private static final String FOLDER = "qemu";
    private static final String BINARY = "usr/bin/qemu-system-x86_64";
    private static final String LIBRARIES = "usr/lib/x86_64-linux-gnu";
    private static final String LOADER = LIBRARIES + "/ld-linux-x86-64.so.2";

    /** Copies the command and the environment. */
    public QemuProgram {
        command = List.copyOf(command);
        environment = Map.copyOf(environment);
    }

    /**
     * The QEMU that is installed.
     *
     * @return the program
     * @throws RigException if there is none
     */
    public static QemuProgram installed() throws RigException {
        return new QemuProgram(List.of(HostProgram.QEMU.find().toString()), Map.of());
    }

    /**
     * A QEMU with the device {@code vfio-user-pci}: the one that {@link #VFIO_USER_VARIABLE} names, else the installed one
     * if it has it, else that of Debian's testing suite with its own libraries, which is fetched once (42 MB) and
     * unpacked to the rig's cache. Delete the folder {@code qemu} there to get a newer one.
     *
     * @return the program
     * @throws IOException if there is none and none can be had; the message says what to do
     */
    public static QemuProgram withVfioUser() throws IOException {
        String given = System.getenv().getOrDefault(VFIO_USER_VARIABLE, "");
        if (!given.isEmpty()) {
            Path path = Path.of(given).toAbsolutePath();
            QemuProgram program =
                    Files.isDirectory(path) ? unpackedIn(path) : new QemuProgram(List.of(path.toString()), Map.of());
            program.requireVfioUser();
            return program;
        }
        try {
            QemuProgram program = installed();
            program.requireVfioUser();
            return program;
        } catch (RigException tooOld) {
            Path cache = KernelPackage.cacheDirectory();
            if (!Files.isDirectory(cache.resolve(FOLDER))) {
                download(cache);
            }
            QemuProgram program = unpackedIn(cache.resolve(FOLDER));
            program.requireVfioUser();
            return program;
        }
    }

    /** With the folder's own loader and libraries, which may be newer than this machine's, and without root. */
    private static QemuProgram unpackedIn(Path folder) throws RigException {
        if (!Files.isExecutable(folder.resolve(BINARY)) || !Files.isExecutable(folder.resolve(LOADER))) {
            throw new RigException("%s has no %s with its libraries: unpack Debian's packages there, or delete it"
                    .formatted(folder, BINARY));
        }
        List<String> command = new ArrayList<>(List.of(folder.resolve(LOADER).toString()));
        command.addAll(List.of("--library-path", folder.resolve(LIBRARIES).toString()));
        command.add(folder.resolve(BINARY).toString());
        for (String data : List.of("usr/share/qemu", "usr/share/seabios")) {
            command.addAll(List.of("-L", folder.resolve(data).toString()));
        }
        return new QemuProgram(
                command,
                Map.of(
                        "QEMU_MODULE_DIR",
                        folder.resolve(LIBRARIES).resolve("qemu").toString()));
    }

    private void requireVfioUser() throws IOException {
        List<String> arguments = new ArrayList<>(command.subList(1, command.size()));
        arguments.addAll(List.of("-device", "vfio-user-pci,help"));
        Path anywhere = Path.of(System.getProperty("java.io.tmpdir"));
        // Asked about a device that it does not have, QEMU says nothing and succeeds.
        String properties =
                HostProgram.at(Path.of(command.getFirst())).run(QUERY_LIMIT, anywhere, environment, arguments);
        if (!properties.contains("socket=")) {
            throw new RigException("%s has no vfio-user-pci; QEMU 10.1 and later have it: %s"
                    .formatted(String.join(" ", command), PACKAGE.otherwise()));
        }
    }

    private static void download(Path cache) throws IOException {
        Files.createDirectories(cache);
        try (WorkDirectory work = WorkDirectory.create(cache, ".download-")) {
            List<Path> archives =
                    PrivateApt.downloadWithDependencies(work.path(), PACKAGE, DebianRelease.ofThisMachine(), SUITE);
            Path unpacked = work.path().resolve("unpacked");
            for (Path archive : archives) {
                HostProgram.DPKG.run(
                        UNPACK_LIMIT, work.path(), Map.of(), List.of("-x", archive.toString(), unpacked.toString()));
            }
            KernelPackage.publish(unpacked, cache.resolve(FOLDER));
        }
    }
}
