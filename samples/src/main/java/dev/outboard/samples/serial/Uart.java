package dev.outboard.samples.serial;

import static dev.outboard.specs.serial.Uart16550.DLL;
import static dev.outboard.specs.serial.Uart16550.DLM;
import static dev.outboard.specs.serial.Uart16550.FCR;
import static dev.outboard.specs.serial.Uart16550.FCR_ENABLE;
import static dev.outboard.specs.serial.Uart16550.FCR_RECEIVER_RESET;
import static dev.outboard.specs.serial.Uart16550.FCR_TRANSMITTER_RESET;
import static dev.outboard.specs.serial.Uart16550.FCR_TRIGGER;
import static dev.outboard.specs.serial.Uart16550.IER;
import static dev.outboard.specs.serial.Uart16550.IIR;
import static dev.outboard.specs.serial.Uart16550.IIR_FIFOS;
import static dev.outboard.specs.serial.Uart16550.LCR;
import static dev.outboard.specs.serial.Uart16550.LCR_BREAK;
import static dev.outboard.specs.serial.Uart16550.LCR_DLAB;
import static dev.outboard.specs.serial.Uart16550.LSR;
import static dev.outboard.specs.serial.Uart16550.LSR_BREAK;
import static dev.outboard.specs.serial.Uart16550.LSR_DATA_READY;
import static dev.outboard.specs.serial.Uart16550.LSR_FRAMING;
import static dev.outboard.specs.serial.Uart16550.LSR_OVERRUN;
import static dev.outboard.specs.serial.Uart16550.LSR_PARITY;
import static dev.outboard.specs.serial.Uart16550.LSR_TRANSMITTER_EMPTY;
import static dev.outboard.specs.serial.Uart16550.MCR;
import static dev.outboard.specs.serial.Uart16550.MCR_DTR;
import static dev.outboard.specs.serial.Uart16550.MCR_LOOP;
import static dev.outboard.specs.serial.Uart16550.MCR_OUT2;
import static dev.outboard.specs.serial.Uart16550.MCR_RTS;
import static dev.outboard.specs.serial.Uart16550.MSR;
import static dev.outboard.specs.serial.Uart16550.MSR_CTS;
import static dev.outboard.specs.serial.Uart16550.MSR_DCD;
import static dev.outboard.specs.serial.Uart16550.MSR_DSR;
import static dev.outboard.specs.serial.Uart16550.MSR_RI;
import static dev.outboard.specs.serial.Uart16550.RBR;
import static dev.outboard.specs.serial.Uart16550.SCR;
import static dev.outboard.specs.serial.Uart16550.THR;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.memory.Register;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.time.Duration;

/**
 * One 16550A: what its registers do, and nothing about who waits for what. PC16550D data sheet, section 8.
 *
 * <p>Synchronized, since registers change their meaning: while the divisor is set, it lies where the data was.
 */
final class Uart {
    private static final int ALL_ONES = 0xff;
    private static final int SCRATCH = 0x5a;
    private static final long FIFOS = FCR_ENABLE.mask() | FCR_TRIGGER.of(FCR_TRIGGER.valueOf("8"));
    private static final byte[] SELF_TEST = {0, 0x55, (byte) 0xaa, (byte) 0xff};
    private static final Duration SELF_TEST_TIMEOUT = Duration.ofSeconds(1);

    private final String name;
    private final PciFunction function;
    private final Registers registers;
    private SerialErrors errors = new SerialErrors(0, 0, 0, 0);

    Uart(String name, PciFunction function, Registers registers) {
        this.name = name;
        this.function = function;
        this.registers = registers;
    }

    /** Switches interrupts off and FIFOs on. */
    synchronized void initialize() throws IOException {
        registers.write(IER, 0);
        registers.write(SCR, SCRATCH);
        if (registers.read(SCR) != SCRATCH) {
            checkPresent();
        }
        configure(SerialSettings.DEFAULT);
        setModemControl(true, true);
        registers.write(FCR, FIFOS);
        long identification = registers.read(IIR);
        if (IIR_FIFOS.get(identification) != IIR_FIFOS.valueOf("ON")) {
            throw new DeviceException(
                    "%s has no FIFOs (IIR is 0x%02x): it is no 16550A".formatted(name, identification));
        }
    }

