package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.Zone;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What holds for the first namespace with zones: 16 of 1 MiB, 3 of which can be open, in blocks of 512 bytes. */
abstract class ZonedNamespaceContract {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int BLOCK = 512;
    private static final long ZONE = (1 << 20) / BLOCK;
    private static final int ZONES = 16;

    private NvmeController controller;
    private NvmeNamespace namespace;
    private ZonedNamespace zoned;

    /** Opens the controller; called for each test. */
    abstract NvmeController open() throws IOException;

    @BeforeEach
    void openNamespace() throws IOException {
        controller = open();
        namespace = controller.namespaces().stream()
                .filter(each -> each.zones() != null)
                .findFirst()
                .orElseThrow();
        zoned = new ZonedNamespace(controller, namespace, Waiting.POLL);
        zoned.resetAll();
    }

    @AfterEach
    void closeController() {
        if (controller != null) {
            controller.close();
        }
    }

    private static int code(NvmeException failure) {
        return Status.code(failure.status());
    }

    @Test
    void aNamespaceSaysWhichZonesItHas() {
        assertThat(namespace.requireZones())
                .returns(ZONE, ZoneInformation::zoneBlocks)
                .returns((long) ZONES, ZoneInformation::count)
                .returns(3L, ZoneInformation::maximumOpen);
        assertThat(namespace).asString().contains("16 zones of 2048 blocks");
    }

    @Test
    void allZonesAreReported() throws IOException {
        List<ZoneDescriptor> zones = zoned.report();
        assertThat(zones).hasSize(ZONES).allMatch(zone -> zone.state() == ZoneState.EMPTY);
        assertThat(zones.getLast().firstBlock()).isEqualTo((ZONES - 1) * ZONE);
    }

    @Test
    void zonesGoThroughTheirStates() throws IOException {
        zoned.open(0);
        assertThat(zoned.report(0).state()).isEqualTo(ZoneState.EXPLICITLY_OPENED);
        try (DmaMemory buffer = controller.dma().allocate(2 * BLOCK)) {
            assertThat(zoned.append(0, buffer)).isZero();
            assertThat(zoned.append(ZONE, buffer)).isEqualTo(ZONE);
            assertThat(zoned.report(ZONE).state()).isEqualTo(ZoneState.IMPLICITLY_OPENED);
        }
        zoned.close(0);
        assertThat(zoned.report(0))
                .returns(ZoneState.CLOSED, ZoneDescriptor::state)
                .returns(2L, ZoneDescriptor::writePointer);
        zoned.finish(0);
        assertThat(zoned.report(0))
                .returns(ZoneState.FULL, ZoneDescriptor::state)
                .returns(-1L, ZoneDescriptor::writePointer);
        zoned.reset(0);
        assertThat(zoned.report(0)).returns(ZoneState.EMPTY, ZoneDescriptor::state);
    }

    @Test
    void whatIsAppendedIsReadWhereItWent() throws IOException {
        long zone = 3 * ZONE;
        try (QueuePair queue = controller.createQueuePair(1);
                DmaMemory buffer = controller.dma().allocate(BLOCK)) {
            for (byte i = 0; i < 4; i++) {
                buffer.segment().fill(i);
                assertThat(zoned.append(zone, buffer)).isEqualTo(zone + i);
            }
            queue.read(namespace, zone + 2, buffer).await(SOON);
            assertThat(buffer.segment().toArray(ValueLayout.JAVA_BYTE)).containsOnly(2);
        }
    }

    @Test
    void aWriteBesideTheWritePointerFails() throws IOException {
        try (QueuePair queue = controller.createQueuePair(1);
                DmaMemory buffer = controller.dma().allocate(BLOCK)) {
            assertThatThrownBy(() -> queue.write(namespace, 5, buffer).await(SOON))
                    .isInstanceOfSatisfying(
                            NvmeException.class, e -> assertThat(code(e)).isEqualTo(Status.ZONE_INVALID_WRITE));
        }
    }

    @Test
    void moreZonesThanTheLimitDoNotOpen() throws IOException {
        for (int i = 0; i < 3; i++) {
            zoned.open(i * ZONE);
        }
        assertThatThrownBy(() -> zoned.open(3 * ZONE))
                .isInstanceOfSatisfying(
                        NvmeException.class, e -> assertThat(code(e)).isEqualTo(Status.TOO_MANY_OPEN_ZONES));
    }

    @Test
    void aZoneThatIsNotThereIsRefused() {
        assertThatThrownBy(() -> zoned.reset(1)).hasMessageContaining("no zone starts at block 1:");
        assertThatThrownBy(() -> zoned.open(ZONES * ZONE)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> zoned.report(-ZONE)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    /** No device reports such things: what a device reported is changed. */
    @Test
    void aReportThatCannotBeIsRejected() throws IOException {
        long second = Zone.REPORT_HEAD_BYTES + Zone.DESCRIPTOR.byteSize();
        long[][] lies = {
            // More zones than there is room, one at an odd block, one twice, one too large, one without a state.
            {0, 1000}, {second + 16, 5}, {second + 16, 0}, {second + 8, 1 << 20}, {second, 2}
        };
        try (QueuePair queue = controller.createQueuePair(1);
                DmaMemory report = controller.dma().allocate(4096)) {
            for (long[] lie : lies) {
                queue.submit(ZoneCommand.report(namespace, 0, null, report)).await(SOON);
                assertThat(ZoneDescriptor.listOf(namespace, report.segment())).hasSize(ZONES);
                report.segment().set(ValueLayout.JAVA_LONG, lie[0], lie[1]);
                assertThatThrownBy(() -> ZoneDescriptor.listOf(namespace, report.segment()))
                        .isInstanceOf(DeviceException.class);
            }
        }
    }
}
