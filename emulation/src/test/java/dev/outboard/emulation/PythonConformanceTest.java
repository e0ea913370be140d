package dev.outboard.emulation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A client that was written from the protocol's document, in Python: see clients/python. */
@Tag("emulated")
class PythonConformanceTest {
    private static final Path PYTHON = Path.of("/usr/bin/python3");
    private static final Path CHECKS =
            Path.of(System.getProperty("basedir", "."), "..", "clients", "python", "vfio_user_conformance.py");

    @Test
    @Timeout(300)
    void theServerDoesWhatTheDocumentSays() throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(PYTHON), "no /usr/bin/python3: install the Debian package python3");
        try (EmulatorProcess emulator = EmulatorProcess.start("nvme", ModelOptions.parse("size=64M"))) {
            Process checks = new ProcessBuilder(
                            PYTHON.toString(),
                            CHECKS.toString(),
                            emulator.socket().toString())
                    .redirectErrorStream(true)
                    .start();
            String said = new String(checks.getInputStream().readAllBytes(), UTF_8);
            assertThat(checks.waitFor()).as(said).isZero();
            assertThat(said).contains("an nvme controller identifies itself", " 0 failed");
            assertThat(emulator.handle().isAlive()).isTrue();
        }
    }
}
