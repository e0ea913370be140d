package dev.outboard.emulation.serial;

import static dev.outboard.specs.serial.Uart16550.DLL;
import static dev.outboard.specs.serial.Uart16550.DLM;
import static dev.outboard.specs.serial.Uart16550.FCR;
import static dev.outboard.specs.serial.Uart16550.FCR_ENABLE;
import static dev.outboard.specs.serial.Uart16550.FCR_TRIGGER;
import static dev.outboard.specs.serial.Uart16550.FIFO_CHARACTERS;
import static dev.outboard.specs.serial.Uart16550.ID_LINE_STATUS;
import static dev.outboard.specs.serial.Uart16550.ID_MODEM_STATUS;
import static dev.outboard.specs.serial.Uart16550.ID_RECEIVED_DATA;
import static dev.outboard.specs.serial.Uart16550.ID_TIMEOUT;
import static dev.outboard.specs.serial.Uart16550.ID_TRANSMITTER_EMPTY;
import static dev.outboard.specs.serial.Uart16550.IER;
import static dev.outboard.specs.serial.Uart16550.IER_RECEIVED_DATA;
import static dev.outboard.specs.serial.Uart16550.IER_TRANSMITTER_EMPTY;
import static dev.outboard.specs.serial.Uart16550.IIR;
import static dev.outboard.specs.serial.Uart16550.IIR_ID;
import static dev.outboard.specs.serial.Uart16550.IIR_NONE;
import static dev.outboard.specs.serial.Uart16550.LCR;
import static dev.outboard.specs.serial.Uart16550.LCR_BREAK;
import static dev.outboard.specs.serial.Uart16550.LCR_DLAB;
import static dev.outboard.specs.serial.Uart16550.LCR_PARITY;
import static dev.outboard.specs.serial.Uart16550.LCR_WORD_LENGTH;
import static dev.outboard.specs.serial.Uart16550.LSR;
import static dev.outboard.specs.serial.Uart16550.LSR_DATA_READY;
import static dev.outboard.specs.serial.Uart16550.LSR_FIFO_ERROR;
import static dev.outboard.specs.serial.Uart16550.LSR_OVERRUN;
import static dev.outboard.specs.serial.Uart16550.LSR_PARITY;
import static dev.outboard.specs.serial.Uart16550.LSR_TRANSMITTER_EMPTY;
import static dev.outboard.specs.serial.Uart16550.LSR_TRANSMITTER_HOLDING_EMPTY;
import static dev.outboard.specs.serial.Uart16550.MCR;
import static dev.outboard.specs.serial.Uart16550.MCR_LOOP;
import static dev.outboard.specs.serial.Uart16550.MCR_OUT2;
import static dev.outboard.specs.serial.Uart16550.MCR_RTS;
import static dev.outboard.specs.serial.Uart16550.MSR;
import static dev.outboard.specs.serial.Uart16550.MSR_CTS;
import static dev.outboard.specs.serial.Uart16550.MSR_DCD;
import static dev.outboard.specs.serial.Uart16550.RBR;
import static dev.outboard.specs.serial.Uart16550.SCR;
import static dev.outboard.specs.serial.Uart16550.THR;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.memory.Register;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the data sheet says, and what Linux's 8250 driver looks for before it takes a port for a 16550A. */
class UartTest {
    private static final int DLAB = (int) LCR_DLAB.mask();
    private static final int EIGHT_BITS = 3;
    private static final long FIFOS = 0xc0;

    private final Uart uart = new Uart();
    private final Uart other = new Uart();

    @BeforeEach
    void connect() {
        Uart.connect(uart, other);
        write(uart, LCR, EIGHT_BITS);
        write(other, LCR, EIGHT_BITS);
    }

    private static void write(Uart uart, Register register, long value) {
        uart.write((int) register.offset(), (int) value);
    }

    private static long read(Uart uart, Register register) {
        return uart.read((int) register.offset());
    }

    private void send(int... characters) {
        for (int character : characters) {
            write(uart, THR, character);
            uart.send();
        }
    }

