package dev.outboard.samples.serial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.memory.RegisterTimeoutException;
import dev.outboard.samples.BrokenFunction;
import dev.outboard.specs.serial.PciSerial;
import dev.outboard.specs.serial.Uart16550;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A card that lies: each ends with one exception within its deadline, and the function is given back. */
@Timeout(60)
class BrokenSerialTest {
    private static final long SENT =
            Uart16550.LSR_TRANSMITTER_HOLDING_EMPTY.mask() | Uart16550.LSR_TRANSMITTER_EMPTY.mask();
    private static final long LOOPED = Uart16550.MSR_CTS.mask() | Uart16550.MSR_DCD.mask();

    private final BrokenFunction function = new BrokenFunction(PciSerial.VENDOR_ID, PciSerial.ONE_PORT, Uart16550.BYTES)
            .lie(Uart16550.IIR.offset(), Uart16550.IIR_FIFOS.mask() | Uart16550.IIR_NONE.mask())
            .lie(Uart16550.MSR.offset(), LOOPED)
            .lie(Uart16550.LSR.offset(), SENT);

    @AfterEach
    void itIsGivenBack() {
        assertThat(function.isClosed()).isTrue();
    }

    private void open() throws IOException {
        SerialCard.open(function).close();
    }

    @Test
    void isGone() {
        function.gone();
        assertThatThrownBy(this::open).isInstanceOf(DeviceException.class);
    }

    @Test
    void readsAllOnes() {
        for (int offset = 0; offset < Uart16550.BYTES; offset++) {
            function.lie(offset, 0xff);
        }
        assertThatThrownBy(this::open)
                .isInstanceOf(DeviceGoneException.class)
                .hasMessageContaining("port 0 of broken:0 reads all ones");
    }

    @Test
    void hasNoFifos() {
        function.lie(Uart16550.IIR.offset(), Uart16550.IIR_NONE.mask());
        assertThatThrownBy(this::open).hasMessageContaining("it is no 16550A");
    }

    @Test
    void hasDataForEver() {
        function.lie(Uart16550.LSR.offset(), SENT | Uart16550.LSR_DATA_READY.mask());
        assertThatThrownBy(this::open)
                .hasMessageContaining("fails its self-test: received data after its FIFO was cleared");
    }

    @Test
    void hearsNothing() {
        assertThatThrownBy(this::open)
                .isInstanceOf(RegisterTimeoutException.class)
                .hasMessageContaining("LSR of BAR 0 of broken:0");
    }

    @Test
    void doesNotLoopItsModemLines() {
        function.lie(Uart16550.MSR.offset(), 0);
        assertThatThrownBy(this::open).hasMessageContaining("modem lines should be 0x90 and is 0x00");
    }

    @Test
    void interruptsForEver() throws IOException {
        long pending = Uart16550.IIR_FIFOS.mask() | Uart16550.IIR_ID.of(Uart16550.ID_MODEM_STATUS);
        function.lie(Uart16550.IIR.offset(), pending);
        try (function) {
            Uart uart = new Uart("the port", function, function.bar(0));
            SerialPort port = new SerialPort(uart);
            assertThatThrownBy(port::serve)
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("the port interrupts without end (IIR is 0xc0)");
        }
    }

    /** In a thread of its own: a loop without end does not heed an interrupt. */
    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void breaksForEver() throws IOException {
        function.lie(Uart16550.LSR.offset(), SENT | Uart16550.LSR_DATA_READY.mask() | Uart16550.LSR_BREAK.mask());
        long pending = Uart16550.IIR_FIFOS.mask() | Uart16550.IIR_ID.of(Uart16550.ID_RECEIVED_DATA);
        function.lie(Uart16550.IIR.offset(), pending);
        try (function) {
            SerialPort port = new SerialPort(new Uart("the port", function, function.bar(0)));
            assertThat(port.read(MemorySegment.ofArray(new byte[1]), Duration.ofMillis(50)))
                    .isZero();
            port.useInterrupts();
            assertThatThrownBy(port::serve).hasMessageContaining("interrupts without end");
            port.close();
        }
    }

    @Test
    void hasMorePortsThanItsIdSays() {
        BrokenFunction large = new BrokenFunction(PciSerial.VENDOR_ID, PciSerial.ONE_PORT, 1 << 20);
        assertThatThrownBy(() -> SerialCard.open(large))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("broken:0 has 1048576 bytes in BAR 0, and its 1 ports take 8");
        assertThat(large.isClosed()).isTrue();
        function.close();
    }

    @Test
    void everyErrorIsCounted() throws IOException {
        function.lie(
                Uart16550.LSR.offset(),
                SENT | Uart16550.LSR_OVERRUN.mask() | Uart16550.LSR_PARITY.mask() | Uart16550.LSR_FRAMING.mask());
        try (function) {
            Uart uart = new Uart("the port", function, function.bar(0));
            uart.lineStatus();
            uart.lineStatus();
            assertThat(uart.errors()).isEqualTo(new SerialErrors(2, 2, 2, 0));
        }
    }
}
