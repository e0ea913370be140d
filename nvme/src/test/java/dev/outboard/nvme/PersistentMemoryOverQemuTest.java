package dev.outboard.nvme;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** QEMU's controller without a guest. */
@Tag("emulated")
class PersistentMemoryOverQemuTest extends PersistentMemoryContract {
    @BeforeAll
    static void requireQemu() {
        QemuController.require();
    }

    @Override
    NvmeController open(NvmeSettings settings, Path region) throws IOException {
        return Nvme.open("qemu:nvme?size=64M&cmb_size_mb=1&pmr.size=1M&pmr.file=" + region, settings);
    }
}