    private static long id(Uart uart) {
        long identification = read(uart, IIR);
        return IIR_NONE.isSet(identification) ? -1 : IIR_ID.get(identification);
    }

    /** The order of its checks; drivers/tty/serial/8250/8250_port.c of Linux, autoconfig. */
    @Test
    void linuxTakesItForA16550A() {
        write(uart, IER, 0);
        assertThat(read(uart, IER)).isZero();
        write(uart, IER, 0x0f);
        assertThat(read(uart, IER)).isEqualTo(0x0f);
        write(uart, IER, 0);
        write(uart, MCR, MCR_LOOP.mask() | MCR_OUT2.mask() | MCR_RTS.mask());
        assertThat(read(uart, MSR) & 0xf0).isEqualTo(MSR_DCD.mask() | MSR_CTS.mask());
        write(uart, MCR, 0);

        // Later chips have more registers while LCR is 0xbf; this one has its divisor there, and FCR as ever.
        write(uart, LCR, 0xbf);
        write(uart, FCR, 0);
        write(uart, LCR, 0);
        write(uart, FCR, FCR_ENABLE.mask());
        assertThat(read(uart, IIR) & FIFOS).isEqualTo(FIFOS);
        write(uart, FCR, FCR_ENABLE.mask() | 0x20);
        assertThat(read(uart, IIR)).as("no FIFOs of 64 characters").isEqualTo(FIFOS | IIR_NONE.mask());
        write(uart, IER, 0x40);
        assertThat(read(uart, IER)).as("no unit enable bit").isZero();
        write(uart, SCR, 0xa5);
        assertThat(read(uart, SCR)).isEqualTo(0xa5);
    }

    /** serial8250_do_startup: a transmitter whose interrupt does not come when it is enabled counts as faulty. */
    @Test
    void enablingTheInterruptOfAnEmptyTransmitterInterruptsEachTime() {
        for (int i = 0; i < 2; i++) {
            write(uart, IER, IER_TRANSMITTER_EMPTY.mask());
            assertThat(id(uart)).isEqualTo(ID_TRANSMITTER_EMPTY);
            assertThat(id(uart)).as("reading IIR took it back").isEqualTo(-1);
            write(uart, IER, 0);
        }
    }

