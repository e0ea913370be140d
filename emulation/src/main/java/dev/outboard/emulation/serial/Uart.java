package dev.outboard.emulation.serial;

import static dev.outboard.specs.serial.Uart16550.BASE_BAUD;
import static dev.outboard.specs.serial.Uart16550.DLL;
import static dev.outboard.specs.serial.Uart16550.DLM;
import static dev.outboard.specs.serial.Uart16550.FCR;
import static dev.outboard.specs.serial.Uart16550.FCR_ENABLE;
import static dev.outboard.specs.serial.Uart16550.FCR_RECEIVER_RESET;
import static dev.outboard.specs.serial.Uart16550.FCR_TRANSMITTER_RESET;
import static dev.outboard.specs.serial.Uart16550.FCR_TRIGGER;
import static dev.outboard.specs.serial.Uart16550.ID_LINE_STATUS;
import static dev.outboard.specs.serial.Uart16550.ID_MODEM_STATUS;
import static dev.outboard.specs.serial.Uart16550.ID_RECEIVED_DATA;
import static dev.outboard.specs.serial.Uart16550.ID_TIMEOUT;
import static dev.outboard.specs.serial.Uart16550.ID_TRANSMITTER_EMPTY;
import static dev.outboard.specs.serial.Uart16550.IER;
import static dev.outboard.specs.serial.Uart16550.IER_LINE_STATUS;
import static dev.outboard.specs.serial.Uart16550.IER_MODEM_STATUS;
import static dev.outboard.specs.serial.Uart16550.IER_RECEIVED_DATA;
import static dev.outboard.specs.serial.Uart16550.IER_TRANSMITTER_EMPTY;
import static dev.outboard.specs.serial.Uart16550.IIR;
import static dev.outboard.specs.serial.Uart16550.IIR_FIFOS;
import static dev.outboard.specs.serial.Uart16550.IIR_ID;
import static dev.outboard.specs.serial.Uart16550.IIR_NONE;
import static dev.outboard.specs.serial.Uart16550.LCR;
import static dev.outboard.specs.serial.Uart16550.LCR_BREAK;
import static dev.outboard.specs.serial.Uart16550.LCR_DLAB;
import static dev.outboard.specs.serial.Uart16550.LCR_STOP_BITS;
import static dev.outboard.specs.serial.Uart16550.LSR;
import static dev.outboard.specs.serial.Uart16550.LSR_BREAK;
import static dev.outboard.specs.serial.Uart16550.LSR_DATA_READY;
import static dev.outboard.specs.serial.Uart16550.LSR_FIFO_ERROR;
import static dev.outboard.specs.serial.Uart16550.LSR_FRAMING;
import static dev.outboard.specs.serial.Uart16550.LSR_OVERRUN;
import static dev.outboard.specs.serial.Uart16550.LSR_PARITY;
import static dev.outboard.specs.serial.Uart16550.LSR_TRANSMITTER_EMPTY;
import static dev.outboard.specs.serial.Uart16550.LSR_TRANSMITTER_HOLDING_EMPTY;
import static dev.outboard.specs.serial.Uart16550.MCR;
import static dev.outboard.specs.serial.Uart16550.MCR_DTR;
import static dev.outboard.specs.serial.Uart16550.MCR_LOOP;
import static dev.outboard.specs.serial.Uart16550.MCR_OUT1;
import static dev.outboard.specs.serial.Uart16550.MCR_OUT2;
import static dev.outboard.specs.serial.Uart16550.MCR_RTS;
import static dev.outboard.specs.serial.Uart16550.MSR;
import static dev.outboard.specs.serial.Uart16550.MSR_CTS;
import static dev.outboard.specs.serial.Uart16550.MSR_DCD;
import static dev.outboard.specs.serial.Uart16550.MSR_DELTA_CTS;
import static dev.outboard.specs.serial.Uart16550.MSR_DELTA_DCD;
import static dev.outboard.specs.serial.Uart16550.MSR_DELTA_DSR;
import static dev.outboard.specs.serial.Uart16550.MSR_DSR;
import static dev.outboard.specs.serial.Uart16550.MSR_RI;
import static dev.outboard.specs.serial.Uart16550.MSR_TRAILING_RI;
import static dev.outboard.specs.serial.Uart16550.RBR;
import static dev.outboard.specs.serial.Uart16550.SCR;
import static dev.outboard.specs.serial.Uart16550.THR;

