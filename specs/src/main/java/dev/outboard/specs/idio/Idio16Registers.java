package dev.outboard.specs.idio;

import static dev.outboard.memory.Register.Access.READ_HAS_EFFECT;
import static dev.outboard.memory.Register.Access.READ_ONLY;
import static dev.outboard.memory.Register.Access.READ_WRITE;
import static dev.outboard.memory.Register.Access.WRITE_ONLY;

import dev.outboard.memory.Field;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;

/**
 * ACCES PCI-IDIO-16: 16 isolated inputs and 16 FET outputs, in eight I/O ports of BAR 2, one byte each; one INTx. The
 * card's manual, chapter 4; what the bits of the interrupt status mean, in Linux's drivers/gpio/gpio-pci-idio-16.c. The
 * same port is one register to read and another one to write.
 */
public final class Idio16Registers {
    /** Who made it: ACCES I/O Products. */
    public static final int VENDOR_ID = 0x494f;
    /** What it is. */
    public static final int DEVICE_ID = 0x0dc8;
    /** The BAR that the registers are in. */
    public static final int BAR = 2;
    /** How many ports there are, one byte each. */
    public static final int BYTES = 8;
    /** How many inputs there are, and how many outputs. */
    public static final int LINES = 16;
    /** The lines of one port. */
    public static final int PORT_LINES = 8;
    /** How long an input must stay as it is before it passes its filter. */
    public static final long FILTER_NANOS = 5_000_000;

    /** Outputs 0 to 7: a one lets current flow. */
    public static final Register OUTPUTS_LOW = Register.of("OUTPUTS_LOW", 0, 8, READ_WRITE, "4");
    /** Outputs 8 to 15. */
    public static final Register OUTPUTS_HIGH = Register.of("OUTPUTS_HIGH", 4, 8, READ_WRITE, "4");
    /** Inputs 0 to 7: a one is energized. */
    public static final Register INPUTS_LOW = Register.of("INPUTS_LOW", 1, 8, READ_ONLY, "4, Digital Inputs");
    /** Inputs 8 to 15. */
    public static final Register INPUTS_HIGH = Register.of("INPUTS_HIGH", 5, 8, READ_ONLY, "4, Digital Inputs");

    /** Any write takes the interrupt back. */
    public static final Register INTERRUPT_CLEAR = Register.of("INTERRUPT_CLEAR", 1, 8, WRITE_ONLY, "4, Interrupts");
    /** Reading has every change of an input interrupt. */
    public static final Register INTERRUPT_ENABLE =
            Register.of("INTERRUPT_ENABLE", 2, 8, READ_HAS_EFFECT, "4, Interrupts");
    /** Any write ends that. */
    public static final Register INTERRUPT_DISABLE =
            Register.of("INTERRUPT_DISABLE", 2, 8, WRITE_ONLY, "4, Interrupts");

    /** INTERRUPT_STATUS: one of inputs 0 to 7 changed. */
    public static final Field STATUS_LOW = Field.bit("LOW", 0);
    /** INTERRUPT_STATUS: one of inputs 8 to 15 changed. */
    public static final Field STATUS_HIGH = Field.bit("HIGH", 1);
    /** INTERRUPT_STATUS: the card interrupts. */
    public static final Field STATUS_PENDING = Field.bit("PENDING", 2);
    /** Whether this card interrupts, on a line that it may share. */
    public static final Register INTERRUPT_STATUS =
            Register.of("INTERRUPT_STATUS", 6, 8, READ_ONLY, "4, Interrupts", STATUS_LOW, STATUS_HIGH, STATUS_PENDING);

    /** Reading turns the filters of all inputs on. */
    public static final Register FILTERS_ON = Register.of("FILTERS_ON", 3, 8, READ_HAS_EFFECT, "4, Filters");
    /** Any write turns the filters of all inputs off. */
    public static final Register FILTERS_OFF = Register.of("FILTERS_OFF", 3, 8, WRITE_ONLY, "4, Filters");
    /** The filters of inputs 0 to 7, one by one; cannot be written while all are on. */
    public static final Register FILTERS_LOW = Register.of("FILTERS_LOW", 7, 8, READ_WRITE, "4, Filters");

    /** All registers. */
    public static final RegisterMap ALL = RegisterMap.of(
            "idio16",
            OUTPUTS_LOW,
            INPUTS_LOW,
            INTERRUPT_CLEAR,
            INTERRUPT_ENABLE,
            INTERRUPT_DISABLE,
            FILTERS_ON,
            FILTERS_OFF,
            OUTPUTS_HIGH,
            INPUTS_HIGH,
            INTERRUPT_STATUS,
            FILTERS_LOW);

    private Idio16Registers() {}
}
