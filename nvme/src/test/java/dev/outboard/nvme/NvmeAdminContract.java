package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.specs.nvme.CommandEffects;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.NamespaceCommand;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The admin commands that every controller has, whatever it is and however it is reached. Formats the first namespace. */
abstract class NvmeAdminContract {
    private NvmeController controller;
    private AdminCommands admin;

    /** Opens the controller; called for each test. */
    abstract NvmeController open() throws IOException;

    @BeforeEach
    void openController() throws IOException {
        controller = open();
        admin = controller.admin();
    }

    @AfterEach
    void closeController() {
        if (controller != null) {
            controller.close();
        }
    }

    @Test
    void identifyOfEveryKindAgreesWithWhatTheDriverFound() throws IOException {
        int id = controller.namespaces().getFirst().id();
        MemorySegment identity = admin.identify(Identify.CNS_CONTROLLER, 0);
        assertThat(identity.mismatch(controller.identity().data().segment())).isEqualTo(-1);
        assertThat(admin.namespaceIds(Identify.CNS_ACTIVE_NAMESPACES, 0))
                .isEqualTo(
                        controller.namespaces().stream().map(NvmeNamespace::id).toList());
        assertThat(admin.namespaces().allocated()).contains(id);
        assertThat(admin.namespaceDescriptors(id)).isNotEmpty();
        assertThatThrownBy(() -> admin.identify(0xfe, 0))
                .isInstanceOfSatisfying(
                        NvmeException.class,
                        e -> assertThat(Status.code(e.status())).isEqualTo(Status.INVALID_FIELD))
                .hasMessageContaining("identify on " + controller.address());
    }

    @Test
    void theControllerIsInGoodHealth() throws IOException {
        SmartLog smart = admin.logs().smart();
        assertThat(smart.criticalWarnings()).isZero();
        assertThat(smart.temperatureKelvin()).isBetween(253, 373);
        assertThat(smart.counter("power_cycles").bitLength()).isLessThan(64);
        assertThat(smart.data().segment().byteSize()).isEqualTo(512);
    }

    @Test
    void logsSayWhatTheControllerHas() throws IOException {
        assertThat(admin.logs().errors(64))
                .hasSize((int) controller.identity().data().get("elpe") + 1);
        FirmwareSlots slots = admin.logs().firmwareSlots();
        assertThat(slots.revisions()).containsKey(slots.active());
        LogPages.Effects effects = admin.logs().commandEffects();
        assertThat(effects.admin(Opcode.IDENTIFY) & CommandEffects.SUPPORTED).isNotZero();
        assertThat(effects.io(Opcode.READ) & CommandEffects.SUPPORTED).isNotZero();
        assertThat(effects.io(Opcode.WRITE) & CommandEffects.CHANGES_BLOCKS).isNotZero();
        assertThat(effects.admin(0xff)).isZero();
    }

    @Test
    void aFeatureThatIsSetIsInEffect() throws IOException {
        Features features = admin.features();
        int before = features.temperatureThresholdKelvin(0, false);
        features.setTemperatureThresholdKelvin(0, false, before + 5);
        assertThat(features.temperatureThresholdKelvin(0, false)).isEqualTo(before + 5);
        Features.QueueCounts counts = features.queueCounts();
        assertThat(Math.min(counts.submission(), counts.completion()))
                .isGreaterThanOrEqualTo(controller.maximumQueuePairs());
        boolean cache = features.volatileWriteCache();
        features.setVolatileWriteCache(!cache);
        assertThat(features.volatileWriteCache()).isEqualTo(!cache);
        features.setVolatileWriteCache(cache);
        features.setTemperatureThresholdKelvin(0, false, before);
        assertThatThrownBy(() -> features.get(0xfe)).isInstanceOf(NvmeException.class);
    }

    @Test
    void whatCanBeDoneWithAFeatureIsSaid() throws IOException {
        Features features = admin.features();
        assertThat(features.get(Feature.VOLATILE_WRITE_CACHE, Feature.SELECT_CAPABILITIES, 0, 0)
                        & Feature.CAN_BE_CHANGED)
                .isNotZero();
    }

    @Test
    void anyCommandPassesThroughButTheDriversOwn() throws IOException {
        MemorySegment smart = admin.receive(
                NvmeCommand.of(Opcode.GET_LOG_PAGE).namespace(-1).dword(10, 127 << 16 | LogPage.SMART), 512);
        assertThat(smart.byteSize()).isEqualTo(512);
        assertThat(LogPage.SMART_INFORMATION.view(smart).get("temperature")).isPositive();
        assertThatThrownBy(() -> admin.execute(NvmeCommand.of(0xc5)))
                .hasMessageContaining("admin command 0xc5")
                .hasMessageContaining("invalid command opcode");
        assertThatThrownBy(() -> admin.execute(NvmeCommand.of(Opcode.DELETE_IO_SUBMISSION_QUEUE)))
                .hasMessageContaining("for the driver alone");
        assertThatThrownBy(() -> admin.receive(NvmeCommand.of(Opcode.IDENTIFY), 4098))
                .hasMessageContaining("a multiple of 4 bytes");
    }

    @Test
    void aNamespaceIsFormattedToBlocksOfAnotherSizeAndBack() throws IOException {
        NvmeNamespace before = controller.namespaces().getFirst();
        int now = (int) Identify.FLBAS_INDEX_LOW.get(before.identity().get("flbas"));
        int other = now == 0 ? 4 : 0;
        NamespaceManagement namespaces = admin.namespaces();
        namespaces.format(before.id(), NamespaceFormat.of(other), NamespaceCommand.ERASE_NONE);
        NvmeNamespace formatted = controller.namespaces().getFirst();
        assertThat(formatted.blockSizeBytes()).isNotEqualTo(before.blockSizeBytes());
        namespaces.format(before.id(), NamespaceFormat.of(now), NamespaceCommand.ERASE_NONE);
        NvmeNamespace after = controller.namespaces().getFirst();
        assertThat(after.blockSizeBytes()).isEqualTo(before.blockSizeBytes());
        assertThat(after.blockCount()).isEqualTo(before.blockCount());
    }

    @Test
    void severalThreadsHaveCommandsOnTheirWayAtOnce() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<Integer>> results = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                results.add(threads.submit(() -> {
                    int kelvin = 0;
                    for (int n = 0; n < 50; n++) {
                        kelvin = admin.logs().smart().temperatureKelvin();
                    }
                    return kelvin;
                }));
            }
            for (Future<Integer> result : results) {
                assertThat(result.get()).isPositive();
            }
        }
    }
}