/**
 * A 16550A. PC16550D data sheet, section 8. Characters take no time on the line, and wait there while the receiver at the
 * other end has no room; but time passes before a receiver's FIFO that is not full enough interrupts.
 */
final class Uart {
    private static final int[] TRIGGERS = {1, 4, 8, 14};
    private static final int TIMEOUT_CHARACTERS = 4;
    private static final long NANOS = 1_000_000_000;
    private static final int LARGEST_DIVISOR = 0x10000;
    private static final int RESET_DIVISOR = 12;
    private static final int BYTE = 0xff;
    private static final int NOTHING = -1;
    private static final long IER_BITS =
            IER_RECEIVED_DATA.mask() | IER_TRANSMITTER_EMPTY.mask() | IER_LINE_STATUS.mask() | IER_MODEM_STATUS.mask();
    private static final long MCR_BITS =
            MCR_DTR.mask() | MCR_RTS.mask() | MCR_OUT1.mask() | MCR_OUT2.mask() | MCR_LOOP.mask();
    private static final long CHARACTER_ERRORS = LSR_PARITY.mask() | LSR_FRAMING.mask() | LSR_BREAK.mask();
    private static final long MSR_DELTAS =
            MSR_DELTA_CTS.mask() | MSR_DELTA_DSR.mask() | MSR_TRAILING_RI.mask() | MSR_DELTA_DCD.mask();

    private final Fifo receiver = new Fifo();
    private final Fifo transmitter = new Fifo();
    private Uart peer = this;
    private long interruptEnable;
    private long fifoControl;
    private int lineControl;
    private long modemControl;
    private long modemStatus;
    private int scratch;
    private int divisor;
    /** Errors of LSR that nobody has read yet. */
    private long lineErrors;
    /** The transmitter became empty, and nobody was told. */
    private boolean emptied;

    private boolean timedOut;
    private long receiverNanos;

    Uart() {
        reset();
    }

    /** Connects the two by a null modem cable; one with itself by a plug. */
    static void connect(Uart one, Uart other) {
        one.peer = other;
        other.peer = one;
        one.updateModemStatus();
        other.updateModemStatus();
    }

    void reset() {
        interruptEnable = 0;
        fifoControl = 0;
        lineControl = 0;
        modemControl = 0;
        scratch = 0;
        divisor = RESET_DIVISOR;
        lineErrors = 0;
        emptied = false;
        timedOut = false;
        receiver.reset(false);
        transmitter.reset(false);
        updateModemStatus();
        peer.updateModemStatus();
        modemStatus &= ~MSR_DELTAS;
    }

    private boolean isLooped() {
        return MCR_LOOP.isSet(modemControl);
    }

    private int divisor() {
        return divisor == 0 ? LARGEST_DIVISOR : divisor;
    }

    // The transmitter.

    /** Whether a character can go out now. */
    boolean canSend() {
        return !transmitter.isEmpty() && (isLooped() || peer.hasRoom());
    }

    /** Sends what can be sent; returns how many characters that was. */
    int send() {
        int sent = 0;
        while (canSend()) {
            put(Frame.of(transmitter.take(), lineControl, divisor()));
            sent++;
        }
        if (sent > 0 && transmitter.isEmpty()) {
            emptied = true;
        }
        return sent;
    }

    private void put(Frame frame) {
        if (isLooped()) {
            receive(frame);
        } else {
            peer.receiveFromLine(frame);
        }
    }

    // The receiver.

    private boolean hasRoom() {
        return isLooped() || !receiver.isFull();
    }

    /** A receiver that talks to itself does not hear the line. */
    private void receiveFromLine(Frame frame) {
        if (!isLooped()) {
            receive(frame);
        }
    }

