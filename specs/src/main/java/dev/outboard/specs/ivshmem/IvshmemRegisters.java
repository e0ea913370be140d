package dev.outboard.specs.ivshmem;

import static dev.outboard.memory.Register.Access.READ_ONLY;
import static dev.outboard.memory.Register.Access.READ_WRITE;
import static dev.outboard.memory.Register.Access.WRITE_ONLY;

import dev.outboard.memory.Field;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;

/**
 * The registers of ivshmem, in BAR 0, of 32 bits each. QEMU, docs/specs/ivshmem-spec.rst. BAR 1 holds the MSI-X table, BAR 2
 * is the memory.
 */
public final class IvshmemRegisters {
    /** Who made it: Red Hat, for QEMU. */
    public static final int VENDOR_ID = 0x1af4;
    /** What it is. */
    public static final int DEVICE_ID = 0x1110;
    /** The revision whose memory is there from the beginning. */
    public static final int REVISION = 1;
    /** Its class code: memory of no particular kind. */
    public static final int CLASS_CODE = 0x050000;
    /** The size of BAR 0, in bytes. */
    public static final long BAR_BYTES = 256;
    /** The BAR with the MSI-X table. */
    public static final int MSIX_BAR = 1;
    /** The BAR that is the memory. */
    public static final int MEMORY_BAR = 2;

    /** Means nothing in revision 1. */
    public static final Register INTERRUPT_MASK =
            Register.of("INTERRUPT_MASK", 0, 32, READ_WRITE, "PCI device registers");
    /** Means nothing in revision 1. */
    public static final Register INTERRUPT_STATUS =
            Register.of("INTERRUPT_STATUS", 4, 32, READ_WRITE, "PCI device registers");
    /** The device's own id; 0 if it has no peers too. */
    public static final Register POSITION = Register.of("POSITION", 8, 32, READ_ONLY, "PCI device registers");

    /** DOORBELL: which of the peer's vectors. */
    public static final Field DOORBELL_VECTOR = Field.bits("VECTOR", 15, 0);
    /** DOORBELL: the peer's id. */
    public static final Field DOORBELL_PEER = Field.bits("PEER", 31, 16);
    /** Interrupts a peer; nothing happens if there is no such peer, or it has fewer vectors. */
    public static final Register DOORBELL =
            Register.of("DOORBELL", 12, 32, WRITE_ONLY, "PCI device registers", DOORBELL_VECTOR, DOORBELL_PEER);

    /** All registers. */
    public static final RegisterMap ALL =
            RegisterMap.of("ivshmem", INTERRUPT_MASK, INTERRUPT_STATUS, POSITION, DOORBELL);

    private IvshmemRegisters() {}
}