    @Test
    void theDivisorLiesWhereTheDataIs() {
        write(uart, LCR, DLAB);
        write(uart, DLL, 0x34);
        write(uart, DLM, 0x12);
        assertThat(read(uart, DLL)).isEqualTo(0x34);
        assertThat(read(uart, DLM)).isEqualTo(0x12);
        write(uart, LCR, EIGHT_BITS);
        assertThat(read(uart, IER)).isZero();
        assertThat(LSR_TRANSMITTER_EMPTY.isSet(read(uart, LSR))).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 4", "2, 8", "3, 14"})
    void receivedDataInterruptsAtItsTriggerLevel(int level, int characters) {
        write(other, FCR, FCR_ENABLE.mask() | FCR_TRIGGER.of(level));
        write(other, IER, IER_RECEIVED_DATA.mask());
        for (int i = 1; i < characters; i++) {
            send(i);
            assertThat(other.isInterrupting()).isFalse();
        }
        send(99);
        assertThat(id(other)).isEqualTo(ID_RECEIVED_DATA);
        read(other, RBR);
        assertThat(id(other)).isEqualTo(-1);
    }

    @Test
    void theMostUrgentComesFirst() {
        write(other, IER, 0x0f);
        write(uart, MCR, MCR_RTS.mask());
        assertThat(id(other)).isEqualTo(ID_TRANSMITTER_EMPTY);
        send(1);
        uart.write((int) LCR.offset(), EIGHT_BITS | (int) LCR_BREAK.mask());
        assertThat(id(other)).isEqualTo(ID_LINE_STATUS);
        assertThat(LSR_OVERRUN.isSet(read(other, LSR))).isTrue();
        assertThat(id(other)).isEqualTo(ID_RECEIVED_DATA);
        read(other, RBR);
        // The break replaced the character, and was revealed with it.
        assertThat(id(other)).isEqualTo(ID_MODEM_STATUS);
        read(other, MSR);
        assertThat(id(other)).isEqualTo(-1);
    }

    @Test
    void aSenderWaitsWhileTheReceiverIsFull() {
        write(uart, FCR, FCR_ENABLE.mask());
        write(other, FCR, FCR_ENABLE.mask());
        for (int i = 0; i < 20; i++) {
            send(i);
        }
        assertThat(uart.canSend()).isFalse();
        assertThat(LSR_TRANSMITTER_EMPTY.isSet(read(uart, LSR))).isFalse();
        for (int i = 0; i < 20; i++) {
            assertThat(read(other, RBR)).isEqualTo(i);
            uart.send();
        }
        assertThat(LSR_OVERRUN.isSet(read(other, LSR))).isFalse();
        assertThat(LSR_TRANSMITTER_EMPTY.isSet(read(uart, LSR))).isTrue();
    }

    @Test
    void talkingToItselfItOverruns() {
        write(uart, FCR, FCR_ENABLE.mask());
        write(uart, MCR, MCR_LOOP.mask());
        for (int i = 0; i <= FIFO_CHARACTERS; i++) {
            send(i);
        }
        long status = read(uart, LSR);
        assertThat(LSR_OVERRUN.isSet(status)).isTrue();
        assertThat(LSR_OVERRUN.isSet(read(uart, LSR))).isFalse();
        for (int i = 0; i < FIFO_CHARACTERS; i++) {
            assertThat(read(uart, RBR)).isEqualTo(i);
        }
        assertThat(LSR_DATA_READY.isSet(read(uart, LSR))).isFalse();
        assertThat(LSR_DATA_READY.isSet(read(other, LSR))).isFalse();
    }

    @Test
    void anErrorShowsWhenItsCharacterIsTheOldest() {
        write(other, FCR, FCR_ENABLE.mask());
        send(1);
        write(uart, LCR, EIGHT_BITS | LCR_PARITY.of(LCR_PARITY.valueOf("ODD")));
        write(other, LCR, EIGHT_BITS | LCR_PARITY.of(LCR_PARITY.valueOf("EVEN")));
        send(2);
        long status = read(other, LSR);
        assertThat(LSR_PARITY.isSet(status)).isFalse();
        assertThat(LSR_FIFO_ERROR.isSet(status)).isTrue();
        assertThat(read(other, RBR)).isEqualTo(1);
        assertThat(LSR_PARITY.isSet(read(other, LSR))).isTrue();
        assertThat(read(other, LSR) & ~LSR_DATA_READY.mask())
                .isEqualTo(LSR_TRANSMITTER_HOLDING_EMPTY.mask() | LSR_TRANSMITTER_EMPTY.mask());
        assertThat(read(other, RBR)).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"0, 5", "1, 6", "2, 7", "3, 8"})
    void charactersHaveTheBitsThatWereSet(int wordLength, int bits) {
        for (String parity : new String[] {"NONE", "ODD", "EVEN", "MARK", "SPACE"}) {
            long lineControl = LCR_WORD_LENGTH.of(wordLength) | LCR_PARITY.of(LCR_PARITY.valueOf(parity));
            write(uart, LCR, lineControl);
            write(other, LCR, lineControl);
            send(0xff);
            assertThat(read(other, RBR)).isEqualTo((1 << bits) - 1);
            assertThat(read(other, LSR) & 0x1f).as(parity).isZero();
        }
    }

    @Test
    void fewCharactersInterruptAfterATime() {
        write(other, FCR, FCR_ENABLE.mask() | FCR_TRIGGER.of(3));
        write(other, IER, IER_RECEIVED_DATA.mask());
        send(7);
        assertThat(other.awaitsTimeout()).isTrue();
        while (other.checkTimeout() == 0) {
            Thread.onSpinWait();
        }
        assertThat(id(other)).isEqualTo(ID_TIMEOUT);
        assertThat(read(other, RBR)).isEqualTo(7);
        assertThat(id(other)).isEqualTo(-1);
        assertThat(other.awaitsTimeout()).isFalse();
    }
}
