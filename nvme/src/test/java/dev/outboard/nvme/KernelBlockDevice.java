package dev.outboard.nvme;

import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.PciBus;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/** A namespace as the kernel's own driver shows it: the other side of whatever Outboard reads and writes. */
final class KernelBlockDevice {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private KernelBlockDevice() {}

    /** Gives a controller back to the kernel's driver and finds the block device of a namespace. */
    static Path of(String controller, int namespace) throws IOException, InterruptedException {
        new DriverBinding(PciBus.system(), controller).release();
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (System.nanoTime() < deadline) {
            Path node = find(controller, namespace);
            if (node != null && Files.exists(node)) {
                return node;
            }
            // The kernel brings it up in the background, and tells nobody here.
            Thread.sleep(50);
        }
        throw new AssertionError("the kernel shows no namespace " + namespace + " of " + controller);
    }

    private static Path find(String controller, int namespace) throws IOException {
        Path function = Path.of("/sys/bus/pci/devices", controller).toRealPath();
        try (DirectoryStream<Path> disks = Files.newDirectoryStream(Path.of("/sys/class/block"), "nvme*n*")) {
            for (Path disk : disks) {
                if (disk.getFileName().toString().indexOf('c') >= 0) {
                    // One of the ways to a namespace, which has no node.
                    continue;
                }
                // A namespace that its controller could share hangs below its subsystem, whose parent is no function.
                Path subsystem = disk.resolve("device");
                boolean ours = disk.toRealPath().startsWith(function) || leadsTo(subsystem, function);
                if (ours
                        && Integer.parseInt(
                                        Files.readString(disk.resolve("nsid")).strip())
                                == namespace) {
                    return Path.of("/dev", disk.getFileName().toString());
                }
            }
        } catch (NoSuchFileException changing) {
            return null;
        }
        return null;
    }

    private static boolean leadsTo(Path subsystem, Path function) throws IOException {
        if (!Files.isDirectory(subsystem)) {
            return false;
        }
        try (DirectoryStream<Path> members = Files.newDirectoryStream(subsystem, "nvme*")) {
            for (Path member : members) {
                if (member.toRealPath().startsWith(function)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Reads from a device that was not open since it appeared, so that nothing comes from the page cache. */
    static byte[] read(Path node, long offset, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length);
        try (FileChannel channel = FileChannel.open(node, StandardOpenOption.READ)) {
            while (buffer.hasRemaining() && channel.read(buffer, offset + buffer.position()) > 0) {
                // Until all is there.
            }
        }
        return buffer.array();
    }

    /** Writes, down to the device. */
    static void write(Path node, long offset, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(node, StandardOpenOption.WRITE)) {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                channel.write(buffer, offset + buffer.position());
            }
            channel.force(true);
        }
    }
}
