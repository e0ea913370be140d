package dev.outboard.virtio.vhost;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A device that a back end in this process serves, a new one for each test. */
final class ServedEcho implements BeforeEachCallback, AfterEachCallback {
    private final int type;
    private Path directory;
    private EchoDevice device;
    private VhostUserBackend backend;

    ServedEcho(int type) {
        this.type = type;
    }

    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        directory = Files.createTempDirectory("outboard");
        device = new EchoDevice(type);
        backend = VhostUserBackend.listen(directory.resolve("s"), device, new VhostUserOptions(0, true));
        backend.start();
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        backend.close();
        backend.close();
        device.close();
        Files.delete(directory);
    }

    EchoDevice device() {
        return device;
    }

    TestFrontEnd connect() throws IOException {
        return TestFrontEnd.connect(backend.path());
    }

    TestFrontEnd negotiated() throws IOException {
        return TestFrontEnd.negotiated(backend.path());
    }

    /** That the back end goes on, and that nothing of the front end before is left. */
    void assertNextFrontEndIsServed() throws IOException {
        try (TestFrontEnd next = negotiated()) {
            next.startQueue(0);
            next.echo("the next one");
        }
    }
}