    private void receive(Frame frame) {
        int entry = frame.receivedWith(lineControl, divisor());
        receiverNanos = System.nanoTime();
        if (!receiver.isFull()) {
            receiver.add(entry);
            reveal();
            return;
        }
        lineErrors |= LSR_OVERRUN.mask();
        if (!FCR_ENABLE.isSet(fifoControl)) {
            // Without FIFOs the new character replaces the old one. 8.4, bit 1.
            receiver.replaceOldest(entry);
            reveal();
        }
    }

    /** The errors of a character show when it is the oldest. */
    private void reveal() {
        if (!receiver.isEmpty()) {
            int oldest = receiver.oldest();
            lineErrors |= oldest >> Byte.SIZE;
            receiver.replaceOldest(oldest & BYTE);
        }
    }

    private int take() {
        timedOut = false;
        if (receiver.isEmpty()) {
            return 0;
        }
        receiverNanos = System.nanoTime();
        int character = receiver.take();
        reveal();
        return character;
    }

    /** Whether time matters: characters wait in a FIFO that is not full enough to interrupt. */
    boolean awaitsTimeout() {
        return FCR_ENABLE.isSet(fifoControl)
                && IER_RECEIVED_DATA.isSet(interruptEnable)
                && !receiver.isEmpty()
                && !timedOut;
    }

    /** Notices that nothing came, and nothing was taken, for four characters' time. 8.11. */
    int checkTimeout() {
        if (!awaitsTimeout() || System.nanoTime() - receiverNanos < TIMEOUT_CHARACTERS * characterNanos()) {
            return 0;
        }
        timedOut = true;
        return 1;
    }

    private long characterNanos() {
        long bits =
                1L + Frame.wordBits(lineControl) + Frame.parityBits(lineControl) + 1 + LCR_STOP_BITS.get(lineControl);
        return bits * divisor() * NANOS / BASE_BAUD;
    }

    // Modem lines: what is DTR and RTS here is DSR with DCD and CTS at the other end.

    private void updateModemStatus() {
        long before = modemStatus;
        Uart source = isLooped() ? this : peer;
        // While it talks to itself its outputs are off. 8.8, bit 4.
        long outputs = source.isLooped() && source != this ? 0 : source.modemControl;
        long now = MSR_CTS.of(MCR_RTS.get(outputs)) | MSR_DSR.of(MCR_DTR.get(outputs));
        now |= isLooped()
                ? MSR_RI.of(MCR_OUT1.get(outputs)) | MSR_DCD.of(MCR_OUT2.get(outputs))
                : MSR_DCD.of(MCR_DTR.get(outputs));
        long changed = before ^ now;
        long deltas = MSR_DELTA_CTS.of(MSR_CTS.get(changed))
                | MSR_DELTA_DSR.of(MSR_DSR.get(changed))
                | MSR_TRAILING_RI.of(MSR_RI.get(changed & before))
                | MSR_DELTA_DCD.of(MSR_DCD.get(changed));
        modemStatus = now | deltas | (before & MSR_DELTAS);
    }

    // Interrupts.

    boolean isInterrupting() {
        return interruptId() != NOTHING;
    }

    /** The most urgent of what is pending. Table III. */
    private int interruptId() {
        if (IER_LINE_STATUS.isSet(interruptEnable) && lineErrors != 0) {
            return ID_LINE_STATUS;
        }
        if (IER_RECEIVED_DATA.isSet(interruptEnable)) {
            if (receiver.size() >= trigger()) {
                return ID_RECEIVED_DATA;
            }
            if (timedOut) {
                return ID_TIMEOUT;
            }
        }
        if (IER_TRANSMITTER_EMPTY.isSet(interruptEnable) && emptied) {
            return ID_TRANSMITTER_EMPTY;
        }
        return IER_MODEM_STATUS.isSet(interruptEnable) && (modemStatus & MSR_DELTAS) != 0 ? ID_MODEM_STATUS : NOTHING;
    }

    private int trigger() {
        return FCR_ENABLE.isSet(fifoControl) ? TRIGGERS[(int) FCR_TRIGGER.get(fifoControl)] : 1;
    }

