package dev.outboard.rig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A program of the host that the rig uses, and the Debian package that has it. */
record HostProgram(String name, String debianPackage) {
    static final HostProgram QEMU = new HostProgram("qemu-system-x86_64", "qemu-system-x86");
    static final HostProgram USER_MODE_LINUX = new HostProgram("linux.uml", "user-mode-linux");
    static final HostProgram BUSYBOX = new HostProgram("busybox", "busybox-static");
    static final HostProgram DEPMOD = new HostProgram("depmod", "kmod");
    static final HostProgram DPKG = new HostProgram("dpkg", "dpkg");
    static final HostProgram APT_GET = new HostProgram("apt-get", "apt");
    static final HostProgram APT_CACHE = new HostProgram("apt-cache", "apt");
    static final HostProgram APT_CONFIG = new HostProgram("apt-config", "apt");
    static final HostProgram XZ = new HostProgram("xz", "xz-utils");
    static final HostProgram ZSTD = new HostProgram("zstd", "zstd");
    static final HostProgram SETPRIV = new HostProgram("setpriv", "util-linux");

    /** A program that no package of this machine has to have. */
    static HostProgram at(Path file) {
        return new HostProgram(file.toString(), "");
    }

    /** The program's file; the sbin folders are searched too, since an ordinary user's PATH lacks them. */
    Path find() throws RigException {
        if (name.startsWith("/")) {
            return Path.of(name);
        }
        var folders =
                new ArrayList<>(List.of(System.getenv().getOrDefault("PATH", "").split(":")));
        folders.addAll(List.of("/usr/sbin", "/sbin", "/usr/bin", "/bin"));
        for (String folder : folders) {
            if (!folder.isEmpty()) {
                Path file = Path.of(folder, name);
                if (Files.isExecutable(file) && Files.isRegularFile(file)) {
                    return file;
                }
            }
        }
        throw new RigException(name + " is not installed: apt-get install " + debianPackage);
    }

    /** Runs the program to its end and returns what it printed on stdout. */
    String run(Duration limit, Path directory, Map<String, String> environment, List<String> arguments)
            throws IOException {
        Path output = Files.createTempFile("outboard-rig-", ".out");
        try {
            runInto(output, limit, directory, environment, arguments);
            return Files.readString(output);
        } finally {
            Files.deleteIfExists(output);
        }
    }

    /** Runs the program to its end, with its stdout in a file. */
    void runInto(Path output, Duration limit, Path directory, Map<String, String> environment, List<String> arguments)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(find().toString());
        command.addAll(arguments);
        Path errors = Files.createTempFile("outboard-rig-", ".err");
        try {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectInput(Path.of("/dev/null").toFile())
                    .redirectOutput(output.toFile())
                    .redirectError(errors.toFile());
            builder.environment().put("LC_ALL", "C");
            builder.environment().putAll(environment);
            Process process = builder.start();
            if (!ended(process, limit)) {
                throw new RigException(
                        "\"%s\" did not end within %d s".formatted(String.join(" ", command), limit.toSeconds()));
            }
            if (process.exitValue() != 0) {
                throw new RigException("\"%s\" failed with status %d: %s"
                        .formatted(
                                String.join(" ", command),
                                process.exitValue(),
                                Files.readString(errors).strip()));
            }
        } finally {
            Files.deleteIfExists(errors);
        }
    }

    private static boolean ended(Process process, Duration limit) throws RigException {
        try {
            return process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RigException("Interrupted while waiting for a program", e);
        } finally {
            process.destroyForcibly();
        }
    }
}
