package dev.outboard.nvme;

import java.io.IOException;
import org.junit.jupiter.api.Tag;

/** The model in a process of its own. */
@Tag("emulated")
class NvmeSettingsOverModelProcessTest extends NvmeSettingsContract {
    @Override
    NvmeController open(NvmeSettings settings) throws IOException {
        return Nvme.open("model:nvme?size=8M&cmb=1M", settings);
    }
}
