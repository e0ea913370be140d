package dev.outboard.specs.pci;

import static dev.outboard.memory.Register.Access.READ_ONLY;
import static dev.outboard.memory.Register.Access.READ_WRITE;
import static dev.outboard.memory.Register.Access.WRITE_1_TO_CLEAR;

import dev.outboard.memory.Field;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterArray;
import dev.outboard.memory.RegisterMap;

/** Configuration space of a function with header type 0. PCI 3.0, 6.1. */
public final class PciConfiguration {
    /** The size of conventional configuration space, in bytes. */
    public static final int SIZE_BYTES = 256;
    /** The size of PCI Express configuration space, in bytes. */
    public static final int EXPRESS_SIZE_BYTES = 4096;
    /** How many BARs there are. */
    public static final int BARS = 6;

    /** Who made it; 0xffff if nothing is there. */
    public static final Register VENDOR_ID = Register.of("VENDOR_ID", 0x00, 16, READ_ONLY, "6.2.1");
    /** What it is. */
    public static final Register DEVICE_ID = Register.of("DEVICE_ID", 0x02, 16, READ_ONLY, "6.2.1");

    /** Command: answers I/O accesses. */
    public static final Field COMMAND_IO = Field.bit("I/O", 0);
    /** Command: answers memory accesses. */
    public static final Field COMMAND_MEMORY = Field.bit("MEM", 1);
    /** Command: may do DMA and send MSIs. */
    public static final Field COMMAND_BUS_MASTER = Field.bit("MASTER", 2);
    /** Command: a data parity error is reported. */
    public static final Field COMMAND_PARITY = Field.bit("PERR", 6);
    /** Command: system errors are reported. */
    public static final Field COMMAND_SERR = Field.bit("SERR", 8);
    /** Command: INTx is off. */
    public static final Field COMMAND_INTX_DISABLE = Field.bit("INTXD", 10);
    /** What the function may do. */
    public static final Register COMMAND = Register.of(
            "COMMAND",
            0x04,
            16,
            READ_WRITE,
            "6.2.2",
            COMMAND_IO,
            COMMAND_MEMORY,
            COMMAND_BUS_MASTER,
            COMMAND_PARITY,
            COMMAND_SERR,
            COMMAND_INTX_DISABLE);

    /** Status: INTx is pending. */
    public static final Field STATUS_INTERRUPT = Field.bit("INTS", 3).with(READ_ONLY);
    /** Status: there is a list of capabilities. */
    public static final Field STATUS_CAPABILITIES = Field.bit("CAP", 4).with(READ_ONLY);
    /** Status: a parity error while it was master. */
    public static final Field STATUS_MASTER_PARITY = Field.bit("MDPE", 8).with(WRITE_1_TO_CLEAR);
    /** Status: it ended an access with a target abort. */
    public static final Field STATUS_SIGNALED_TARGET_ABORT =
            Field.bit("STA", 11).with(WRITE_1_TO_CLEAR);
    /** Status: an access of its own was ended by a target abort. */
    public static final Field STATUS_RECEIVED_TARGET_ABORT =
            Field.bit("RTA", 12).with(WRITE_1_TO_CLEAR);
    /** Status: an access of its own reached nobody. */
    public static final Field STATUS_RECEIVED_MASTER_ABORT =
            Field.bit("RMA", 13).with(WRITE_1_TO_CLEAR);
    /** Status: it reported a system error. */
    public static final Field STATUS_SYSTEM_ERROR = Field.bit("SSE", 14).with(WRITE_1_TO_CLEAR);
    /** Status: it saw a parity error. */
    public static final Field STATUS_PARITY_ERROR = Field.bit("DPE", 15).with(WRITE_1_TO_CLEAR);
    /** What happened to the function. */
    public static final Register STATUS = Register.of(
            "STATUS",
            0x06,
            16,
            READ_WRITE,
            "6.2.3",
            STATUS_INTERRUPT,
            STATUS_CAPABILITIES,
            STATUS_MASTER_PARITY,
            STATUS_SIGNALED_TARGET_ABORT,
            STATUS_RECEIVED_TARGET_ABORT,
            STATUS_RECEIVED_MASTER_ABORT,
            STATUS_SYSTEM_ERROR,
            STATUS_PARITY_ERROR);

    /** Which revision. */
    public static final Register REVISION_ID = Register.of("REVISION_ID", 0x08, 8, READ_ONLY, "6.2.1");
    /** The class code's lowest byte. */
    public static final Register PROGRAMMING_INTERFACE = Register.of("PROG_IF", 0x09, 8, READ_ONLY, "6.2.1");
    /** The class code's middle byte. */
    public static final Register SUBCLASS = Register.of("SUBCLASS", 0x0a, 8, READ_ONLY, "6.2.1");
    /** The class code's highest byte. */
    public static final Register BASE_CLASS = Register.of("BASE_CLASS", 0x0b, 8, READ_ONLY, "6.2.1");

    /** The processor's cache line, in units of 4 bytes. */
    public static final Register CACHE_LINE_SIZE = Register.of("CACHE_LINE_SIZE", 0x0c, 8, READ_WRITE, "6.2.4");
    /** How long it may keep a conventional bus. */
    public static final Register LATENCY_TIMER = Register.of("LATENCY_TIMER", 0x0d, 8, READ_WRITE, "6.2.4");

