package dev.outboard.samples.idio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.driver.GpioEdges;
import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.idio.Idio16Model;
import dev.outboard.emulation.idio.Idio16Options;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The model, on a thread of this process; and what only a card has whose inputs others drive. */
class IdioOnModelTest extends IdioContract {
    @TempDir
    static Path directory;

    private static Idio16Model model;
    private static VfioUserServer server;

    @BeforeAll
    static void serve() throws IOException {
        model = new Idio16Model(Idio16Options.DEFAULT);
        server = VfioUserServer.start(model, directory.resolve("idio.sock"));
    }

    @AfterAll
    static void stop() {
        server.close();
        model.close();
    }

    @Override
    IdioCard open() throws IOException {
        model.setInputs(0);
        return IdioCard.open("vfio-user:" + server.path());
    }

    @Test
    void theWorldSeesOutputsAndDrivesInputs() throws IOException {
        card().set(0xffff, 0x1234);
        assertThat(card().get(0xffff)).isEqualTo(0x1234);
        assertThat(model.outputs()).isEqualTo(0x1234);
        model.setInputs(0x8001);
        assertThat(card().get(0xffff_0000L)).isEqualTo((0x1234L | 0x8001) << IdioCard.FIRST_INPUT);
    }

    @Test
    void whatTheWorldDoesEndsAWait() throws IOException {
        try (GpioEdges edges = card().watch(0xffff_0000L)) {
            model.setInputs(1 << 12);
            assertEdge(edges, 28, true);
            model.setInputs(0);
            assertEdge(edges, 28, false);
        }
    }
}
