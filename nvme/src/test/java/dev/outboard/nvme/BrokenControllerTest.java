package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A controller that breaks: each ends with one exception that says what happened and what to do, and nothing is left. */
@Timeout(60)
class BrokenControllerTest {
    private static final Duration SHORT = Duration.ofMillis(50);
    private static final Duration LONG = Duration.ofSeconds(30);

    private final FakeController fake = new FakeController();

    @AfterEach
    void everythingIsClosed() {
        assertThat(fake.closed).isTrue();
    }

    /** Opens the controller and reads a block. */
    private void read(Duration timeout) throws IOException {
        try (NvmeController controller = Nvme.open(fake);
                QueuePair queue = controller.createQueuePair(4);
                DmaMemory buffer = controller.dma().allocate(512)) {
            queue.read(controller.namespace(1), 0, buffer).await(timeout);
        }
    }

    @Test
    void theFakeWorksAsLongAsItIsToldTo() throws IOException {
        read(LONG);
    }

    @Test
    void neverBecomesReady() {
        fake.becomesReady = false;
        assertThatThrownBy(() -> read(LONG))
                .isInstanceOf(DeviceTimeoutException.class)
                .hasMessageContaining("fake:nvme did not become ready within 500 ms")
                .hasMessageContaining("reset or power-cycle it");
    }

    @Test
    void failsOnItsWayToReady() {
        fake.becomesReady = false;
        fake.fatal = true;
        assertThatThrownBy(() -> read(LONG)).isInstanceOf(DeviceException.class).hasMessageContaining("CSTS.CFS");
    }

    @Test
    void readsAllOnes() {
        fake.gone = true;
        assertThatThrownBy(() -> read(LONG)).isInstanceOf(DeviceGoneException.class);
    }

    @Test
    void isNoNvmeController() {
        fake.capabilities = NvmeRegisters.CAP_MQES.of(63);
        assertThatThrownBy(() -> read(LONG)).hasMessageContaining("no NVMe controller that this driver can run");
    }

    @Test
    void isGoneInMidCommand() {
        fake.ioFault = completion -> {
            completion.lost = true;
            fake.gone = true;
        };
        assertThatThrownBy(() -> read(LONG))
                .isInstanceOf(DeviceGoneException.class)
                .hasMessageContaining("was unplugged");
    }

    @Test
    void neverCompletesACommand() {
        fake.ioFault = completion -> completion.lost = true;
        assertThatThrownBy(() -> read(SHORT))
                .isInstanceOf(DeviceTimeoutException.class)
                .hasMessageContaining("read on fake:nvme queue 1 took longer than 50 ms; it was aborted");
        assertThat(fake.log).contains("abort", "disabled");
    }

    /** Loses the first so many I/O commands. */
    private void lose(int commands) {
        int[] left = {commands};
        fake.ioFault = completion -> completion.lost = left[0]-- > 0;
    }

    @Test
    void aCommandThatIsAbortedTakesNoReset() throws IOException {
        fake.aborts = true;
        lose(1);
        try (NvmeController controller = Nvme.open(fake);
                QueuePair queue = controller.createQueuePair(4);
                DmaMemory buffer = controller.dma().allocate(512)) {
            fake.log.clear();
            assertThatThrownBy(
                            () -> queue.read(controller.namespace(1), 0, buffer).await(SHORT))
                    .isInstanceOf(DeviceTimeoutException.class);
            queue.read(controller.namespace(1), 0, buffer).await(LONG);
            assertThat(fake.log).containsExactly("abort");
        }
    }

    @Test
    void aResetReportsWhatWasOnItsWayOnceEachAndTheQueuesGoOn() throws IOException {
        lose(3);
        try (NvmeController controller = Nvme.open(fake, NvmeSettings.DEFAULT.withCommandTimeout(SHORT));
                QueuePair queue = controller.createQueuePair(4);
                QueuePair other = controller.createQueuePair(2);
                DmaMemory buffer = controller.dma().allocate(512)) {
            NvmeNamespace namespace = controller.namespace(1);
            List<String> told = new ArrayList<>();
            CompletionHandler handler =
                    request -> told.add(request.context() + ": 0x" + Integer.toHexString(request.status()));
            queue.read(namespace, 0, 1, buffer, 0, handler, 1);
            queue.read(namespace, 0, 1, buffer, 0, handler, 2);
            other.read(namespace, 0, 1, buffer, 0, handler, 3);
            // The other queue's thread does not poll meanwhile.
            other.submit();
            while (told.size() < 2) {
                queue.poll();
            }
            assertThat(told).containsExactly("1: 0x371", "2: 0x371");
            queue.read(namespace, 0, buffer).await(LONG);
            while (told.size() < 3) {
                other.poll();
            }
            assertThat(told).endsWith("3: 0x371").hasSize(3);
            other.read(namespace, 0, buffer).await(LONG);
            assertThat(queue.room()).isEqualTo(4);
            assertThat(other.room()).isEqualTo(2);
        }
    }

