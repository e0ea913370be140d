package dev.outboard.nvme;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;

/** The model in a process of its own. */
@Tag("emulated")
class PersistentMemoryOverModelProcessTest extends PersistentMemoryContract {
    @Override
    NvmeController open(NvmeSettings settings, Path region) throws IOException {
        return Nvme.open("model:nvme?size=8M&cmb=1M&pmr=1M&pmr-file=" + region, settings);
    }
}
