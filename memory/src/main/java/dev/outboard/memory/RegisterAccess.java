package dev.outboard.memory;

/**
 * How registers are reached that are not mapped: by system calls on a descriptor, by messages to a device server, or by a
 * call of a model in this process. Implementations are safe for use by several threads, and do exactly one access a call.
 */
public interface RegisterAccess {
    /**
     * Reads a register.
     *
     * @param offset its offset in the region, in bytes, checked to be inside of it and a multiple of the width
     * @param widthBytes 1, 2, 4 or 8
     * @return the value in the low bits, the others are ignored; all ones if the device is gone
     */
    long read(long offset, int widthBytes);

    /**
     * Writes a register. Without effect if the device is gone.
     *
     * @param offset its offset in the region, in bytes, checked to be inside of it and a multiple of the width
     * @param widthBytes 1, 2, 4 or 8
     * @param value the value in the low bits; the others are undefined
     */
    void write(long offset, int widthBytes, long value);
}
