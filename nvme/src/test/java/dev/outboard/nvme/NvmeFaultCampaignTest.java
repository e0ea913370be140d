package dev.outboard.nvme;

import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.nvme.NvmeModel;
import dev.outboard.emulation.nvme.NvmeOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** On the model, on a thread of this process. */
class NvmeFaultCampaignTest extends NvmeFaultCampaign {
    @TempDir
    static Path sockets;

    private static NvmeModel model;
    private static VfioUserServer server;

    @BeforeAll
    static void serve() throws IOException {
        model = new NvmeModel(NvmeOptions.DEFAULT.withSizeBytes(4 << 20));
        server = VfioUserServer.start(model, sockets.resolve("nvme.sock"));
    }

    @AfterAll
    static void stop() {
        server.close();
        model.close();
    }

    @Override
    String address() {
        return "vfio-user:" + server.path();
    }

    @Override
    int slice() {
        return 24;
    }
}