    /** Header type: the layout; 0 is a device, 1 a bridge. */
    public static final Field HEADER_LAYOUT =
            Field.bits("LAYOUT", 6, 0).value(0, "DEVICE").value(1, "BRIDGE").value(2, "CARDBUS_BRIDGE");
    /** Header type: there are more functions. */
    public static final Field HEADER_MULTIFUNCTION = Field.bit("MF", 7);
    /** The layout of the rest of the header. */
    public static final Register HEADER_TYPE =
            Register.of("HEADER_TYPE", 0x0e, 8, READ_ONLY, "6.2.1", HEADER_LAYOUT, HEADER_MULTIFUNCTION);

    /** Built-in self test. */
    public static final Register BIST = Register.of("BIST", 0x0f, 8, READ_WRITE, "6.2.4");

    /** BAR: answers I/O accesses, not memory accesses. */
    public static final Field BAR_IO =
            Field.bit("IO", 0).with(READ_ONLY).value(0, "MEMORY").value(1, "PORTS");
    /** BAR: 0 for 32 bits, 2 for 64 bits (with the next BAR). */
    public static final Field BAR_TYPE =
            Field.bits("TYPE", 2, 1).with(READ_ONLY).value(0, "32_BIT").value(2, "64_BIT");
    /** BAR: may be prefetched. */
    public static final Field BAR_PREFETCHABLE = Field.bit("PREF", 3).with(READ_ONLY);
    /** BAR of memory: the address, whose lowest bits cannot be written and say the size. */
    public static final Field BAR_MEMORY_ADDRESS = Field.bits("ADDRESS", 31, 4);
    /** BAR of I/O ports: the first port, as above. */
    public static final Field BAR_IO_ADDRESS = Field.bits("PORT", 31, 2);
    /** The first base address register; the others follow. */
    public static final Register BAR0 =
            Register.of("BAR0", 0x10, 32, READ_WRITE, "6.2.5.1", BAR_IO, BAR_TYPE, BAR_PREFETCHABLE);

    /** All base address registers. The second half of one of 64 bits has no fields; decoded as one it shows nonsense. */
    public static final RegisterArray BAR = new RegisterArray("BAR%s", BAR0, BARS, Integer.BYTES);

    /** Where the option ROM is, and whether it answers. */
    public static final Register EXPANSION_ROM = Register.of("EXPANSION_ROM", 0x30, 32, READ_WRITE, "6.2.5.2");
    /** Who made the card. */
    public static final Register SUBSYSTEM_VENDOR_ID = Register.of("SUBSYSTEM_VENDOR_ID", 0x2c, 16, READ_ONLY, "6.2.4");
    /** What the card is. */
    public static final Register SUBSYSTEM_ID = Register.of("SUBSYSTEM_ID", 0x2e, 16, READ_ONLY, "6.2.4");
    /** Where the first capability is. */
    public static final Register CAPABILITIES_POINTER = Register.of("CAP_PTR", 0x34, 8, READ_ONLY, "6.7");
    /** Which interrupt line, as told by the firmware. */
    public static final Register INTERRUPT_LINE = Register.of("INTERRUPT_LINE", 0x3c, 8, READ_WRITE, "6.2.4");
    /** Which INTx pin: 1 is INTA; 0 is none. */
    public static final Register INTERRUPT_PIN = Register.of("INTERRUPT_PIN", 0x3d, 8, READ_ONLY, "6.2.4");

    /** All registers of the header. */
    public static final RegisterMap ALL = RegisterMap.of(
                    "pci",
                    VENDOR_ID,
                    DEVICE_ID,
                    COMMAND,
                    STATUS,
                    REVISION_ID,
                    PROGRAMMING_INTERFACE,
                    SUBCLASS,
                    BASE_CLASS,
                    CACHE_LINE_SIZE,
                    LATENCY_TIMER,
                    HEADER_TYPE,
                    BIST,
                    SUBSYSTEM_VENDOR_ID,
                    SUBSYSTEM_ID,
                    EXPANSION_ROM,
                    CAPABILITIES_POINTER,
                    INTERRUPT_LINE,
                    INTERRUPT_PIN)
            .with(BAR);

    /** Capability: what it is. */
    public static final Field CAPABILITY_ID = Field.bits("ID", 7, 0);
    /** Capability: where the next one is; 0 for none. */
    public static final Field CAPABILITY_NEXT = Field.bits("NEXT", 15, 8);
    /** What every capability begins with, from its start. */
    public static final Register CAPABILITY_HEADER =
            Register.of("CAP_HEADER", 0, 16, READ_ONLY, "6.7", CAPABILITY_ID, CAPABILITY_NEXT);

    /** Capability id: power management. */
    public static final int CAPABILITY_POWER_MANAGEMENT = 0x01;
    /** Capability id: MSI. */
    public static final int CAPABILITY_MSI = 0x05;
    /** Capability id: PCI Express. */
    public static final int CAPABILITY_EXPRESS = 0x10;
    /** Capability id: MSI-X. */
    public static final int CAPABILITY_MSIX = 0x11;

    /** MSI message control: MSI is on. */
    public static final Field MSI_ENABLE = Field.bit("ENABLE", 0);
    /** MSI message control: its address has 64 bits. */
    public static final Field MSI_64_BIT = Field.bit("64_BIT", 7);

    /** MSI-X message control: the table's size, less one. */
    public static final Field MSIX_TABLE_SIZE = Field.bits("TABLE_SIZE", 10, 0);
    /** MSI-X message control: all vectors are masked. */
    public static final Field MSIX_FUNCTION_MASK = Field.bit("MASK", 14);
    /** MSI-X message control: MSI-X is on. */
    public static final Field MSIX_ENABLE = Field.bit("ENABLE", 15);

    private PciConfiguration() {}
}
