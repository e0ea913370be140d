package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.AsynchronousEvent;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Firmware;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.Maintenance;
import dev.outboard.specs.nvme.NamespaceCommand;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The model, on a thread of this process: with all that not every controller has. */
@Timeout(120)
class NvmeAdminOnModelTest extends NvmeAdminContract {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int IMAGE_HEAD_BYTES = 20;
    private static final int BLOCK = 512;

    @RegisterExtension
    final ServedModel model =
            new ServedModel(NvmeOptions.DEFAULT.withSizeBytes(8 << 20).withNamespaces(2));

    private NvmeController own;
    private AdminCommands admin;
    private ServedModel contractModel;

    @BeforeEach
    void openOwn() throws IOException {
        own = Nvme.open(model.address());
        admin = own.admin();
    }

    @AfterEach
    void closeOwn() throws IOException {
        own.close();
        contractModel.close();
    }

    @Override
    NvmeController open() throws IOException {
        contractModel = ServedModel.start(NvmeOptions.DEFAULT.withSizeBytes(8 << 20));
        return Nvme.open(contractModel.address());
    }

    private void assertRefused(int code, Call call) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        NvmeException.class,
                        e -> assertThat(Status.code(e.status())).isEqualTo(code));
    }

    private interface Call {
        void run() throws IOException;
    }

    private static void await(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            Thread.onSpinWait();
        }
    }

    @Test
    void namespacesComeAndGo() throws IOException {
        NamespaceManagement namespaces = admin.namespaces();
        assertThat(own.namespaces()).hasSize(2);
        namespaces.detach(2);
        assertThat(own.namespaces()).extracting(NvmeNamespace::id).containsExactly(1);
        assertThat(namespaces.allocated()).containsExactly(1, 2);
        assertThat(namespaces.controllers(2)).isEmpty();
        assertThat(namespaces.identify(2).get("nsze")).isPositive();
        namespaces.delete(2);
        assertThat(namespaces.allocated()).containsExactly(1);

        int id = namespaces.create(256, NamespaceFormat.of(4));
        namespaces.attach(id);
        NvmeNamespace created = own.namespace(id);
        assertThat(created.blockSizeBytes()).isEqualTo(4096);
        assertThat(created.blockCount()).isEqualTo(256);
        assertThat(namespaces.controllers(id))
                .containsExactly(own.identity().data().getInt("cntlid"));
        try (QueuePair queue = own.createQueuePair(4);
                DmaMemory buffer = own.dma().allocate(4096)) {
            buffer.segment().fill((byte) 7);
            queue.write(created, 255, buffer).await(SOON);
            buffer.segment().fill((byte) 0);
            queue.read(created, 255, buffer).await(SOON);
            assertThat(buffer.segment().get(ValueLayout.JAVA_BYTE, 4095)).isEqualTo((byte) 7);
        }
        assertRefused(Status.ALREADY_ATTACHED, () -> namespaces.attach(id));
        assertRefused(Status.INSUFFICIENT_CAPACITY, () -> namespaces.create(1L << 40, NamespaceFormat.of(0)));
    }

    @Test
    void aNamespaceHasTheMetadataThatItWasFormattedWith() throws IOException {
        NamespaceFormat format = new NamespaceFormat(1, true, 1, true);
        admin.namespaces().format(2, format, NamespaceCommand.ERASE_USER_DATA);
        NvmeNamespace namespace = own.namespace(2);
        assertThat(namespace.metadataBytes()).isEqualTo(8);
        assertThat(namespace.hasExtendedBlocks()).isTrue();
        assertThat(namespace.identity().get("dps")).isEqualTo(1 | Identify.DPS_PROTECTION_FIRST.mask());
        assertRefused(
                Status.INVALID_FORMAT,
                () -> admin.namespaces().format(2, NamespaceFormat.of(63), NamespaceCommand.ERASE_NONE));
    }

    @Test
    void errorsAreLogged() throws IOException {
        assertThat(admin.logs().errors(1).getFirst().count()).isZero();
        assertRefused(Status.INVALID_FIELD, () -> admin.identify(0xfe, 0));
        ErrorEntry entry = admin.logs().errors(1).getFirst();
        assertThat(entry.count()).isEqualTo(1);
        assertThat(Status.code(entry.status())).isEqualTo(Status.INVALID_FIELD);
        assertThat(entry.data().get("sqid")).isZero();
        assertThat(admin.logs().smart().counter("num_err_log_entries").intValue())
                .isEqualTo(1);
    }

    @Test
    void firmwareIsDownloadedCommittedAndRuns() throws IOException {
        FirmwareUpdate firmware = admin.firmware();
        assertRefused(Status.INVALID_FIRMWARE_IMAGE, () -> firmware.commit(2, Firmware.REPLACE));
        firmware.download(image("NEW 2.0 ", 3 * 65536));
        assertThat(firmware.commit(2, Firmware.REPLACE_AND_ACTIVATE)).isEqualTo(Status.SUCCESS);
        FirmwareSlots slots = admin.logs().firmwareSlots();
        assertThat(slots.active()).isEqualTo(1);
        assertThat(slots.next()).isEqualTo(2);
        assertThat(slots.revisions()).containsEntry(2, "NEW 2.0");
        own.reset();
        assertThat(own.identity().firmwareRevision()).isEqualTo("NEW 2.0");
        assertThat(admin.logs().firmwareSlots().active()).isEqualTo(2);
        assertThatThrownBy(() -> firmware.download(MemorySegment.ofArray(new byte[3])))
                .hasMessageContaining("a multiple of 4 bytes, not 3");
    }

    private static MemorySegment image(String revision, int bytes) {
        byte[] image = new byte[bytes];
        CRC32 crc = new CRC32();
        crc.update(image, IMAGE_HEAD_BYTES, bytes - IMAGE_HEAD_BYTES);
        ByteBuffer.wrap(image)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put("OUTBOARD".getBytes(StandardCharsets.US_ASCII))
                .put(revision.getBytes(StandardCharsets.US_ASCII))
                .putInt((int) crc.getValue());
        return MemorySegment.ofArray(image);
    }

    @Test
    void aSelfTestEndsAndIsLogged() throws IOException {
        admin.selfTest(NamespaceManagement.ALL, Maintenance.SHORT_TEST);
        SelfTestLog log = admin.logs().selfTests();
        while (log.running() != 0) {
            assertThat(log.running()).isEqualTo(Maintenance.SHORT_TEST);
            log = admin.logs().selfTests();
        }
        assertThat(log.results()).hasSize(1);
        assertThat(log.results().getFirst().test()).isEqualTo(Maintenance.SHORT_TEST);
        assertThat(log.results().getFirst().outcome()).isEqualTo(Maintenance.TEST_PASSED);
    }

    @Test
    void aSanitizeErasesAndIsReported() throws IOException {
        NvmeNamespace namespace = own.namespace(1);
        try (QueuePair queue = own.createQueuePair(4);
                DmaMemory buffer = own.dma().allocate(BLOCK)) {
            buffer.segment().fill((byte) 7);
            queue.write(namespace, 0, buffer).await(SOON);
            assertThat(admin.logs().sanitizeStatus().outcome()).isEqualTo(Maintenance.NEVER_SANITIZED);
            admin.sanitize((int) Maintenance.SANITIZE_ACTION.of(Maintenance.BLOCK_ERASE), 0);
            SanitizeStatus status = admin.logs().sanitizeStatus();
            while (status.isRunning()) {
                assertThat(status.progress()).isBetween(0.0, 1.0);
                status = admin.logs().sanitizeStatus();
            }
            assertThat(status.outcome()).isEqualTo(Maintenance.SANITIZED);
            queue.read(namespace, 0, buffer).await(SOON);
            assertThat(buffer.segment().get(ValueLayout.JAVA_BYTE, 0)).isZero();
        }
    }

    @Test
    void securityProtocolsAreListed() throws IOException {
        MemorySegment list = admin.securityReceive(0, 0, 512);
        assertThat(list.get(ValueLayout.JAVA_BYTE, 7)).isEqualTo((byte) 1);
        assertRefused(Status.INVALID_FIELD, () -> admin.securitySend(1, 0, MemorySegment.ofArray(new byte[4])));
    }

    @Test
    void everySettingIsReadAsItWasSet() throws IOException {
        Features features = admin.features();
        features.setArbitration(new Features.Arbitration(3, 1, 100, 256));
        assertThat(features.arbitration()).isEqualTo(new Features.Arbitration(3, 1, 100, 256));
        Features.InterruptCoalescing coalescing = new Features.InterruptCoalescing(8, Duration.ofMillis(2));
        features.setInterruptCoalescing(coalescing);
        assertThat(features.interruptCoalescing()).isEqualTo(coalescing);
        features.setPowerState(0);
        assertThat(features.powerState()).isZero();
        byte[] host = new byte[16];
        host[15] = 9;
        features.setHostId(MemorySegment.ofArray(host));
        assertThat(features.hostId().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(host);
    }

    @Test
    void aResetBringsBackWhatWasNotSaved() throws IOException {
        Features features = admin.features();
        int before = features.temperatureThresholdKelvin(0, false);
        features.setTemperatureThresholdKelvin(0, false, before + 5);
        features.set(Feature.ARBITRATION, 3, 0, true);
        own.reset();
        assertThat(features.temperatureThresholdKelvin(0, false)).isEqualTo(before);
        assertThat(features.arbitration().burst()).isEqualTo(3);
        assertThat(admin.logs().firmwareSlots().revisions())
                .containsEntry(1, own.identity().firmwareRevision());
    }

    @Test
    void eventsAreToldAlsoAfterAReset() throws Exception {
        BlockingQueue<NvmeEvent> told = new LinkedBlockingQueue<>();
        try (EventWatch _ = admin.watchEvents(told::add)) {
            admin.features().setTemperatureThresholdKelvin(0, false, 200);
            assertEvent(told, AsynchronousEvent.TEMPERATURE);
            own.reset();
            admin.features().setTemperatureThresholdKelvin(0, false, 200);
            assertEvent(told, AsynchronousEvent.TEMPERATURE);
        }
    }

    private static void assertEvent(BlockingQueue<NvmeEvent> told, int word) throws InterruptedException {
        assertThat(told.poll(SOON.toSeconds(), TimeUnit.SECONDS)).isEqualTo(new NvmeEvent(word));
    }

    @Test
    void whenNamespacesChangeTheListIsReadAgainBeforeTheListenerIsTold() throws Exception {
        BlockingQueue<Integer> counts = new LinkedBlockingQueue<>();
        try (EventWatch _ =
                admin.watchEvents(event -> counts.add(own.namespaces().size()))) {
            admin.namespaces().detach(2);
            assertThat(counts.poll(SOON.toSeconds(), TimeUnit.SECONDS)).isEqualTo(1);
            admin.namespaces().attach(2);
            assertThat(counts.poll(SOON.toSeconds(), TimeUnit.SECONDS)).isEqualTo(2);
        }
    }

    @Test
    void aListenerThatEndedIsToldNoMoreAndAnotherIs() throws Exception {
        BlockingQueue<NvmeEvent> first = new LinkedBlockingQueue<>();
        BlockingQueue<NvmeEvent> second = new LinkedBlockingQueue<>();
        admin.watchEvents(first::add).close();
        try (EventWatch _ = admin.watchEvents(second::add)) {
            admin.features().setTemperatureThresholdKelvin(0, false, 200);
            assertEvent(second, AsynchronousEvent.TEMPERATURE);
            assertThat(first).isEmpty();
        }
    }

    @Test
    void theThreadEndsWithTheController() throws Exception {
        EventWatch watch = admin.watchEvents(event -> {});
        Thread thread = Thread.getAllStackTraces().keySet().stream()
                .filter(each -> each.getName().equals("events of " + own.address()))
                .findFirst()
                .orElseThrow();
        own.close();
        await(() -> !thread.isAlive());
        watch.close();
        assertThatThrownBy(() -> admin.logs().smart()).hasMessageContaining("is closed");
    }
}
