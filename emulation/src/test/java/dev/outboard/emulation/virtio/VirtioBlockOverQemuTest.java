package dev.outboard.emulation.virtio;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** QEMU's device without a guest. */
@Tag("emulated")
class VirtioBlockOverQemuTest extends VirtioBlockContract {
    @BeforeAll
    static void requireQemu() {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/qemu-system-x86_64")), "needs QEMU: qemu-system-x86");
    }

    @Override
    String address() {
        return "qemu:virtio-blk-pci?disable-legacy=on&packed=on&serial=OB0001&size=64M";
    }
}
