package dev.outboard.samples.ivshmem;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** QEMU's device without a guest. */
@Tag("emulated")
class PlainOverQemuTest extends SharedMemoryContract {
    @BeforeAll
    static void requireQemu() {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/qemu-system-x86_64")), "needs QEMU: qemu-system-x86");
    }

    @Override
    SharedMemory open() throws IOException {
        return SharedMemory.open("qemu:ivshmem-plain?size=64K");
    }
}
