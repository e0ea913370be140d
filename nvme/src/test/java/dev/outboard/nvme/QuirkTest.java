package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.NvmeRegisters;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Controllers that do otherwise than the specification says. */
class QuirkTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    private final FakeController fake = new FakeController();

    private void is(int vendor, int device) {
        fake.vendorId = vendor;
        fake.deviceId = device;
    }

    private static NvmeBlockDevice disk(NvmeController controller) throws IOException {
        return new NvmeBlockDevice(controller, controller.namespace(1), Waiting.POLL);
    }

    @Test
    void mostControllersHaveNone() {
        assertThat(Quirk.of(0x144d, 0xa80a)).isEmpty();
        assertThat(Quirk.of(0x8086, 0x0a54)).containsExactly(Quirk.STRIPED);
        assertThat(Quirk.of(0x0a54, 0x8086)).isEmpty();
    }

    @Test
    void statusIsNotReadTooEarly() throws IOException {
        is(0x1c58, 0x0003);
        fake.busyNanos = Duration.ofSeconds(2).toNanos();
        try (NvmeController controller = Nvme.open(fake)) {
            // Only a controller that is enabled is disabled, which a reset does.
            controller.reset();
            assertThat(controller.namespaces()).hasSize(1);
        }
    }

    @Test
    void namespacesAreCountedWhereTheyCannotBeListed() throws IOException {
        fake.answersNonsense = true;
        fake.namespaceIds = new int[] {1, 3};
        fake.identity.put("nn", 4L);
        is(0x8086, 0x5845);
        try (NvmeController controller = Nvme.open(fake)) {
            assertThat(controller.namespaces()).extracting(NvmeNamespace::id).containsExactly(1, 3);
        }
    }

    @Test
    void oneThatIsNotKnownForItMustListItsNamespaces() {
        fake.answersNonsense = true;
        fake.identity.put("nn", 4L);
        assertThatThrownBy(() -> Nvme.open(fake)).hasMessageContaining("says that namespace 2004318071");
    }

    @Test
    void oldControllersHaveNoLists() throws IOException {
        fake.version = 0x0001_0000;
        fake.answersNonsense = true;
        fake.identity.put("nn", 1L);
        try (NvmeController controller = Nvme.open(fake)) {
            assertThat(controller.namespaces()).extracting(NvmeNamespace::id).containsExactly(1);
        }
    }

    @Test
    void moreNamespacesThanCanBeAreNotAskedFor() {
        fake.version = 0x0001_0000;
        fake.identity.put("nn", 0xffff_ffffL);
        assertThatThrownBy(() -> Nvme.open(fake)).hasMessageContaining("it can have 4294967295 namespaces");
    }

    @ParameterizedTest
    @CsvSource({"0x126f, 0x2263, 1", "0, 0, 0"})
    void descriptorsThatAreNonsenseAreNotAskedFor(String vendor, String device, int namespaces) throws IOException {
        is(Integer.decode(vendor), Integer.decode(device));
        // All command sets: the namespace's has to be asked for.
        fake.capabilities |= NvmeRegisters.CAP_CSS.of(NvmeRegisters.CSS_HAS_COMMAND_SETS | 1);
        fake.answer = (opcode, dword10, data) -> {
            if (dword10 == Identify.CNS_NAMESPACE_DESCRIPTORS) {
                describeUnknownCommandSet(data);
            }
            return 0;
        };
        try (NvmeController controller = Nvme.open(fake)) {
            assertThat(controller.namespaces()).hasSize(namespaces);
        }
    }

    private static void describeUnknownCommandSet(MemorySegment data) {
        Identify.NAMESPACE_DESCRIPTOR
                .view(data)
                .set("nidt", Identify.DESCRIPTOR_COMMAND_SET)
                .set("nidl", 1);
        data.set(ValueLayout.JAVA_BYTE, Identify.NAMESPACE_DESCRIPTOR.byteSize(), (byte) 0x55);
    }

    @ParameterizedTest
    @CsvSource({"0, 0, write zeroes", "0x1c5c, 0x1504, write 4+3"})
    void zeroesAreWrittenWhereTheCommandDoesHarm(String vendor, String device, String command) throws IOException {
        is(Integer.decode(vendor), Integer.decode(device));
        fake.identity.put("oncs", Identify.ONCS_WRITE_ZEROES.mask());
        try (NvmeController controller = Nvme.open(fake);
                NvmeBlockDevice disk = disk(controller)) {
            disk.writeZeroes(4, 3);
        }
        assertThat(fake.ioLog).containsExactly(command);
    }

    @Test
    void transfersStayWithinAStripe() throws IOException {
        is(0x8086, 0x0a54);
        fake.stripe = 5;
        readSixHundredBlocks();
        // 32 pages are 256 blocks.
        assertThat(fake.ioLog).containsExactly("read 100+156", "read 256+256", "read 512+188");
    }

    @Test
    void whatOthersHaveInThePlaceOfAStripeSizeMeansNothing() throws IOException {
        fake.stripe = 5;
        readSixHundredBlocks();
        assertThat(fake.ioLog).containsExactly("read 100+600");
    }

    private void readSixHundredBlocks() throws IOException {
        try (NvmeController controller = Nvme.open(fake);
                NvmeBlockDevice disk = disk(controller);
                DmaMemory buffer = controller.dma().allocate(600 * 512)) {
            disk.read(100, buffer);
        }
    }

    @Test
    void oneCommandAtATimeWhereMoreLoseData() throws IOException {
        is(0x106b, 0x2001);
        try (NvmeController controller = Nvme.open(fake);
                NvmeBlockDevice disk = disk(controller);
                DmaMemory buffer = controller.dma().allocate(512)) {
            assertThat(controller.maximumQueueDepth()).isOne();
            assertThatThrownBy(() -> controller.createQueuePair(2)).hasMessageContaining("a depth of 1 to 1, not 2");
            disk.write(3, buffer);
        }
        assertThat(fake.ioLog).containsExactly("write 3+1");
    }

    @ParameterizedTest
    @CsvSource({"0x106b, 0x2001, 1 vectors", "0, 0, 4 vectors"})
    void onlyTheFirstVectorIsUsedWhereOthersDoNotWork(String vendor, String device, String vectors) throws IOException {
        is(Integer.decode(vendor), Integer.decode(device));
        fake.vectors = 8;
        try (NvmeController controller = Nvme.open(fake)) {
            controller.createQueuePair(1, Waiting.INTERRUPT);
        }
        assertThat(fake.log).contains(vectors);
    }

    @Test
    void aQueueSizeOfZeroIsWhatItIsKnownToMean() throws IOException {
        fake.capabilities = NvmeRegisters.CAP_TO.of(1) | NvmeRegisters.CAP_CSS.of(1);
        is(0x144d, 0xa821);
        try (NvmeController controller = Nvme.open(fake)) {
            assertThat(controller.maximumQueueDepth()).isEqualTo(63);
        }
    }

    @Test
    void aQueueIsNotUsedRightAfterItsCreation() throws IOException {
        is(0x80ee, 0x4e56);
        fake.deafNanos = 50_000;
        try (NvmeController controller = Nvme.open(fake);
                QueuePair queue = controller.createQueuePair(1);
                DmaMemory buffer = controller.dma().allocate(512)) {
            queue.read(controller.namespace(1), 0, buffer).await(SOON);
        }
    }

    @Test
    void settingsThatAControllerDoesNotSurviveAreRefused() throws IOException {
        is(0x8086, 0xf1a5);
        fake.identity.put("npss", 4L);
        try (NvmeController controller = Nvme.open(fake)) {
            Features features = controller.admin().features();
            features.setPowerState(3);
            assertThat(Feature.POWER_STATE.get(fake.settings.getLast())).isEqualTo(3);
            assertThatThrownBy(() -> features.setPowerState(4))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("does not wake up from its deepest power state 4");
            assertThatThrownBy(() -> features.setTemperatureThresholdKelvin(0, false, 300))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("leave them as they are");
        }
    }

    @Test
    void aControllerWithQueuesOfItsOwnKindIsRefused() {
        is(0x106b, 0x2005);
        assertThatThrownBy(() -> Nvme.open(fake))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("106b:2005")
                .hasMessageContaining("leave it to the kernel");
        assertThat(fake.closed).isTrue();
    }
}
