package dev.outboard.nvme;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.outboard.specs.nvme.Guard;
import dev.outboard.specs.nvme.ProtectionInformation;
import java.io.IOException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** QEMU's controller without a guest. */
@Tag("emulated")
class NvmeProtectionOverQemuTest extends NvmeProtectionContract {
    private static final ProtectionInformation LONG_GUARD = new ProtectionInformation(Guard.BITS_64, 0);

    @BeforeAll
    static void requireQemu() {
        QemuController.require();
    }

    @Override
    NvmeController open(BlockLayout layout) throws IOException {
        if (layout.protection().equals(ProtectionInformation.STANDARD)) {
            return Nvme.open("qemu:nvme?ns1.size=64M");
        }
        assumeTrue(layout.protection().equals(LONG_GUARD), "QEMU has guards of 16 and 64 bits, and no storage tags");
        // QEMU's formats have other guards only where a namespace starts with them.
        return Nvme.open("qemu:nvme?ns1.size=64M&ns1.pif=2&ns1.ms=" + layout.metadataBytes() + "&ns1.mset="
                + (layout.extended() ? 1 : 0) + "&ns1.pi=" + layout.type() + "&ns1.pil=" + (layout.first() ? 1 : 0));
    }
}
