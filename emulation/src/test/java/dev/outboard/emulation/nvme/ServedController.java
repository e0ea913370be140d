package dev.outboard.emulation.nvme;

import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.emulation.nvme.TestDriver.Pair;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A controller that is served, as it is after a reset. */
abstract class ServedController {
    @TempDir
    Path directory;

    NvmeModel model;
    VfioUserServer server;
    TestDriver driver;

    @BeforeEach
    void connect() throws IOException {
        serve(options());
    }

    NvmeOptions options() {
        return NvmeOptions.DEFAULT.withSizeBytes(1 << 20);
    }

    void serve(NvmeOptions options) throws IOException {
        model = new NvmeModel(options);
        server = VfioUserServer.start(model, directory.resolve("s"));
        connectDriver();
    }

    /** A client, after the last one if there was one. */
    void connectDriver() throws IOException {
        driver = new TestDriver(server.path());
    }

    @AfterEach
    void stop() {
        driver.close();
        server.close();
        model.close();
    }

    int status(Pair pair, Command command) throws IOException {
        return Status.code(driver.execute(pair, command).status());
    }
}
