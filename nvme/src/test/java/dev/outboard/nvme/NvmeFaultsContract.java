package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The driver on a controller that fails in known ways, each with its known end. */
abstract class NvmeFaultsContract {
    static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Duration SHORT = Duration.ofMillis(300);
    private static final long PATTERN = 0x0123_4567_89ab_cdefL;

    /** A controller on which rules act, which are given without their first lines. */
    abstract NvmeController open(Duration timeout, String... rules) throws IOException;

    /** Writes a block, and reads it back into another buffer. */
    static void writeAndRead(NvmeController controller, Waiting waiting, Duration timeout) throws IOException {
        NvmeNamespace namespace = controller.namespaces().getFirst();
        try (QueuePair queue = controller.createQueuePair(4, waiting);
                DmaMemory written = controller.dma().allocate(namespace.blockSizeBytes());
                DmaMemory read = controller.dma().allocate(namespace.blockSizeBytes())) {
            written.segment().set(ValueLayout.JAVA_LONG, 0, PATTERN);
            queue.write(namespace, 7, written).await(timeout);
            queue.read(namespace, 7, read).await(timeout);
            assertThat(read.segment().get(ValueLayout.JAVA_LONG, 0)).isEqualTo(PATTERN);
        }
    }

    @ParameterizedTest
    @EnumSource(Waiting.class)
    void withoutAStrikingRuleAllIsAsWithoutAnInterposer(Waiting waiting) throws IOException {
        try (NvmeController controller = open(TIMEOUT, "on any nth 1000000 do remove")) {
            writeAndRead(controller, waiting, TIMEOUT);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "on read bar0 CSTS nth 1 do delay 5ms",
                "on read bar0 * do duplicate",
                "on write bar0 0x1000-0x1fff do duplicate",
                "on completion 1-9 do delay 20ms",
                "on dma-in * do delay 5ms",
                "on interrupt * do drop",
                "on interrupt * do duplicate",
                "on interrupt * do spurious",
                "on interrupt * do delay 10ms"
            })
    void whatIsLateOrTwiceOrALostInterruptCostsTimeOnly(String rule) throws IOException {
        try (NvmeController controller = open(TIMEOUT, rule)) {
            writeAndRead(controller, Waiting.INTERRUPT, TIMEOUT);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"completion", "command"})
    void aWrongStatusIsReportedAndTheQueueGoesOn(String target) throws IOException {
        try (NvmeController controller = open(TIMEOUT, "on " + target + " 1-9 opcode read nth 1 do status 0x281")) {
            assertThatThrownBy(() -> writeAndRead(controller, Waiting.POLL, TIMEOUT))
                    .isInstanceOf(NvmeException.class)
                    .hasMessageContaining("read on");
            writeAndRead(controller, Waiting.POLL, TIMEOUT);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"command 0x4321", "duplicate"})
    void aCompletionOfWhatIsNotOnItsWayIsReported(String action) throws IOException {
        try (NvmeController controller = open(TIMEOUT, "on completion 1-9 opcode write nth 1 do " + action)) {
            assertThatThrownBy(() -> {
                        writeAndRead(controller, Waiting.POLL, TIMEOUT);
                        writeAndRead(controller, Waiting.POLL, TIMEOUT);
                    })
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("which is not on its way");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "on completion 1-9 opcode write nth 1 do drop",
                "on completion 1-9 opcode write nth 1 do phase",
                "on completion 1-9 opcode write nth 1 do hang",
                "on command 1-9 opcode write nth 1 do drop",
                "on command 1-9 opcode write nth 1 do hang",
                "on write bar0 0x1080 nth 1 do drop"
            })
    void aCompletionThatDoesNotComeEndsAtTheDeadline(String rule) throws IOException {
        try (NvmeController controller = open(SHORT, rule)) {
            assertThatThrownBy(() -> writeAndRead(controller, Waiting.POLL, SHORT))
                    .isInstanceOf(DeviceTimeoutException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "on read bar0 CSTS nth 2 do remove",
                "on completion 1-9 opcode write nth 1 do remove",
                "on command 1-9 opcode write nth 1 do remove",
                "on write bar0 0x1080 nth 1 do remove",
                "on interrupt * nth 1 do remove"
            })
    void aRemovalIsNoticed(String rule) {
        assertThatThrownBy(() -> {
                    try (NvmeController controller = open(TIMEOUT, rule)) {
                        writeAndRead(controller, Waiting.INTERRUPT, TIMEOUT);
                    }
                })
                .isInstanceOf(DeviceGoneException.class);
    }

    @Test
    void aFatalStatusOnTheWayToReadyIsReported() {
        assertThatThrownBy(() -> open(TIMEOUT, "on read bar0 CSTS do stick 0x2"))
                .hasMessageContaining("fatal error (CSTS.CFS)");
    }
}
