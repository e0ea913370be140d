package dev.outboard.nvme;

import dev.outboard.emulation.nvme.NvmeOptions;
import java.io.IOException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** Metadata of QEMU's controller without a guest, each in a namespace of its own. */
@Tag("emulated")
class NvmeMetadataOverQemuTest extends NvmeMetadataContract {
    @BeforeAll
    static void requireQemu() {
        QemuController.require();
    }

    @Override
    NvmeController open(NvmeOptions.Metadata metadata) throws IOException {
        return Nvme.open(QemuController.SEVERAL_NAMESPACES);
    }
}
