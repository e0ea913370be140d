package dev.outboard.samples.edu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.RegisterTimeoutException;
import dev.outboard.samples.BrokenFunction;
import dev.outboard.specs.edu.EduRegisters;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A device that lies: each ends with one exception within its deadline, and the function is given back. */
@Timeout(60)
class BrokenEduTest {
    private static final Duration SHORT = Duration.ofMillis(50);
    private static final int INVERTED_PATTERN = ~0x0b0a2d5a;

    private final BrokenFunction function = new BrokenFunction(
                    EduRegisters.VENDOR_ID, EduRegisters.DEVICE_ID, EduRegisters.BAR_BYTES)
            .lie(EduRegisters.IDENTIFICATION.offset(), 0x010000ed)
            .lie(EduRegisters.LIVENESS.offset(), INVERTED_PATTERN)
            .lie(EduRegisters.DMA_COMMAND.offset(), 0);

    @AfterEach
    void itIsGivenBack() {
        assertThat(function.isClosed()).isTrue();
    }

    private void factorial() throws IOException {
        try (Edu edu = Edu.open(function, SHORT)) {
            edu.factorial(5);
        }
    }

    private void transfer() throws IOException {
        try (Edu edu = Edu.open(function, SHORT);
                DmaMemory memory = edu.buffer().allocate(16)) {
            edu.buffer().write(memory, 0);
        }
    }

    @Test
    void isAnotherDevice() {
        function.lie(EduRegisters.IDENTIFICATION.offset(), 0x01000000);
        assertThatThrownBy(this::factorial)
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("broken:0 is no edu device");
    }

    @Test
    void doesNotInvert() {
        function.lie(EduRegisters.LIVENESS.offset(), 0);
        assertThatThrownBy(this::factorial).hasMessageContaining("not its inverse: it is stuck");
    }

    @Test
    void isGone() {
        function.gone();
        assertThatThrownBy(this::factorial)
                .isInstanceOf(DeviceGoneException.class)
                .hasMessageContaining("is not there any more");
    }

    @Test
    void isGoneWhileItComputes() {
        function.lie(EduRegisters.STATUS.offset(), -1).lie(EduRegisters.FACTORIAL.offset(), -1);
        assertThatThrownBy(this::factorial)
                .isInstanceOf(DeviceGoneException.class)
                .hasMessageContaining("reads all ones at FACTORIAL");
    }

    @Test
    void computesForEver() {
        function.lie(EduRegisters.STATUS.offset(), EduRegisters.STATUS_COMPUTING.mask());
        assertThatThrownBy(this::factorial)
                .isInstanceOf(RegisterTimeoutException.class)
                .hasMessageContaining("STATUS of BAR 0 of broken:0")
                .hasMessageContaining("within 50 ms");
    }

    @Test
    void neverInterrupts() {
        assertThatThrownBy(this::transfer)
                .isInstanceOf(DeviceTimeoutException.class)
                .hasMessageContaining("did not interrupt for a transfer of 16 bytes within 50 ms");
    }

    @Test
    void interruptsForNothingAllTheTime() {
        function.interrupting(Long.MAX_VALUE);
        assertThatThrownBy(this::transfer)
                .isInstanceOf(DeviceTimeoutException.class)
                .hasMessageContaining("did not interrupt for a transfer");
    }

    @Test
    void saysThatItIsDoneAndRuns() {
        function.interrupting(1)
                .lie(EduRegisters.INTERRUPT_STATUS.offset(), EduRegisters.INTERRUPT_DMA.mask())
                .lie(EduRegisters.DMA_COMMAND.offset(), EduRegisters.DMA_RUN.mask());
        assertThatThrownBy(this::transfer).hasMessageContaining("is done, and that it still runs");
    }
}
