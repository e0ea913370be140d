package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Waiting;
import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.fault.FaultInjector;
import dev.outboard.emulation.fault.FaultPlan;
import dev.outboard.emulation.interpose.InterposerChain;
import dev.outboard.emulation.nvme.NvmeModel;
import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.emulation.recording.RecordedEvent;
import dev.outboard.emulation.recording.Recorder;
import dev.outboard.emulation.recording.RecordingReader;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.nvme.NvmeRegisters;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Faults inside of a controller that is served: whoever the client is, the device fails. */
class NvmeOnFaultyDeviceTest extends NvmeFaultsContract {
    @TempDir
    private Path directory;

    private final List<AutoCloseable> opened = new ArrayList<>();

    private Path serve(FaultInjector injector) throws IOException {
        NvmeModel model = new NvmeModel(NvmeOptions.DEFAULT.withSizeBytes(4 << 20));
        opened.addFirst(model);
        model.interpose(new InterposerChain(Recorder.served(recording(), "nvme", 1), injector));
        VfioUserServer server = VfioUserServer.start(model, directory.resolve("s" + opened.size()));
        opened.addFirst(server);
        return server.path();
    }

    private static FaultInjector injector(String... rules) throws IOException {
        return new FaultInjector(
                FaultPlan.parse("rules", "outboard-faults 1\nnames bar0 nvme\n" + String.join("\n", rules)));
    }

    private Path recording() {
        return directory.resolve("recording");
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    @Override
    NvmeController open(Duration timeout, String... rules) throws IOException {
        return Nvme.open(
                Pci.open("vfio-user:" + serve(injector(rules))), NvmeSettings.DEFAULT.withCommandTimeout(timeout));
    }

    @ParameterizedTest
    @ValueSource(strings = {"on read bar0 CSTS nth 2 do sigbus", "on write bar0 0x1080 nth 1 do sigbus"})
    void anAccessThatFaultsIsRefused(String rule) {
        assertThatThrownBy(() -> {
                    try (NvmeController controller = open(TIMEOUT, rule)) {
                        writeAndRead(controller, Waiting.POLL, TIMEOUT);
                    }
                })
                .hasMessageContaining("EIO");
    }

    @Test
    void aRuleCountsOverAllClientsAndSaysHowOftenItActed() throws IOException {
        FaultInjector injector = injector("on completion 1-9 opcode write nth 2 do status 0x281");
        String address = "vfio-user:" + serve(injector);
        try (NvmeController first = Nvme.open(address)) {
            writeAndRead(first, Waiting.POLL, TIMEOUT);
        }
        try (NvmeController second = Nvme.open(address)) {
            assertThatThrownBy(() -> writeAndRead(second, Waiting.POLL, TIMEOUT))
                    .isInstanceOf(NvmeException.class);
            writeAndRead(second, Waiting.POLL, TIMEOUT);
        }
        assertThat(injector.acts().values()).containsExactly(1L);
    }

    @Test
    void aDeviceThatHangsHearsTheNextClient() throws IOException {
        String address = "vfio-user:" + serve(injector("on write bar0 AQA nth 1 do hang"));
        for (long heard : new long[] {0, 0x001f001f}) {
            try (PciFunction function = Pci.open(address)) {
                function.bar(0).write(NvmeRegisters.AQA, 0x001f001f);
                assertThat(function.bar(0).read(NvmeRegisters.AQA)).isEqualTo(heard);
            }
        }
    }

    @Test
    void aRemovedDeviceAsksItsClientToLetGo() throws IOException {
        try (PciFunction function = Pci.open("vfio-user:" + serve(injector("on read bar0 CAP nth 1 do remove")))) {
            function.bar(0).read64(0);
            assertThatThrownBy(() -> {
                        while (true) {
                            function.checkPresent();
                            Thread.onSpinWait();
                        }
                    })
                    .isInstanceOf(DeviceGoneException.class)
                    .hasMessageContaining("its server wants the device back");
        }
    }

    @Test
    void aRecordingHasWhatTheClientDidAndCannotBeReplayed() throws Exception {
        try (NvmeController controller = open(TIMEOUT)) {
            writeAndRead(controller, Waiting.INTERRUPT, TIMEOUT);
        }
        close();
        opened.clear();
        List<Class<?>> kinds = new ArrayList<>();
        try (RecordingReader reader = RecordingReader.open(recording())) {
            for (RecordedEvent event = reader.read(); event != null; event = reader.read()) {
                kinds.add(event.getClass());
            }
        }
        assertThat(kinds)
                .contains(RecordedEvent.Allocated.class, RecordedEvent.ToDevice.class, RecordedEvent.ToDriver.class)
                .contains(RecordedEvent.Read.class, RecordedEvent.Write.class, RecordedEvent.Interrupts.class)
                .endsWith(RecordedEvent.Closed.class);
        assertThatThrownBy(() -> Pci.open("replay:" + recording()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cannot be replayed");
    }
}
