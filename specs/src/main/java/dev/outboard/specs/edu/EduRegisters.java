package dev.outboard.specs.edu;

import static dev.outboard.memory.Register.Access.READ_ONLY;
import static dev.outboard.memory.Register.Access.READ_WRITE;
import static dev.outboard.memory.Register.Access.WRITE_HAS_EFFECT;
import static dev.outboard.memory.Register.Access.WRITE_ONLY;

import dev.outboard.memory.Field;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;

/**
 * The registers of QEMU's device for teaching, in BAR 0. QEMU, docs/specs/edu.rst. Those below 0x80 take accesses of 32
 * bits, the others of 32 and 64.
 */
public final class EduRegisters {
    /** Who made it: the first id that QEMU used. */
    public static final int VENDOR_ID = 0x1234;
    /** What it is. */
    public static final int DEVICE_ID = 0x11e8;
    /** The size of BAR 0, in bytes. */
    public static final long BAR_BYTES = 1 << 20;

    /** IDENTIFICATION: the mark of the device. */
    public static final Field IDENTIFICATION_MARK = Field.bits("MARK", 15, 0).value(0xed, "EDU");
    /** IDENTIFICATION: minor version. */
    public static final Field IDENTIFICATION_MINOR = Field.bits("MINOR", 23, 16);
    /** IDENTIFICATION: major version. */
    public static final Field IDENTIFICATION_MAJOR = Field.bits("MAJOR", 31, 24);
    /** What the device is. */
    public static final Register IDENTIFICATION = Register.of(
            "IDENTIFICATION",
            0x00,
            32,
            READ_ONLY,
            "MMIO area",
            IDENTIFICATION_MARK,
            IDENTIFICATION_MINOR,
            IDENTIFICATION_MAJOR);

    /** Returns what was written to it, inverted. */
    public static final Register LIVENESS = Register.of("LIVENESS", 0x04, 32, WRITE_HAS_EFFECT, "MMIO area");

    /** Takes a number, and holds its factorial once STATUS says that it is computed. */
    public static final Register FACTORIAL = Register.of("FACTORIAL", 0x08, 32, WRITE_HAS_EFFECT, "MMIO area");

    /** STATUS: the factorial is being computed. */
    public static final Field STATUS_COMPUTING = Field.bit("COMPUTING", 0).with(READ_ONLY);
    /** STATUS: interrupt when the factorial is computed. */
    public static final Field STATUS_INTERRUPT = Field.bit("INTERRUPT", 7);
    /** The factorial's state. */
    public static final Register STATUS =
            Register.of("STATUS", 0x20, 32, READ_WRITE, "MMIO area", STATUS_COMPUTING, STATUS_INTERRUPT);

    /** INTERRUPT_STATUS: the factorial is computed. Any other bit can be raised by hand. */
    public static final Field INTERRUPT_FACTORIAL = Field.bit("FACTORIAL", 0);
    /** INTERRUPT_STATUS: the DMA transfer is done. */
    public static final Field INTERRUPT_DMA = Field.bit("DMA", 8);
    /** Why the device interrupts; while it is not zero, INTx is asserted. */
    public static final Register INTERRUPT_STATUS =
            Register.of("INTERRUPT_STATUS", 0x24, 32, READ_ONLY, "IRQ controller", INTERRUPT_FACTORIAL, INTERRUPT_DMA);
    /** Raises an interrupt: sets the written bits of INTERRUPT_STATUS. */
    public static final Register INTERRUPT_RAISE =
            Register.of("INTERRUPT_RAISE", 0x60, 32, WRITE_ONLY, "IRQ controller", INTERRUPT_FACTORIAL, INTERRUPT_DMA);
    /** Acknowledges an interrupt: clears the written bits of INTERRUPT_STATUS. */
    public static final Register INTERRUPT_ACKNOWLEDGE = Register.of(
            "INTERRUPT_ACKNOWLEDGE", 0x64, 32, WRITE_ONLY, "IRQ controller", INTERRUPT_FACTORIAL, INTERRUPT_DMA);

    /** Where DMA reads: a device address, or {@link #BUFFER}. */
    public static final Register DMA_SOURCE = Register.of("DMA_SOURCE", 0x80, 64, READ_WRITE, "DMA controller");
    /** Where DMA writes: a device address, or {@link #BUFFER}. */
    public static final Register DMA_DESTINATION =
            Register.of("DMA_DESTINATION", 0x88, 64, READ_WRITE, "DMA controller");
    /** How many bytes DMA moves. */
    public static final Register DMA_COUNT = Register.of("DMA_COUNT", 0x90, 64, READ_WRITE, "DMA controller");

    /** DMA_COMMAND: starts a transfer; set until it is done. */
    public static final Field DMA_RUN = Field.bit("RUN", 0);
    /** DMA_COMMAND: which way. */
    public static final Field DMA_DIRECTION =
            Field.bit("DIRECTION", 1).value(0, "FROM_MEMORY").value(1, "TO_MEMORY");
    /** DMA_COMMAND: interrupt when the transfer is done. */
    public static final Field DMA_INTERRUPT = Field.bit("INTERRUPT", 2);
    /** Starts a transfer. */
    public static final Register DMA_COMMAND =
            Register.of("DMA_COMMAND", 0x98, 64, READ_WRITE, "DMA controller", DMA_RUN, DMA_DIRECTION, DMA_INTERRUPT);

    /** Where the device's own buffer lies, for DMA_SOURCE and DMA_DESTINATION; the processor cannot reach it. */
    public static final long BUFFER = 0x40000;
    /** The size of the device's own buffer. */
    public static final int BUFFER_BYTES = 4096;
    /** The device addresses that DMA reaches unless QEMU was told otherwise: the bits above are ignored. */
    public static final long DMA_MASK = (1L << 28) - 1;

    /** All registers. */
    public static final RegisterMap ALL = RegisterMap.of(
            "edu",
            IDENTIFICATION,
            LIVENESS,
            FACTORIAL,
            STATUS,
            INTERRUPT_STATUS,
            INTERRUPT_RAISE,
            INTERRUPT_ACKNOWLEDGE,
            DMA_SOURCE,
            DMA_DESTINATION,
            DMA_COUNT,
            DMA_COMMAND);

    private EduRegisters() {}
}
