package dev.outboard.nvme;

import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.nvme.NvmeModel;
import dev.outboard.emulation.nvme.NvmeOptions;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who serves the controller stops. */
class NvmeRemovalOnModelTest extends NvmeRemovalContract {
    @Test
    void theEndOfItsServerIsNoticed(@TempDir Path directory) throws Exception {
        try (NvmeModel model = new NvmeModel(NvmeOptions.DEFAULT.withSizeBytes(16 << 20));
                VfioUserServer server = VfioUserServer.start(model, directory.resolve("nvme.sock"))) {
            assertNoticed(Nvme.open("vfio-user:" + server.path()), server::close);
        }
    }
}
