package dev.outboard.nvme;

import dev.outboard.emulation.nvme.NvmeOptions;
import org.junit.jupiter.api.Test;

/** Who serves the controller stops. */
class NvmeRemovalOnModelTest extends NvmeRemovalContract {
    @Test
    void theEndOfItsServerIsNoticed() throws Exception {
        try (ServedModel model = ServedModel.start(NvmeOptions.DEFAULT.withSizeBytes(16 << 20))) {
            assertNoticed(Nvme.open(model.address()), model::stop);
        }
    }
}
