package dev.outboard.emulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.linux.uapi.Vfio;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A model that a server in this process serves, a new one for each test. */
final class Served<M extends PciModel> implements BeforeEachCallback, AfterEachCallback {
    private final Supplier<M> create;
    private Path directory;
    private M model;
    private VfioUserServer server;

    Served(Supplier<M> create) {
        this.create = create;
    }

    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        directory = Files.createTempDirectory("outboard");
        model = create.get();
        server = VfioUserServer.start(model, directory.resolve("s"));
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        server.close();
        model.close();
        Files.delete(directory);
    }

    M model() {
        return model;
    }

    VfioUserServer server() {
        return server;
    }

    TestClient connect() throws IOException {
        return TestClient.connect(server.path());
    }

    TestClient negotiated() throws IOException {
        return TestClient.negotiated(server.path());
    }

    /** That the server goes on, and that nothing of the client before is left. */
    void assertNextClientIsServed() throws IOException {
        try (TestClient client = negotiated()) {
            assertThat(client.read(Vfio.VFIO_PCI_CONFIG_REGION_INDEX, 0, 2)).isEqualTo(0x1234);
            assertThat(model.dma().regions()).isEmpty();
        }
    }
}
