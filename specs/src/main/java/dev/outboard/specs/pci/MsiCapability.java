package dev.outboard.specs.pci;

import static dev.outboard.memory.Register.Access.READ_WRITE;

import dev.outboard.memory.Field;
import dev.outboard.memory.Register;

/** The capability for message signalled interrupts; offsets are from its start. PCI 3.0, 6.8.1. */
public final class MsiCapability {
    /** Control: the function sends messages, and does not assert INTx. */
    public static final Field ENABLE = PciConfiguration.MSI_ENABLE;
    /** Control: how many vectors it could use, as a power of two. */
    public static final Field CAPABLE = Field.bits("MMC", 3, 1);
    /** Control: how many it may use, as a power of two. */
    public static final Field ALLOWED = Field.bits("MME", 6, 4);
    /** Control: its address has 64 bits. */
    public static final Field ADDRESS_64_BIT = PciConfiguration.MSI_64_BIT;
    /** What it can and may do. */
    public static final Register CONTROL =
            Register.of("MSI_CONTROL", 0x02, 16, READ_WRITE, "6.8.1.3", ENABLE, CAPABLE, ALLOWED, ADDRESS_64_BIT);
    /** Where messages are written to, the low 32 bits. */
    public static final Register ADDRESS = Register.of("MSI_ADDRESS", 0x04, 32, READ_WRITE, "6.8.1.4");
    /** The high 32 bits, if the address has 64. */
    public static final Register UPPER_ADDRESS = Register.of("MSI_UPPER_ADDRESS", 0x08, 32, READ_WRITE, "6.8.1.5");
    /** What is written, if the address has 32 bits. The function replaces the lowest bits by the vector. */
    public static final Register DATA_32 = Register.of("MSI_DATA", 0x08, 16, READ_WRITE, "6.8.1.6");
    /** What is written, if the address has 64 bits. */
    public static final Register DATA_64 = Register.of("MSI_DATA", 0x0c, 16, READ_WRITE, "6.8.1.6");

    private MsiCapability() {}
}
