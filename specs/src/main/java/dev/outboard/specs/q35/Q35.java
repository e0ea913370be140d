package dev.outboard.specs.q35;

import static dev.outboard.memory.Register.Access.READ_WRITE;

import dev.outboard.memory.Field;
import dev.outboard.memory.Register;

/** The registers that lead to configuration space and that reset the machine, and how interrupt pins are wired. */
public final class Q35 {
    /** Configuration address: the access goes to configuration space. PCI 3.0, 3.2.2.3.2. */
    public static final Field CONFIGURATION_ENABLE = Field.bit("ENABLE", 31);
    /** Configuration address: which 32 bits, for bus 0: the device, the function and the offset. */
    public static final Field CONFIGURATION_TARGET = Field.bits("TARGET", 23, 0);
    /** An I/O port: which part of configuration space {@link #CONFIGURATION_DATA} stands for. */
    public static final Register CONFIGURATION_ADDRESS = Register.of(
            "CONFIG_ADDRESS", 0xcf8, 32, READ_WRITE, "PCI 3.0, 3.2.2.3.2", CONFIGURATION_ENABLE, CONFIGURATION_TARGET);
    /** An I/O port: 32 bits of configuration space. */
    public static final Register CONFIGURATION_DATA =
            Register.of("CONFIG_DATA", 0xcfc, 32, READ_WRITE, "PCI 3.0, 3.2.2.3.2");

    /** Reset control: the next write of {@link #RESET_PROCESSOR} resets the whole system. */
    public static final Field RESET_SYSTEM = Field.bit("SYS_RST", 1);
    /** Reset control: resets. */
    public static final Field RESET_PROCESSOR = Field.bit("RST_CPU", 2);
    /** An I/O port: resets the machine. */
    public static final Register RESET_CONTROL =
            Register.of("RST_CNT", 0xcf9, 8, READ_WRITE, "ICH9, 13.7.5", RESET_SYSTEM, RESET_PROCESSOR);

    /** PCIEXBAR, low: configuration space is in memory. */
    public static final Field PCIEXBAR_ENABLE = Field.bit("PCIEXBAREN", 0);
    /** The host bridge's: where configuration space of 256 buses is in memory; the low 32 bits. */
    public static final Register PCIEXBAR_LOW =
            Register.of("PCIEXBAR", 0x60, 32, READ_WRITE, "3 Series, 5.1.16", PCIEXBAR_ENABLE);

    /** How much configuration space in memory a device has, with its eight functions. PCI Express 3.0, 7.2.2. */
    public static final long EXPRESS_DEVICE_BYTES = 0x8000;

    private static final int FIRST_GSI = 20;
    private static final int PINS = 4;

    private Q35() {}

    /**
     * Which input of the I/O APIC an interrupt pin leads to.
     *
     * @param slot the device's number on bus 0, from 1 to 24
     * @param pin its pin: 1 is INTA
     * @return the global system interrupt
     */
    public static int globalSystemInterrupt(int slot, int pin) {
        return FIRST_GSI + (slot + pin - 1) % PINS;
    }
}
