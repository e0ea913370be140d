package dev.outboard.rig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Which Debian this machine runs, and so which suites its sources name and which one has a kernel with ublk. */
record DebianRelease(String codename, List<String> suites, String kernelSuite) {
    static DebianRelease ofThisMachine() throws IOException {
        Path file = Path.of("/etc/os-release");
        String codename = Files.exists(file) ? codename(Files.readString(file)) : "";
        if (codename.isEmpty()) {
            throw new RigException("No VERSION_CODENAME in %s: set %s to a folder with boot/vmlinuz-* and lib/modules"
                    .formatted(file, KernelPackage.KERNEL_VARIABLE));
        }
        return of(codename);
    }

    static DebianRelease of(String codename) {
        // Bookworm's own kernel is 6.1, without ublk and udmabuf.
        return codename.equals("bookworm")
                ? new DebianRelease(codename, List.of("bookworm-backports", "bookworm"), "bookworm-backports")
                : new DebianRelease(codename, List.of(codename), codename);
    }

    private static String codename(String osRelease) {
        return osRelease
                .lines()
                .filter(line -> line.startsWith("VERSION_CODENAME="))
                .map(line ->
                        line.substring(line.indexOf('=') + 1).replace("\"", "").strip())
                .findFirst()
                .orElse("");
    }
}
