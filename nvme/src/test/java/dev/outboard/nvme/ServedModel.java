package dev.outboard.nvme;

import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.nvme.NvmeModel;
import dev.outboard.emulation.nvme.NvmeOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The model, on a thread of this process: for all tests of a class as an extension in a static field, for each test in
 * one that is not static, and for a part of one by {@link #start}.
 */
public final class ServedModel
        implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback, AutoCloseable {
    private final NvmeOptions options;
    private boolean isOfOneTest;
    private @Nullable Path directory;
    private @Nullable NvmeModel model;
    private @Nullable VfioUserServer server;

    /** A model that JUnit starts and closes. */
    public ServedModel(NvmeOptions options) {
        this.options = options;
    }

    /** A model that is there until it is closed. */
    static ServedModel start(NvmeOptions options) throws IOException {
        ServedModel started = new ServedModel(options);
        started.serve();
        return started;
    }

    private void serve() throws IOException {
        directory = Files.createTempDirectory("outboard-test");
        model = new NvmeModel(options);
        server = VfioUserServer.start(model, directory.resolve("nvme.sock"));
    }

    /** Where it is. */
    public String address() {
        return "vfio-user:" + directory + "/nvme.sock";
    }

    /** Ends the server, and with that the connections of all clients. */
    void stop() {
        if (server != null) {
            server.close();
        }
    }

    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        serve();
    }

    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        if (server == null) {
            isOfOneTest = true;
            serve();
        }
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        if (isOfOneTest) {
            close();
        }
    }

    @Override
    public void afterAll(ExtensionContext context) throws IOException {
        close();
    }

    @Override
    public void close() throws IOException {
        stop();
        if (model != null) {
            model.close();
        }
        if (directory != null) {
            Files.deleteIfExists(directory.resolve("nvme.sock"));
            Files.delete(directory);
        }
    }
}
