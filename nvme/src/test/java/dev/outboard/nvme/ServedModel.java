package dev.outboard.nvme;

import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.nvme.NvmeModel;
import dev.outboard.emulation.nvme.NvmeOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The model, on a thread of this process, for all tests of a class. */
final class ServedModel implements BeforeAllCallback, AfterAllCallback {
    private final NvmeOptions options;
    private @Nullable Path directory;
    private @Nullable NvmeModel model;
    private @Nullable VfioUserServer server;

    ServedModel(NvmeOptions options) {
        this.options = options;
    }

    /** Where it is. */
    String address() {
        return "vfio-user:" + directory + "/nvme.sock";
    }

    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        directory = Files.createTempDirectory("outboard-test");
        model = new NvmeModel(options);
        server = VfioUserServer.start(model, directory.resolve("nvme.sock"));
    }

    @Override
    public void afterAll(ExtensionContext context) throws IOException {
        if (server != null) {
            server.close();
        }
        if (model != null) {
            model.close();
        }
        if (directory != null) {
            Files.deleteIfExists(directory.resolve("nvme.sock"));
            Files.delete(directory);
        }
    }
}
