package dev.outboard.cli;

import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.PciBus;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** The controllers of a guest of {@code rig}, as the kernel's NVMe driver shows them. */
final class KernelDriver {
    /** Serial number {@code OUTBOARD-0}, one namespace of 512-byte blocks, 64 MiB. */
    static final String FIRST = "0000:00:04.0";

    private static final long LIMIT_NANOS = 60_000_000_000L;

    private KernelDriver() {}

    static DriverBinding binding() {
        return new DriverBinding(PciBus.system(), FIRST);
    }

    /** The kernel's name of the first controller, {@code nvme0} or {@code nvme1}, once its namespace is there. */
    static String name() throws IOException, InterruptedException {
        binding().release();
        long deadline = System.nanoTime() + LIMIT_NANOS;
        Path controllers = Path.of("/sys/bus/pci/devices", FIRST, "nvme");
        while (System.nanoTime() < deadline) {
            if (Files.isDirectory(controllers)) {
                try (DirectoryStream<Path> entries = Files.newDirectoryStream(controllers, "nvme*")) {
                    for (Path entry : entries) {
                        String name = entry.getFileName().toString();
                        if (Files.exists(Path.of("/dev", name + "n1"))) {
                            return name;
                        }
                    }
                }
            }
            Thread.sleep(50);
        }
        throw new AssertionError("the kernel's driver shows no namespace of " + FIRST);
    }
}
