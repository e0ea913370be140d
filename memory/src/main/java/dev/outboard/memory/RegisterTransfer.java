package dev.outboard.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * Moves blocks between registers and memory, in accesses of one width: to and from a FIFO, which is one register, or
 * successive registers. The bytes in memory are in the order in which a little-endian device has them. Arguments are
 * checked before the first access, so a refused transfer reaches no device.
 *
 * <p>As safe for use by several threads as {@link Registers}; two transfers at a time through one FIFO mix.
 */
public final class RegisterTransfer {
    // The memory side may be at any address; only the device's side must be aligned.
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Registers registers;
    private final int widthBytes;

    private RegisterTransfer(Registers registers, int widthBytes) {
        this.registers = registers;
        this.widthBytes = widthBytes;
    }

    /**
     * Transfers of a width.
     *
     * @param registers the region
     * @param widthBits 8, 16, 32 or 64: how much every access moves
     * @return the transfers
     */
    public static RegisterTransfer of(Registers registers, int widthBits) {
        if (widthBits != Byte.SIZE && widthBits != Short.SIZE && widthBits != Integer.SIZE && widthBits != Long.SIZE) {
            throw new IllegalArgumentException("an access is 8, 16, 32 or 64 bits wide, not " + widthBits);
        }
        return new RegisterTransfer(registers, widthBits / Byte.SIZE);
    }

    /**
     * Reads one register until the memory is full.
     *
     * @param at the FIFO's offset, in bytes
     * @param target where to; a multiple of the width long
     */
    public void readFifo(long at, MemorySegment target) {
        checkTarget(target);
        check(at, widthBytes, target);
        read(at, 0, target);
    }

    /**
     * Writes all of the memory to one register.
     *
     * @param at the FIFO's offset, in bytes
     * @param source where from; a multiple of the width long
     */
    public void writeFifo(long at, MemorySegment source) {
        check(at, widthBytes, source);
        write(at, 0, source);
    }

    /**
     * Reads successive registers until the memory is full.
     *
     * @param at the first one's offset, in bytes
     * @param target where to; a multiple of the width long
     */
    public void read(long at, MemorySegment target) {
        checkTarget(target);
        check(at, target.byteSize(), target);
        read(at, widthBytes, target);
    }

    /**
     * Writes all of the memory to successive registers.
     *
     * @param at the first one's offset, in bytes
     * @param source where from; a multiple of the width long
     */
    public void write(long at, MemorySegment source) {
        check(at, source.byteSize(), source);
        write(at, widthBytes, source);
    }

    private static void checkTarget(MemorySegment target) {
        if (target.isReadOnly()) {
            throw new IllegalArgumentException("what is read cannot be stored: the memory is read-only");
        }
    }

    private void check(long at, long lengthBytes, MemorySegment memory) {
        if (memory.byteSize() % widthBytes != 0) {
            throw new IllegalArgumentException(memory.byteSize() + " bytes are no multiple of the access width of "
                    + widthBytes + "; take a slice");
        }
        Objects.checkFromIndexSize(at, lengthBytes, registers.sizeBytes());
        registers.checkAligned(at, widthBytes);
    }

    private void read(long at, int step, MemorySegment target) {
        long end = target.byteSize();
        long from = at;
        for (long i = 0; i < end; i += widthBytes, from += step) {
            switch (widthBytes) {
                case Byte.BYTES -> target.set(ValueLayout.JAVA_BYTE, i, registers.read8(from));
                case Short.BYTES -> target.set(SHORT, i, registers.read16(from));
                case Integer.BYTES -> target.set(INT, i, registers.read32(from));
                default -> target.set(LONG, i, registers.read64(from));
            }
        }
    }

    private void write(long at, int step, MemorySegment source) {
        long end = source.byteSize();
        long to = at;
        for (long i = 0; i < end; i += widthBytes, to += step) {
            switch (widthBytes) {
                case Byte.BYTES -> registers.write8(to, source.get(ValueLayout.JAVA_BYTE, i));
                case Short.BYTES -> registers.write16(to, source.get(SHORT, i));
                case Integer.BYTES -> registers.write32(to, source.get(INT, i));
                default -> registers.write64(to, source.get(LONG, i));
            }
        }
    }
}