    @Test
    void aQueueThatFailedIsUsableAfterAReset() throws IOException {
        fake.ioFault = completion -> completion.commandId = 4711;
        try (NvmeController controller = Nvme.open(fake);
                QueuePair queue = controller.createQueuePair(4);
                DmaMemory buffer = controller.dma().allocate(512)) {
            NvmeNamespace namespace = controller.namespace(1);
            NvmeRequest request = queue.read(namespace, 0, buffer);
            assertThatThrownBy(() -> request.await(LONG)).hasMessageContaining("not on its way");
            fake.ioFault = completion -> {};
            controller.reset();
            queue.read(namespace, 0, buffer).await(LONG);
            assertThat(queue.room()).isEqualTo(4);
            assertThatThrownBy(() -> request.await(LONG)).hasMessageContaining("was awaited already");
        }
    }

    @Test
    void queuePairsThatCouldNotBeDeletedAreGoneAfterAReset() throws IOException {
        try (NvmeController controller = Nvme.open(fake, NvmeSettings.DEFAULT.withCommandTimeout(SHORT))) {
            for (int i = 0; i < 2 * controller.maximumQueuePairs(); i++) {
                QueuePair queue = controller.createQueuePair(4);
                fake.silent = Opcode.DELETE_IO_SUBMISSION_QUEUE;
                queue.close();
                fake.silent = -1;
                controller.reset();
            }
        }
    }

    @Test
    void aResetThatDoesNotSucceedIsReported() throws IOException {
        lose(1);
        try (NvmeController controller = Nvme.open(fake);
                QueuePair queue = controller.createQueuePair(4);
                DmaMemory buffer = controller.dma().allocate(512)) {
            fake.becomesReady = false;
            assertThatThrownBy(
                            () -> queue.read(controller.namespace(1), 0, buffer).await(SHORT))
                    .isInstanceOf(DeviceTimeoutException.class)
                    .hasMessageContaining("did not become ready");
            assertThat(fake.log).contains("reset");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0x0fff, 0xffff, 4711, 3})
    void completesACommandThatIsNotOnItsWay(int commandId) {
        fake.ioFault = completion -> completion.commandId = commandId;
        assertThatThrownBy(() -> read(LONG))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("completed command " + commandId + ", which is not on its way");
    }

    @Test
    void completesACommandTwice() throws IOException {
        fake.ioFault = completion -> completion.twice = true;
        try (NvmeController controller = Nvme.open(fake);
                QueuePair queue = controller.createQueuePair(4);
                DmaMemory buffer = controller.dma().allocate(512)) {
            assertThatThrownBy(() -> {
                        queue.read(controller.namespace(1), 0, buffer).await(LONG);
                        queue.poll();
                    })
                    .hasMessageContaining("not on its way");
            // From then on nothing that the queue says can be trusted.
            assertThatThrownBy(() -> queue.read(controller.namespace(1), 0, buffer))
                    .hasMessageContaining("failed before");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {5, 0xffff})
    void claimsToHaveReadACommandThatWasNeverSubmitted(int queueHead) {
        fake.ioFault = completion -> completion.queueHead = queueHead;
        assertThatThrownBy(() -> read(LONG))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("submission queue head " + queueHead);
    }

    @Test
    void failsACommand() {
        fake.ioFault = completion -> completion.status = Status.UNRECOVERED_READ_ERROR;
        assertThatThrownBy(() -> read(LONG))
                .isInstanceOfSatisfying(
                        NvmeException.class,
                        e -> assertThat(Status.code(e.status())).isEqualTo(Status.UNRECOVERED_READ_ERROR))
                .hasMessageContaining("read on fake:nvme queue 1: unrecovered read error (status 0x281)");
    }

    @Test
    void hasANamespaceOfNoBlocks() {
        fake.blocks = 0;
        assertThatThrownBy(() -> read(LONG)).hasMessageContaining("has 0 blocks of 2^9 bytes, which cannot be");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 8, 25, 255})
    void hasBlocksOfAnImpossibleSize(int shift) {
        fake.blockShift = shift;
        assertThatThrownBy(() -> read(LONG)).hasMessageContaining("2^" + shift + " bytes, which cannot be");
    }

    @Test
    void hasMoreBlocksThanCanBeAddressed() {
        fake.blocks = -1;
        assertThatThrownBy(() -> read(LONG)).hasMessageContaining("18446744073709551615 blocks");
    }

    @Test
    void listsItsNamespacesInCircles() {
        fake.namespaceIds = new int[] {1, 2, 1};
        assertThatThrownBy(() -> read(LONG)).hasMessageContaining("lists namespace 1 after 2");
    }

    @Test
    void bothDirectionsOfTheQueueAreClosedWithTheController() throws IOException {
        read(LONG);
        assertThat(fake.log)
                .containsSubsequence(
                        "bus master true",
                        "create I/O completion queue",
                        "create I/O submission queue",
                        "delete I/O submission queue",
                        "delete I/O completion queue");
    }
}
