package dev.outboard.samples.serial;

import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.interpose.Interposer;
import dev.outboard.emulation.serial.SerialCardModel;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The model with something between it and its clients that changes nothing. */
class SerialOnInterposedModelTest extends SerialContract {
    @TempDir
    static Path directory;

    private static SerialCardModel model;
    private static VfioUserServer server;

    @BeforeAll
    static void serve() throws IOException {
        model = new SerialCardModel(SerialCardModel.Wiring.CROSSED);
        model.interpose(new Interposer() {});
        server = VfioUserServer.start(model, directory.resolve("serial.sock"));
    }

    @AfterAll
    static void stop() {
        server.close();
        model.close();
    }

    @Override
    SerialCard open() throws IOException {
        return SerialCard.open("vfio-user:" + server.path());
    }
}
