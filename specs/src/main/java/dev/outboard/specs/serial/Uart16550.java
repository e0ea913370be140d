package dev.outboard.specs.serial;

import static dev.outboard.memory.Register.Access.READ_HAS_EFFECT;
import static dev.outboard.memory.Register.Access.READ_ONLY;
import static dev.outboard.memory.Register.Access.READ_TO_CLEAR;
import static dev.outboard.memory.Register.Access.READ_WRITE;
import static dev.outboard.memory.Register.Access.WRITE_ONLY;

import dev.outboard.memory.Field;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;

/**
 * The registers of a 16550A, one byte each. National Semiconductor PC16550D data sheet, section 8. What lies at 0 and 1
 * depends on {@link #LCR_DLAB}; reading 2 is {@link #IIR}, writing it {@link #FCR}.
 */
public final class Uart16550 {
    /** How many registers there are, one byte each. */
    public static final int BYTES = 8;
    /** How many characters each FIFO holds. */
    public static final int FIFO_CHARACTERS = 16;
    /** The rate of divisor 1 with the usual clock of 1.8432 MHz, in baud. */
    public static final int BASE_BAUD = 115_200;

    /** Receiver buffer: takes the oldest character that was received. DLAB = 0. */
    public static final Register RBR = Register.of("RBR", 0, 8, READ_HAS_EFFECT, "8");
    /** Transmitter holding: sends a character. DLAB = 0. */
    public static final Register THR = Register.of("THR", 0, 8, WRITE_ONLY, "8");

    /** IER: received data is there, or waits for long. */
    public static final Field IER_RECEIVED_DATA = Field.bit("ERBFI", 0);
    /** IER: the transmitter can take more. */
    public static final Field IER_TRANSMITTER_EMPTY = Field.bit("ETBEI", 1);
    /** IER: a receiver error or a break. */
    public static final Field IER_LINE_STATUS = Field.bit("ELSI", 2);
    /** IER: a modem line changed. */
    public static final Field IER_MODEM_STATUS = Field.bit("EDSSI", 3);
    /** Interrupt enable. DLAB = 0. */
    public static final Register IER = Register.of(
            "IER",
            1,
            8,
            READ_WRITE,
            "8.7",
            IER_RECEIVED_DATA,
            IER_TRANSMITTER_EMPTY,
            IER_LINE_STATUS,
            IER_MODEM_STATUS);

    /** IIR: nothing is pending. */
    public static final Field IIR_NONE = Field.bit("NONE", 0);
    /** IIR: the most urgent of what is pending. */
    public static final Field IIR_ID = Field.bits("ID", 3, 1)
            .value(0, "MODEM_STATUS")
            .value(1, "TRANSMITTER_EMPTY")
            .value(2, "RECEIVED_DATA")
            .value(3, "LINE_STATUS")
            .value(6, "TIMEOUT");
    /** IIR: the FIFOs are on. */
    public static final Field IIR_FIFOS =
            Field.bits("FIFOS", 7, 6).value(0, "OFF").value(3, "ON");
    /** Interrupt identification; reading it takes back TRANSMITTER_EMPTY. */
    public static final Register IIR = Register.of("IIR", 2, 8, READ_HAS_EFFECT, "8.6", IIR_NONE, IIR_ID, IIR_FIFOS);
    /** IIR.ID: a modem line changed; reading MSR takes it back. */
    public static final int ID_MODEM_STATUS = 0;
    /** IIR.ID: the transmitter can take more; writing THR takes it back, and reading IIR. */
    public static final int ID_TRANSMITTER_EMPTY = 1;
    /** IIR.ID: as many characters as the trigger level says were received. */
    public static final int ID_RECEIVED_DATA = 2;
    /** IIR.ID: a receiver error or a break; reading LSR takes it back. */
    public static final int ID_LINE_STATUS = 3;
    /** IIR.ID: characters below the trigger level, and the line was quiet for four characters' time. */
    public static final int ID_TIMEOUT = 6;

    /** FCR: FIFOs are on. */
    public static final Field FCR_ENABLE = Field.bit("FIFOEN", 0);
    /** FCR: clears the receiver's FIFO. */
    public static final Field FCR_RECEIVER_RESET = Field.bit("RFR", 1);
    /** FCR: clears the transmitter's FIFO. */
    public static final Field FCR_TRANSMITTER_RESET = Field.bit("XFR", 2);
    /** FCR: how many characters interrupt. */
    public static final Field FCR_TRIGGER = Field.bits("TRIGGER", 7, 6)
            .value(0, "1")
            .value(1, "4")
            .value(2, "8")
            .value(3, "14");
    /** FIFO control. */
    public static final Register FCR = Register.of(
            "FCR", 2, 8, WRITE_ONLY, "8.5", FCR_ENABLE, FCR_RECEIVER_RESET, FCR_TRANSMITTER_RESET, FCR_TRIGGER);

