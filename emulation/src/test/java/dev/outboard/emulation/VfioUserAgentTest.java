package dev.outboard.emulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.emulation.edu.EduModel;
import dev.outboard.emulation.edu.EduOptions;
import dev.outboard.linux.uapi.Vfio;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several models on one thread. */
@Timeout(60)
class VfioUserAgentTest {
    private static final int MODELS = 3;

    @TempDir
    private Path directory;

    private final List<PciModel> models = new ArrayList<>();
    private VfioUserAgent agent;
    private CompletableFuture<Thread> end;

    @BeforeEach
    void serve() throws IOException {
        List<VfioUserServer> servers = new ArrayList<>();
        for (int i = 0; i < MODELS; i++) {
            PciModel model = i == 0 ? new EduModel(EduOptions.DEFAULT) : new RegisterModel();
            models.add(model);
            servers.add(VfioUserServer.listen(socket(i), model));
        }
        agent = VfioUserAgent.of(servers);
        end = new CompletableFuture<>();
        Thread.ofPlatform().daemon().start(() -> {
            try {
                agent.run();
                end.complete(Thread.currentThread());
            } catch (IOException | RuntimeException e) {
                end.completeExceptionally(e);
            }
        });
    }

    @AfterEach
    void close() {
        agent.close();
        models.forEach(PciModel::close);
    }

    private Path socket(int index) {
        return directory.resolve("s" + index);
    }

    private static void assertDevice(TestClient client, long id) throws IOException {
        assertThat(client.read(Vfio.VFIO_PCI_CONFIG_REGION_INDEX, 2, 2)).isEqualTo(id);
    }

    @Test
    void allAreServedAtATime() throws IOException {
        try (TestClient first = TestClient.negotiated(socket(0));
                TestClient second = TestClient.negotiated(socket(1));
                TestClient third = TestClient.negotiated(socket(2))) {
            for (int round = 0; round < 3; round++) {
                assertDevice(third, 0x5678);
                assertDevice(first, 0x11e8);
                assertDevice(second, 0x5678);
            }
        }
    }

    @Test
    void aClientThatBreaksItsModelTakesNothingFromTheOthers() throws IOException {
        try (TestClient good = TestClient.negotiated(socket(0));
                TestClient bad = TestClient.negotiated(socket(1))) {
            assertDevice(good, 0x11e8);
            assertThatThrownBy(() -> bad.write(0, RegisterModel.BROKEN_REGISTER, 4, 1))
                    .hasMessageContaining("closed");
            assertDevice(good, 0x11e8);
            try (TestClient next = TestClient.negotiated(socket(1))) {
                assertDevice(next, 0x5678);
            }
        }
    }

    @Test
    void closingEndsTheThreadAndRemovesTheSockets() throws Exception {
        try (TestClient client = TestClient.negotiated(socket(2))) {
            agent.close();
            client.awaitDisconnect();
        }
        end.get();
        for (int i = 0; i < MODELS; i++) {
            assertThat(socket(i)).doesNotExist();
        }
        agent.close();
    }
}
