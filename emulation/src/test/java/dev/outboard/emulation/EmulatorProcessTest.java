package dev.outboard.emulation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.nvme.NvmeRegisters;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A model in a process of its own: how it starts, and that nothing is left of it. */
@Tag("emulated")
@Timeout(60)
class EmulatorProcessTest {
    @TempDir
    private Path directory;

    private static Process start(List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(EmulatorProcess.java());
        command.addAll(arguments);
        return new ProcessBuilder(command).start();
    }

    private static String readyLine(Process process) throws IOException {
        return new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8)).readLine();
    }

    private static int awaitEnd(Process process) throws InterruptedException {
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    private static void assertVendor(Path socket) throws IOException {
        try (TestClient client = TestClient.negotiated(socket)) {
            assertThat(client.read(Vfio.VFIO_PCI_CONFIG_REGION_INDEX, 0, 4)).isEqualTo(0x00101b36);
        }
    }

    @Test
    void nothingIsLeftAfterItsEnd() throws IOException {
        EmulatorProcess process = EmulatorProcess.start("nvme", ModelOptions.parse("size=64M&cpu=0"));
        Path privateDirectory = process.socket().getParent();
        try (process) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(privateDirectory)))
                    .isEqualTo("rwx------");
            assertVendor(process.socket());
        }
        assertThat(process.handle().isAlive()).isFalse();
        assertThat(privateDirectory).doesNotExist();
        process.close();
    }

    @Test
    void nothingIsLeftWhenItWasKilled() throws IOException {
        EmulatorProcess process = EmulatorProcess.start("nvme", ModelOptions.parse(""));
        try (process) {
            process.handle().destroyForcibly();
        }
        assertThat(process.socket().getParent()).doesNotExist();
    }

    @Test
    void itEndsWhenItsParentDoesAndCleansUp() throws Exception {
        Path own = Files.createDirectory(directory.resolve("own"));
        Path socket = own.resolve("vfio-user.sock");
        // What a parent that is killed leaves is a pipe whose other end is closed.
        Process process =
                start(List.of("nvme", "--socket", socket.toString(), "--exit-with-parent", "--private-directory"));
        assertThat(readyLine(process)).isEqualTo("listening on " + socket);
        try (TestClient client = TestClient.negotiated(socket)) {
            process.getOutputStream().close();
            client.awaitDisconnect();
        }
        awaitEnd(process);
        assertThat(own).doesNotExist();
    }

    @Test
    void itEndsAtSigtermAndRemovesItsSocket() throws Exception {
        Path socket = directory.resolve("s");
        Process process = start(List.of("nvme", "--socket", socket.toString()));
        readyLine(process);
        assertVendor(socket);
        process.destroy();
        assertThat(awaitEnd(process)).isEqualTo(128 + 15);
        assertThat(socket).doesNotExist();
    }

    @Test
    void itEndsAfterOneClientIfItIsTold() throws Exception {
        Path socket = directory.resolve("s");
        Process process = start(List.of("nvme", "--socket", socket.toString(), "--once"));
        readyLine(process);
        assertVendor(socket);
        assertThat(awaitEnd(process)).isZero();
        assertThat(socket).doesNotExist();
    }

    @Test
    void whatIsWrongIsSaidInOneSentence() throws Exception {
        Process process =
                start(List.of("nvme", "--socket", directory.resolve("s").toString(), "--colour", "red"));
        String said = new String(process.getErrorStream().readAllBytes(), UTF_8);
        assertThat(awaitEnd(process)).isEqualTo(2);
        assertThat(said)
                .matches(
                        "outboard: model nvme has no option \"colour\"; it has size, block-size, [a-z, -]+, file, faults, record\n");
    }

    @Test
    void aProcessThatCannotStartSaysWhy() {
        assertThatThrownBy(() -> EmulatorProcess.start("nvme", ModelOptions.parse("cpu=5000")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("model:nvme")
                .hasMessageContaining("CPU 5000");
    }

    @Test
    void theModelPathOpensAFunction() throws IOException {
        DeviceAddress address = DeviceAddress.parse("model:nvme?size=64M&serial=X");
        ProcessHandle child;
        try (PciFunction function = Pci.open(address)) {
            child = ProcessHandle.current().children().findFirst().orElseThrow();
            assertThat(function.address()).isEqualTo(address);
            assertThat(function.configuration().read32(0)).isEqualTo(0x00101b36);
            assertThat(function.bar(0).read(NvmeRegisters.VS)).isEqualTo(0x20000);
            assertThat(function.interruptVectors()).isEqualTo(33);
            function.checkPresent();
        }
        assertThat(child.isAlive()).isFalse();
    }
}
