package dev.outboard.nvme;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** QEMU's controller without a guest. */
@Tag("emulated")
class NvmeProtectionOverQemuTest extends NvmeProtectionContract {
    @BeforeAll
    static void requireQemu() {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/qemu-system-x86_64")), "needs QEMU: qemu-system-x86");
    }

    @Override
    NvmeController open() throws IOException {
        return Nvme.open("qemu:nvme?size=64M");
    }
}
