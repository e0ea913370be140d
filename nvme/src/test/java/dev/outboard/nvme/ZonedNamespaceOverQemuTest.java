package dev.outboard.nvme;

import java.io.IOException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** Zones of QEMU's controller without a guest, among namespaces of other kinds. */
@Tag("emulated")
class ZonedNamespaceOverQemuTest extends ZonedNamespaceContract {
    @BeforeAll
    static void requireQemu() {
        QemuController.require();
    }

    @Override
    NvmeController open() throws IOException {
        return Nvme.open(QemuController.SEVERAL_NAMESPACES);
    }
}