    /** Throws away what was received; returns whether there was something, or something is still being sent. */
    synchronized boolean discard() throws IOException {
        long status = lineStatus();
        if (LSR_DATA_READY.isSet(status)) {
            receive();
        }
        return LSR_DATA_READY.isSet(status) || !LSR_TRANSMITTER_EMPTY.isSet(status);
    }

    /** Talking to itself, it hears what it says, and its modem outputs are its inputs. 8.8, bit 4. */
    synchronized void selfTest() throws IOException {
        registers.write(FCR, FIFOS | FCR_RECEIVER_RESET.mask() | FCR_TRANSMITTER_RESET.mask());
        registers.write(MCR, MCR_LOOP.mask() | MCR_RTS.mask() | MCR_OUT2.mask());
        checkSelf("modem lines", MSR_CTS.mask() | MSR_DCD.mask(), registers.read(MSR) & modemInputs());
        checkSelf("received data after its FIFO was cleared", 0, LSR_DATA_READY.get(lineStatus()));
        for (byte sent : SELF_TEST) {
            registers.write(THR, sent);
            registers.pollUntil(LSR, LSR_DATA_READY::isSet, SELF_TEST_TIMEOUT);
            checkSelf("a character", Byte.toUnsignedLong(sent), registers.read(RBR));
        }
        setModemControl(true, true);
        errors = new SerialErrors(0, 0, 0, 0);
    }

    private void checkSelf(String what, long expected, long found) throws IOException {
        if (found != expected) {
            checkPresent();
            throw new DeviceException("%s fails its self-test: %s should be 0x%02x and is 0x%02x; reset the card"
                    .formatted(name, what, expected, found));
        }
    }

    private static long modemInputs() {
        return MSR_CTS.mask() | MSR_DSR.mask() | MSR_RI.mask() | MSR_DCD.mask();
    }

    synchronized void configure(SerialSettings settings) {
        registers.write(LCR, LCR_DLAB.mask());
        registers.write(DLL, settings.divisor());
        registers.write(DLM, settings.divisor() >> Byte.SIZE);
        registers.write(LCR, settings.lineControl());
    }

    synchronized void setBreak(boolean on) {
        registers.modify(LCR, LCR_BREAK, on ? 1 : 0);
    }

    synchronized void setModemControl(boolean dataTerminalReady, boolean requestToSend) {
        long control = MCR_DTR.of(dataTerminalReady ? 1 : 0) | MCR_RTS.of(requestToSend ? 1 : 0);
        registers.write(MCR, control | MCR_OUT2.mask());
    }

    synchronized ModemLines modemLines() throws IOException {
        long status = read(MSR);
        return new ModemLines(
                MSR_CTS.isSet(status), MSR_DSR.isSet(status), MSR_RI.isSet(status), MSR_DCD.isSet(status));
    }

    synchronized void enableInterrupts(long enabled) {
        registers.write(IER, enabled);
    }

    /** Why it interrupts; reading that takes the transmitter's interrupt back. */
    synchronized long identification() throws IOException {
        return read(IIR);
    }

    /** LSR. Reading it clears the errors in it, so they are counted here. */
    synchronized long lineStatus() throws IOException {
        long status = read(LSR);
        long overruns = LSR_OVERRUN.get(status);
        long breaks = LSR_BREAK.get(status);
        // A break looks like a character without a stop bit, too.
        long framing = LSR_FRAMING.get(status) & ~breaks;
        long parity = LSR_PARITY.get(status) & ~breaks;
        if ((overruns | breaks | framing | parity) != 0) {
            errors = new SerialErrors(
                    errors.overruns() + overruns,
                    errors.parity() + parity,
                    errors.framing() + framing,
                    errors.breaks() + breaks);
        }
        return status;
    }

    synchronized SerialErrors errors() {
        return errors;
    }

    synchronized int receive() {
        return (int) registers.read(RBR);
    }

    synchronized void transmit(byte character) {
        registers.write(THR, character);
    }

    private long read(Register register) throws IOException {
        long value = registers.read(register);
        if (value == ALL_ONES) {
            checkPresent();
        }
        return value;
    }

    /** A status of all ones can be true; but not that of the scratch register, which holds something else. */
    private void checkPresent() throws IOException {
        function.checkPresent();
        if (registers.read(SCR) == ALL_ONES) {
            throw new DeviceGoneException(name + " reads all ones: it is gone, or powered down", null);
        }
    }

    synchronized void shutDown() {
        registers.write(IER, 0);
        registers.write(MCR, 0);
    }

    @Override
    public String toString() {
        return name;
    }
}