    /** LCR: how many bits a character has, less 5. */
    public static final Field LCR_WORD_LENGTH =
            Field.bits("WLS", 1, 0).value(0, "5").value(1, "6").value(2, "7").value(3, "8");
    /** LCR: two stop bits (one and a half with 5 bits), not one. */
    public static final Field LCR_STOP_BITS = Field.bit("STB", 2).value(0, "1").value(1, "2");
    /** LCR: parity. */
    public static final Field LCR_PARITY = Field.bits("PARITY", 5, 3)
            .value(0, "NONE")
            .value(1, "ODD")
            .value(3, "EVEN")
            .value(5, "MARK")
            .value(7, "SPACE");
    /** LCR: holds the line low. */
    public static final Field LCR_BREAK = Field.bit("BREAK", 6);
    /** LCR: the divisor is at 0 and 1. */
    public static final Field LCR_DLAB = Field.bit("DLAB", 7);
    /** Line control: the format of characters. */
    public static final Register LCR = Register.of(
            "LCR", 3, 8, READ_WRITE, "8.1", LCR_WORD_LENGTH, LCR_STOP_BITS, LCR_PARITY, LCR_BREAK, LCR_DLAB);

    /** MCR: data terminal ready. */
    public static final Field MCR_DTR = Field.bit("DTR", 0);
    /** MCR: request to send. */
    public static final Field MCR_RTS = Field.bit("RTS", 1);
    /** MCR: a free output. */
    public static final Field MCR_OUT1 = Field.bit("OUT1", 2);
    /** MCR: a free output; on PCs it lets the interrupt through. */
    public static final Field MCR_OUT2 = Field.bit("OUT2", 3);
    /** MCR: the port talks to itself. */
    public static final Field MCR_LOOP = Field.bit("LOOP", 4);
    /** Modem control. */
    public static final Register MCR =
            Register.of("MCR", 4, 8, READ_WRITE, "8.8", MCR_DTR, MCR_RTS, MCR_OUT1, MCR_OUT2, MCR_LOOP);

    /** LSR: a received character is there. */
    public static final Field LSR_DATA_READY = Field.bit("DR", 0);
    /** LSR: a character came when there was no room. */
    public static final Field LSR_OVERRUN = Field.bit("OE", 1).with(READ_TO_CLEAR);
    /** LSR: the oldest character has a wrong parity. */
    public static final Field LSR_PARITY = Field.bit("PE", 2).with(READ_TO_CLEAR);
    /** LSR: the oldest character has no stop bit. */
    public static final Field LSR_FRAMING = Field.bit("FE", 3).with(READ_TO_CLEAR);
    /** LSR: the oldest character is a break. */
    public static final Field LSR_BREAK = Field.bit("BI", 4).with(READ_TO_CLEAR);
    /** LSR: the transmitter can take more: with FIFOs it is empty. */
    public static final Field LSR_TRANSMITTER_HOLDING_EMPTY = Field.bit("THRE", 5);
    /** LSR: everything was sent. */
    public static final Field LSR_TRANSMITTER_EMPTY = Field.bit("TEMT", 6);
    /** LSR: there is an error among the received characters. */
    public static final Field LSR_FIFO_ERROR = Field.bit("RXFE", 7);
    /** Line status. */
    public static final Register LSR = Register.of(
            "LSR",
            5,
            8,
            READ_ONLY,
            "8.4",
            LSR_DATA_READY,
            LSR_OVERRUN,
            LSR_PARITY,
            LSR_FRAMING,
            LSR_BREAK,
            LSR_TRANSMITTER_HOLDING_EMPTY,
            LSR_TRANSMITTER_EMPTY,
            LSR_FIFO_ERROR);

    /** MSR: CTS changed. */
    public static final Field MSR_DELTA_CTS = Field.bit("DCTS", 0).with(READ_TO_CLEAR);
    /** MSR: DSR changed. */
    public static final Field MSR_DELTA_DSR = Field.bit("DDSR", 1).with(READ_TO_CLEAR);
    /** MSR: RI went off. */
    public static final Field MSR_TRAILING_RI = Field.bit("TERI", 2).with(READ_TO_CLEAR);
    /** MSR: DCD changed. */
    public static final Field MSR_DELTA_DCD = Field.bit("DDCD", 3).with(READ_TO_CLEAR);
    /** MSR: clear to send. */
    public static final Field MSR_CTS = Field.bit("CTS", 4);
    /** MSR: data set ready. */
    public static final Field MSR_DSR = Field.bit("DSR", 5);
    /** MSR: ring indicator. */
    public static final Field MSR_RI = Field.bit("RI", 6);
    /** MSR: data carrier detect. */
    public static final Field MSR_DCD = Field.bit("DCD", 7);
    /** Modem status. */
    public static final Register MSR = Register.of(
            "MSR",
            6,
            8,
            READ_ONLY,
            "8.9",
            MSR_DELTA_CTS,
            MSR_DELTA_DSR,
            MSR_TRAILING_RI,
            MSR_DELTA_DCD,
            MSR_CTS,
            MSR_DSR,
            MSR_RI,
            MSR_DCD);

    /** A byte for whatever the driver likes. */
    public static final Register SCR = Register.of("SCR", 7, 8, READ_WRITE, "8.10");

    /** Divisor latch, low byte. DLAB = 1. */
    public static final Register DLL = Register.of("DLL", 0, 8, READ_WRITE, "8.3");
    /** Divisor latch, high byte. DLAB = 1. */
    public static final Register DLM = Register.of("DLM", 1, 8, READ_WRITE, "8.3");

    /**
     * All registers as they are while DLAB is 0: the divisor, which lies in the same places, is not among them, since
     * reading it then would take a character.
     */
    public static final RegisterMap ALL = RegisterMap.of("16550", RBR, THR, IER, IIR, FCR, LCR, MCR, LSR, MSR, SCR);

    private Uart16550() {}
}
