package dev.outboard.samples.serial;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** QEMU's card without a guest. */
@Tag("emulated")
class SerialOverQemuTest extends SerialContract {
    @BeforeAll
    static void requireQemu() {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/qemu-system-x86_64")), "needs QEMU: qemu-system-x86");
    }

    @Override
    SerialCard open() throws IOException {
        return SerialCard.open("qemu:pci-serial-2x");
    }
}
