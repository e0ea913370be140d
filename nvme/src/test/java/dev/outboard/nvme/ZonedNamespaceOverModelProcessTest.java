package dev.outboard.nvme;

import java.io.IOException;
import org.junit.jupiter.api.Tag;

/** Zones of the model in a process of its own. */
@Tag("emulated")
class ZonedNamespaceOverModelProcessTest extends ZonedNamespaceContract {
    @Override
    NvmeController open() throws IOException {
        return Nvme.open("model:nvme?size=16M&zone-size=1M&max-open=3&max-active=5");
    }
}
