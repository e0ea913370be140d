package dev.outboard.emulation;

import dev.outboard.memory.Register;
import dev.outboard.specs.pci.PciConfiguration;
import java.util.Arrays;

/**
 * Configuration space of a model: bytes, and for each bit whether a driver may change it. Reserved and read-only bits
 * ignore writes, as hardware does. Only the agent's thread uses it.
 */
public final class ConfigurationSpace {
    private static final int FIRST_CAPABILITY = 0x40;
    private static final int DWORD_BYTES = 4;

    private final byte[] bytes = new byte[PciConfiguration.EXPRESS_SIZE_BYTES];
    private final byte[] initial = new byte[PciConfiguration.EXPRESS_SIZE_BYTES];
    private final byte[] writable = new byte[PciConfiguration.EXPRESS_SIZE_BYTES];
    private int lastCapabilityPointer = (int) PciConfiguration.CAPABILITIES_POINTER.offset();
    private int nextCapability = FIRST_CAPABILITY;

    ConfigurationSpace() {}

    /** Sets the value after reset of a register, and which bits of it can be written. */
    void define(long offset, int widthBytes, long value, long writableBits) {
        for (int i = 0; i < widthBytes; i++) {
            int at = (int) offset + i;
            initial[at] = (byte) (value >>> (i * Byte.SIZE));
            writable[at] = (byte) (writableBits >>> (i * Byte.SIZE));
            bytes[at] = initial[at];
        }
    }

    void define(Register register, long value, long writableBits) {
        define(register.offset(), register.widthBits() / Byte.SIZE, value, writableBits);
    }

    /** Appends a capability to the list; the caller defines what follows its two header bytes. PCI 3.0, 6.7. */
    int addCapability(int id, int lengthBytes) {
        int offset = nextCapability;
        define(lastCapabilityPointer, Byte.BYTES, offset, 0);
        define(offset, Byte.BYTES, id, 0);
        lastCapabilityPointer = offset + 1;
        nextCapability = offset + (lengthBytes + DWORD_BYTES - 1) / DWORD_BYTES * DWORD_BYTES;
        return offset;
    }

    /**
     * Reads a register.
     *
     * @param offset its offset, in bytes
     * @param widthBytes 1 to 8
     * @return its value, zero-extended
     */
    public long read(long offset, int widthBytes) {
        long value = 0;
        for (int i = 0; i < widthBytes; i++) {
            value |= Byte.toUnsignedLong(bytes[(int) offset + i]) << (i * Byte.SIZE);
        }
        return value;
    }

    /**
     * Reads a register by its definition.
     *
     * @param register the register
     * @return its value, zero-extended
     */
    public long read(Register register) {
        return read(register.offset(), register.widthBits() / Byte.SIZE);
    }

    /** Writes a register as a driver does. */
    void write(long offset, int widthBytes, long value) {
        for (int i = 0; i < widthBytes; i++) {
            int at = (int) offset + i;
            int mask = writable[at];
            bytes[at] = (byte) ((bytes[at] & ~mask) | ((int) (value >>> (i * Byte.SIZE)) & mask));
        }
    }

    /** Changes bits as the device does, read-only ones too. */
    void set(long offset, int widthBytes, long value) {
        for (int i = 0; i < widthBytes; i++) {
            bytes[(int) offset + i] = (byte) (value >>> (i * Byte.SIZE));
        }
    }

    void reset() {
        System.arraycopy(initial, 0, bytes, 0, bytes.length);
    }

    @Override
    public String toString() {
        return "configuration space " + Arrays.toString(Arrays.copyOf(bytes, FIRST_CAPABILITY));
    }
}
