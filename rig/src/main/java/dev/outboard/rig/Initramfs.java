package dev.outboard.rig;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a guest starts from: a static busybox, the modules needed to mount the host's root, and the scripts that do it.
 *
 * <p>It is kept in the cache beside its kernel under a name made of its inputs, so a change of any of them makes another.
 *
 * @param kernel the kernel that it belongs to
 * @param file the cpio archive
 */
public record Initramfs(KernelPackage kernel, Path file) {
    private static final List<String> MODULES = List.of("9pnet_virtio", "9p", "overlay");

    /**
     * The initramfs for a kernel, built when the cache has none.
     *
     * @param kernel the kernel to start with it
     * @return the initramfs, complete on disk
     * @throws IOException when busybox or a module is missing; the message says which package to install
     */
    public static Initramfs of(KernelPackage kernel) throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("bin/busybox", Files.readAllBytes(HostProgram.BUSYBOX.find()));
        files.put("init", resource("init.sh"));
        files.put("agent", resource("agent.sh"));
        files.put("outboard-trace", resource("outboard-trace.sh"));
        files.put("outboard-monitor", resource("outboard-monitor.sh"));
        ModuleTree tree = new ModuleTree(kernel.modules());
        List<Path> modules = tree.loadOrder(MODULES);
        StringBuilder order = new StringBuilder();
        MessageDigest digest = sha256();
        files.values().forEach(digest::update);
        for (Path module : modules) {
            order.append(ModuleTree.moduleName(module.toString())).append('\n');
            digest.update(Files.readAllBytes(module));
        }
        files.put("modules/order", order.toString().getBytes(StandardCharsets.US_ASCII));
        String name = HexFormat.of().formatHex(digest.digest()).substring(0, 16);
        Path folder = KernelPackage.cacheDirectory().resolve("initramfs");
        Path file = folder.resolve(kernel.version() + "-" + name + ".cpio");
        if (!Files.exists(file)) {
            for (Path module : modules) {
                files.put("modules/" + ModuleTree.moduleName(module.toString()), tree.decompressed(module));
            }
            write(file, files);
        }
        return new Initramfs(kernel, file);
    }

    private static void write(Path file, Map<String, byte[]> files) throws IOException {
        CpioArchive archive = new CpioArchive();
        for (String folder : List.of("bin", "dev", "proc", "sys", "modules", "host", "own", "root")) {
            archive.directory(folder);
        }
        archive.characterDevice("dev/console", 5, 1);
        files.forEach(archive::file);
        Files.createDirectories(file.getParent());
        Path unfinished = Files.createTempFile(file.getParent(), ".", ".unfinished");
        try {
            Files.write(unfinished, archive.finish());
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream stream = Initramfs.class.getResourceAsStream(name)) {
            if (stream == null) {
                throw new RigException(
                        "The resource %s is missing from dev.outboard.rig: build it again".formatted(name));
            }
            return stream.readAllBytes();
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
