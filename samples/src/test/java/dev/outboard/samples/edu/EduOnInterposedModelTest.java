package dev.outboard.samples.edu;

import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.edu.EduModel;
import dev.outboard.emulation.edu.EduOptions;
import dev.outboard.emulation.interpose.Interposer;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The model with something between it and its clients that changes nothing. */
class EduOnInterposedModelTest extends EduContract {
    @TempDir
    static Path directory;

    private static EduModel model;
    private static VfioUserServer server;

    @BeforeAll
    static void serve() throws IOException {
        model = new EduModel(EduOptions.DEFAULT);
        model.interpose(new Interposer() {});
        server = VfioUserServer.start(model, directory.resolve("edu.sock"));
    }

    @AfterAll
    static void stop() {
        server.close();
        model.close();
    }

    @Override
    Edu open() throws IOException {
        return Edu.open("vfio-user:" + server.path());
    }
}
