package dev.outboard.nvme;

import dev.outboard.emulation.nvme.NvmeOptions;
import java.io.IOException;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Zones of the model, on a thread of this process. */
class ZonedNamespaceOnModelTest extends ZonedNamespaceContract {
    @RegisterExtension
    static final ServedModel MODEL = new ServedModel(
            NvmeOptions.DEFAULT.withSizeBytes(16 << 20).withZones(new NvmeOptions.ZoneLimits(1 << 20, 3, 5)));

    @Override
    NvmeController open() throws IOException {
        return Nvme.open(MODEL.address());
    }
}
