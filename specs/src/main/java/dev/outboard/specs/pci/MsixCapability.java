package dev.outboard.specs.pci;

import static dev.outboard.memory.Register.Access.READ_ONLY;
import static dev.outboard.memory.Register.Access.READ_WRITE;

import dev.outboard.memory.Field;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterArray;

/** The capability for MSI-X, whose offsets are from its start, and the table in a BAR. PCI 3.0, 6.8.2. */
public final class MsixCapability {
    /** Control: the table's size, less one. */
    public static final Field TABLE_SIZE = PciConfiguration.MSIX_TABLE_SIZE;
    /** Control: all vectors are masked. */
    public static final Field FUNCTION_MASK = PciConfiguration.MSIX_FUNCTION_MASK;
    /** Control: the function sends messages, and does not assert INTx. */
    public static final Field ENABLE = PciConfiguration.MSIX_ENABLE;
    /** What it has and may do. */
    public static final Register CONTROL =
            Register.of("MSIX_CONTROL", 0x02, 16, READ_WRITE, "6.8.2.3", TABLE_SIZE, FUNCTION_MASK, ENABLE);
    /** Table: which BAR holds it. */
    public static final Field TABLE_BAR = Field.bits("BIR", 2, 0);
    /** Table: where in that BAR; a multiple of 8, the field's bits are those of the offset. */
    public static final Field TABLE_OFFSET = Field.bits("OFFSET", 31, 3);
    /** Where the table is. */
    public static final Register TABLE =
            Register.of("MSIX_TABLE", 0x04, 32, READ_ONLY, "6.8.2.4", TABLE_BAR, TABLE_OFFSET);

    /** The most vectors that a table can have. */
    public static final int MOST_VECTORS = 2048;
    /** The size of an entry of the table. */
    public static final int ENTRY_BYTES = 16;
    /** Where each vector's message is written to, the low 32 bits. */
    public static final RegisterArray ENTRY_ADDRESS = entry("ADDRESS", 0x0, "6.8.2.7");
    /** The high 32 bits. */
    public static final RegisterArray ENTRY_UPPER_ADDRESS = entry("UPPER_ADDRESS", 0x4, "6.8.2.8");
    /** What is written. */
    public static final RegisterArray ENTRY_DATA = entry("DATA", 0x8, "6.8.2.6");
    /** Vector control: the vector sends nothing. */
    public static final Field MASKED = Field.bit("MASK", 0);
    /** Whether a vector is masked. */
    public static final RegisterArray ENTRY_CONTROL = entry("CONTROL", 0xc, "6.8.2.9", MASKED);

    private MsixCapability() {}

    private static RegisterArray entry(String name, long offset, String section, Field... fields) {
        Register first = Register.of("MSIX_" + name, offset, 32, READ_WRITE, section, fields);
        return new RegisterArray("MSIX%s_" + name, first, MOST_VECTORS, ENTRY_BYTES);
    }
}