    private long identify() {
        int id = interruptId();
        if (id == ID_TRANSMITTER_EMPTY) {
            emptied = false;
        }
        long fifos = FCR_ENABLE.isSet(fifoControl) ? IIR_FIFOS.of(IIR_FIFOS.valueOf("ON")) : 0;
        return fifos | (id == NOTHING ? IIR_NONE.mask() : IIR_ID.of(id));
    }

    // Registers.

    private boolean isDivisorShown() {
        return LCR_DLAB.isSet(lineControl);
    }

    /** Reads one of the 8 registers. */
    long read(int offset) {
        if (isDivisorShown() && offset <= DLM.offset()) {
            return offset == DLL.offset() ? divisor & BYTE : divisor >> Byte.SIZE;
        }
        if (offset == RBR.offset()) {
            return take();
        } else if (offset == IER.offset()) {
            return interruptEnable;
        } else if (offset == IIR.offset()) {
            return identify();
        } else if (offset == LCR.offset()) {
            return lineControl;
        } else if (offset == MCR.offset()) {
            return modemControl;
        } else if (offset == LSR.offset()) {
            return readLineStatus();
        }
        return offset == MSR.offset() ? readModemStatus() : scratch;
    }

    private long readLineStatus() {
        boolean errors = FCR_ENABLE.isSet(fifoControl)
                && ((lineErrors & CHARACTER_ERRORS) != 0 || receiver.any((int) CHARACTER_ERRORS << Byte.SIZE));
        long status = lineErrors | LSR_DATA_READY.of(receiver.isEmpty() ? 0 : 1) | LSR_FIFO_ERROR.of(errors ? 1 : 0);
        if (transmitter.isEmpty()) {
            status |= LSR_TRANSMITTER_HOLDING_EMPTY.mask() | LSR_TRANSMITTER_EMPTY.mask();
        }
        lineErrors = 0;
        return status;
    }

    private long readModemStatus() {
        long status = modemStatus;
        modemStatus &= ~MSR_DELTAS;
        return status;
    }

    /** Writes one of the 8 registers. */
    void write(int offset, int value) {
        if (isDivisorShown() && offset <= DLM.offset()) {
            divisor = offset == DLL.offset() ? (divisor & ~BYTE) | value : (divisor & BYTE) | (value << Byte.SIZE);
            return;
        }
        if (offset == THR.offset()) {
            transmit(value);
        } else if (offset == IER.offset()) {
            enableInterrupts(value & IER_BITS);
        } else if (offset == FCR.offset()) {
            controlFifos(value);
        } else if (offset == LCR.offset()) {
            controlLine(value);
        } else if (offset == MCR.offset()) {
            modemControl = value & MCR_BITS;
            updateModemStatus();
            peer.updateModemStatus();
        } else if (offset == SCR.offset()) {
            scratch = value;
        }
        // LSR and MSR are written in the factory only. 8.4, 8.9.
    }

    private void transmit(int character) {
        emptied = false;
        if (!transmitter.isFull()) {
            transmitter.add(character);
        }
    }

    private void enableInterrupts(long enable) {
        // Enabling this one tells about a transmitter that is empty already. 8.11.
        if (IER_TRANSMITTER_EMPTY.isSet(enable & ~interruptEnable) && transmitter.isEmpty()) {
            emptied = true;
        }
        interruptEnable = enable;
    }

    private void controlFifos(long control) {
        boolean on = FCR_ENABLE.isSet(control);
        boolean changed = on != FCR_ENABLE.isSet(fifoControl);
        fifoControl = on ? control : 0;
        if (changed || FCR_RECEIVER_RESET.isSet(control)) {
            receiver.reset(on);
            timedOut = false;
        }
        if (changed || FCR_TRANSMITTER_RESET.isSet(control)) {
            emptied |= !transmitter.isEmpty();
            transmitter.reset(on);
        }
    }

    private void controlLine(int control) {
        boolean breaks = LCR_BREAK.isSet(control & ~lineControl);
        lineControl = control;
        if (breaks) {
            put(Frame.ofBreak(divisor()));
        }
    }
}
