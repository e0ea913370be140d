package dev.outboard.specs.serial;

/**
 * QEMU's serial cards: the registers of all ports, {@link Uart16550#BYTES} each, one after the other in the I/O ports of
 * BAR 0; one INTx. QEMU, docs/specs/pci-serial.rst.
 */
public final class PciSerial {
    /** Who made them: Red Hat, for QEMU. */
    public static final int VENDOR_ID = 0x1b36;
    /** A card with one port. */
    public static final int ONE_PORT = 0x0002;
    /** A card with two ports. */
    public static final int TWO_PORTS = 0x0003;
    /** A card with four ports. */
    public static final int FOUR_PORTS = 0x0004;
    /** Their class code: a serial controller that is compatible with the 16550. */
    public static final int CLASS_CODE = 0x070002;

    private PciSerial() {}
}
