package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Opcode;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests that a controller will never complete: however it lost them, each is told so once. */
@Timeout(60)
class AbortedRequestsTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final int DEPTH = 4;

    private final FakeController fake = new FakeController();
    private final List<String> told = new ArrayList<>();
    private final CompletionHandler handler =
            request -> told.add(request.context() + ": 0x" + Integer.toHexString(request.status()));

    private NvmeController controller;
    private NvmeNamespace namespace;
    private QueuePair queue;
    private DmaMemory buffer;

    @BeforeEach
    void open() throws IOException {
        controller = Nvme.open(fake, NvmeSettings.DEFAULT.withCommandTimeout(LONG));
        namespace = controller.namespace(1);
        queue = controller.createQueuePair(DEPTH);
        buffer = controller.dma().allocate(512);
        fake.ioFault = completion -> completion.lost = true;
    }

    @AfterEach
    void close() {
        controller.close();
    }

    private void read(long context) throws IOException {
        queue.read(namespace, 0, 1, buffer, 0, handler, context);
    }

    private void pollUntilTold(int requests) throws IOException {
        while (told.size() < requests) {
            queue.poll();
        }
    }

    private void assertUsable() throws IOException {
        fake.ioFault = completion -> {};
        queue.read(namespace, 0, buffer).await(LONG);
        assertThat(queue.room()).isEqualTo(DEPTH);
    }

    @Test
    void byADeviceThatIsGone() throws IOException {
        read(1);
        NvmeRequest awaited = queue.read(namespace, 0, buffer);
        read(2);
        queue.poll();
        fake.gone = true;
        assertThatThrownBy(() -> pollUntilTold(3)).isInstanceOf(DeviceGoneException.class);
        assertThat(told).containsExactly("1: 0x371", "2: 0x371");
        assertThatThrownBy(() -> awaited.await(LONG)).hasMessageContaining("command aborted by host");
        assertThatThrownBy(() -> queue.poll()).isInstanceOf(DeviceGoneException.class);
        queue.close();
        assertThat(told).hasSize(2);
    }

    @Test
    void byADeviceThatFaultsAtTheDoorbell() throws IOException {
        // The first announces itself.
        read(1);
        read(2);
        fake.faults = true;
        assertThatThrownBy(() -> queue.submit())
                .isInstanceOf(DeviceGoneException.class)
                .hasMessageContaining("does not answer at its registers");
        assertThatThrownBy(() -> queue.poll()).isInstanceOf(DeviceGoneException.class);
        assertThat(told).containsExactly("1: 0x371", "2: 0x371");
        fake.faults = false;
        controller.reset();
        assertUsable();
    }

    @Test
    void aReadThatCannotBeAnnouncedIsToldByItsExceptionAlone() throws IOException {
        fake.faults = true;
        assertThatThrownBy(() -> read(1)).isInstanceOf(DeviceGoneException.class);
        assertThatThrownBy(() -> queue.poll()).isInstanceOf(DeviceGoneException.class);
        assertThat(told).isEmpty();
        fake.faults = false;
        controller.reset();
        assertUsable();
    }

    @Test
    void byAQueuePairThatIsClosed() throws IOException {
        read(1);
        read(2);
        queue.poll();
        queue.close();
        queue.close();
        assertThat(told).containsExactly("1: 0x371", "2: 0x371");
    }

    @Test
    void byAControllerThatIsClosed() throws IOException {
        read(1);
        queue.poll();
        controller.close();
        assertThatThrownBy(() -> queue.read(namespace, 0, buffer))
                .isInstanceOf(DeviceException.class)
                .hasMessage("fake:nvme is closed");
        assertThatThrownBy(() -> queue.poll()).hasMessageContaining("fake:nvme is closed");
        assertThatThrownBy(() -> controller.createQueuePair(1)).hasMessage("fake:nvme is closed");
        queue.close();
        assertThat(told).containsExactly("1: 0x371");
    }

    @Test
    void byAControllerThatReportsAFatalError() throws IOException {
        read(1);
        fake.fatal = true;
        pollUntilTold(1);
        assertThat(told).containsExactly("1: 0x371");
        assertThat(fake.log).contains("disabled").doesNotContain("abort");
        assertUsable();
    }

    @Test
    void byAControllerThatHasForgottenEverything() throws IOException {
        read(1);
        queue.poll();
        fake.restart();
        pollUntilTold(1);
        assertThat(told).containsExactly("1: 0x371");
        assertUsable();
    }

    @Test
    void anAdminCommandDoesNotOutlastAFatalError() {
        fake.silent = Opcode.GET_LOG_PAGE;
        fake.fatal = true;
        assertThatThrownBy(() -> controller.admin().logs().smart())
                .isInstanceOf(DeviceException.class)
                .hasMessage("fake:nvme reports a fatal error (CSTS.CFS); reset the controller");
    }

    @Test
    void byAResetThatFailsUntilOneSucceeds() throws IOException {
        read(1);
        queue.poll();
        fake.becomesReady = false;
        assertThatThrownBy(() -> controller.reset()).hasMessageContaining("did not become ready");
        // From here on the controller cannot store anything, whatever it still does.
        assertThat(fake.log).endsWith("bus master false");
        assertThatThrownBy(() -> pollUntilTold(2))
                .hasMessageStartingWith("the last reset of fake:nvme failed: fake:nvme did not become ready");
        assertThat(told).containsExactly("1: 0x371");
        assertThatThrownBy(() -> read(2)).hasMessageContaining("the last reset of fake:nvme failed");
        assertThatThrownBy(() -> controller.createQueuePair(1)).hasMessageContaining("the last reset");
        assertThatThrownBy(() -> controller.admin().logs().smart()).hasMessageContaining("failed before");
        fake.becomesReady = true;
        controller.reset();
        assertUsable();
        assertThat(told).hasSize(1);
    }

    @Test
    void aHandlerThatThrowsDoesNotSilenceTheOthers() throws IOException {
        for (long i = 0; i < 3; i++) {
            queue.read(
                    namespace,
                    0,
                    1,
                    buffer,
                    0,
                    request -> {
                        handler.completed(request);
                        throw new IllegalArgumentException("by a handler");
                    },
                    i);
        }
        queue.poll();
        controller.reset();
        assertThatThrownBy(() -> pollUntilTold(4)).hasMessage("by a handler");
        assertThat(told).containsExactly("0: 0x371", "1: 0x371", "2: 0x371");
        assertUsable();
    }

    @Test
    void handlersThatSubmitAgainEndWithTheDevice() throws IOException {
        List<IOException> refused = new ArrayList<>();
        for (int i = 0; i < DEPTH; i++) {
            queue.read(
                    namespace,
                    0,
                    1,
                    buffer,
                    0,
                    request -> {
                        handler.completed(request);
                        try {
                            read(request.context());
                        } catch (IOException e) {
                            refused.add(e);
                        }
                    },
                    i);
        }
        queue.poll();
        fake.gone = true;
        assertThatThrownBy(() -> pollUntilTold(2 * DEPTH)).isInstanceOf(DeviceGoneException.class);
        assertThat(told).hasSize(DEPTH);
        assertThat(refused).hasSize(DEPTH).allMatch(DeviceGoneException.class::isInstance);
    }

    @Test
    void awaitsThatFailLeaveNoSlotBehind() throws IOException {
        for (int i = 0; i < 3 * DEPTH; i++) {
            fake.ioFault = completion -> completion.commandId = 4711;
            NvmeRequest request = queue.read(namespace, 0, buffer);
            assertThatThrownBy(() -> request.await(LONG)).hasMessageContaining("not on its way");
            controller.reset();
            assertUsable();
        }
    }

    @Test
    void aControllerThatIsAnotherAfterAResetIsRefused() throws IOException {
        fake.capabilities |= NvmeRegisters.CAP_DSTRD.of(1);
        assertThatThrownBy(() -> controller.reset())
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("has the capabilities 0x")
                .hasMessageContaining("open it anew");
    }

    @Test
    void byNoMoreAbortsAtATimeThanTheControllerTakes() throws Exception {
        fake.silent = Opcode.ABORT;
        NvmeRequest request = queue.read(namespace, 0, buffer);
        Thread first = Thread.ofPlatform().start(() -> {
            try {
                controller.admin().withTimeout(LONG).abort(request);
            } catch (IOException gone) {
                // It is never answered.
            }
        });
        while (!fake.log.contains("abort")) {
            Thread.onSpinWait();
        }
        assertThat(controller.admin().withTimeout(Duration.ofMillis(20)).abort(request))
                .isFalse();
        assertThat(fake.log).containsOnlyOnce("abort");
        fake.gone = true;
        first.join();
    }
}
