package dev.outboard.rig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Debian's linux-libc-dev of the suite that the rig's kernel is from, unpacked to the same cache: for C programs that need
 * newer headers than this machine has, such as the probe of the room linux.
 */
final class KernelHeaders {
    private static final PrivateApt.Wanted PACKAGE =
            new PrivateApt.Wanted("linux-libc-dev", null, "leave what needs newer kernel headers unchecked");
    private static final Duration UNPACK_LIMIT = Duration.ofMinutes(1);
    private static final String FOLDER = "headers";
    private static final String ARCHITECTURE =
            System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch");

    private KernelHeaders() {}

    /**
     * The folders to give to a C compiler, separated by colons. Touches the network only when nothing is cached; delete
     * the folder {@code headers} of the cache to get newer ones.
     *
     * @throws IOException when they cannot be had
     */
    static String includeFolders() throws IOException {
        Path cache = KernelPackage.cacheDirectory();
        Path cached = cache.resolve(FOLDER);
        if (!Files.isDirectory(cached)) {
            Files.createDirectories(cache);
            download(cache, cached);
        }
        Path include = cached.resolve("usr/include");
        // asm/ is there once for each of Debian's architectures.
        return include + ":" + include.resolve(ARCHITECTURE + "-linux-gnu");
    }

    private static void download(Path cache, Path target) throws IOException {
        try (WorkDirectory work = WorkDirectory.create(cache, ".download-")) {
            Path archive = PrivateApt.download(work.path(), PACKAGE, DebianRelease.ofThisMachine());
            Path unpacked = work.path().resolve("unpacked");
            HostProgram.DPKG.run(
                    UNPACK_LIMIT, work.path(), Map.of(), List.of("-x", archive.toString(), unpacked.toString()));
            KernelPackage.publish(unpacked, target);
        }
    }
}
