package dev.outboard.emulation.virtio;

import dev.outboard.emulation.PciModel;
import dev.outboard.emulation.VfioUserServer;
import dev.outboard.specs.virtio.VirtioFeature;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The model, on a thread of this process. */
class VirtioBlockOnModelTest extends VirtioBlockContract {
    @TempDir
    static Path directory;

    private static PciModel model;
    private static VfioUserServer server;

    @BeforeAll
    static void serve() throws IOException {
        model = new VirtioPciModel(new VirtioBlockModel(VirtioBlockOptions.DEFAULT.withSizeBytes(64 << 20)));
        server = VfioUserServer.start(model, directory.resolve("blk.sock"));
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
    long expectedFeatures() {
        return super.expectedFeatures() | VirtioFeature.RING_PACKED;
    }
}
