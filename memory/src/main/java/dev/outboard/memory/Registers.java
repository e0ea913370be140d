package dev.outboard.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * A region of device registers: a BAR, or part of one. This is the one way to touch a device.
 *
 * <p>Every call is exactly one access of exactly its width, in program order with the other calls of the same thread,
 * compiled or interpreted: a read whose result is unused still happens, adjacent writes are not merged, nothing is
 * repeated. Registers are little-endian. A write may still be on its way when the call returns (PCI posts writes): read
 * a register of the same device to be sure that it arrived.
 *
 * <p>Accesses are ordered after earlier stores to ordinary and DMA memory, as the release ordering of x86 has it: a
 * descriptor that was stored before a doorbell is seen by the device.
 *
 * <p>A device that is gone is not noticed here: a read then returns all ones, as a PCI bus does, and a write has no
 * effect. All ones is therefore reported to the listener that the region was made with, which finds out whether the
 * device is still there. A mapping that the kernel has taken back, or a device whose memory is disabled, raises
 * {@link InternalError} (SIGBUS); compiled code may raise it as late as the end of the compiled method, so it must be
 * caught around the work of a device, not around one access.
 *
 * <p>Safe for use by several threads. An offset outside of the region throws {@link IndexOutOfBoundsException}, an offset
 * that is not a multiple of the width {@link IllegalArgumentException}.
 */
public final class Registers {
    // Why it is done this way: plain and unused opaque loads are deleted or merged by C2, volatile stores are locked
    // exchanges in the interpreter and carry a full fence in C2. An opaque load whose value decides a branch with an
    // effect stays; a plain store between two release fences is neither merged nor deleted, and the fences are no
    // instructions on x86.
    private static final VarHandle BYTE = JAVA_BYTE.varHandle().withInvokeExactBehavior();
    private static final VarHandle SHORT =
            JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();
    private static final VarHandle INT =
            JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();
    private static final VarHandle LONG =
            JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();

    private final String name;
    private final MemorySegment mapped;
    private final @Nullable RegisterAccess unmapped;
    private final List<MappedArea> areas;
    private final long offset;
    private final long sizeBytes;
    private final Runnable allOnes;

    /**
     * A part of a region that is mapped, although the region as a whole is not.
     *
     * @param offset where it starts in the region, in bytes
     * @param segment the mapping
     */
    public record MappedArea(long offset, MemorySegment segment) {
        private boolean contains(long start, long length) {
            return start >= offset && length <= segment.byteSize() && start - offset <= segment.byteSize() - length;
        }
    }

    private Registers(
            String name,
            MemorySegment mapped,
            @Nullable RegisterAccess unmapped,
            List<MappedArea> areas,
            long offset,
            long sizeBytes,
            Runnable allOnes) {
        this.name = name;
        this.mapped = mapped;
        this.unmapped = unmapped;
        this.areas = areas;
        this.offset = offset;
        this.sizeBytes = sizeBytes;
        this.allOnes = allOnes;
    }

    /**
     * Registers that are mapped as a whole.
     *
     * @param name the region's name in messages
     * @param mapping the mapping
     * @param allOnes called after a read that returned all ones, on the reading thread
     * @return the registers
     */
    public static Registers mapped(String name, MemorySegment mapping, Runnable allOnes) {
        return new Registers(name, mapping, null, List.of(), 0, mapping.byteSize(), allOnes);
    }

    /**
     * Registers that are reached by calls or messages, of which some areas may be mapped too. The areas are used by
     * {@linkplain #slice slices} that lie in them.
     *
     * @param name the region's name in messages
     * @param sizeBytes the region's size
     * @param access how to reach them
     * @param areas the mapped areas
     * @param allOnes called after a read that returned all ones, on the reading thread
     * @return the registers
     */
    public static Registers unmapped(
            String name, long sizeBytes, RegisterAccess access, List<MappedArea> areas, Runnable allOnes) {
        return new Registers(name, MemorySegment.NULL, access, List.copyOf(areas), 0, sizeBytes, allOnes);
    }

    /**
     * A part of this region; mapped if this region is, or if the part lies in one of its mapped areas.
     *
     * @param start where it starts, in bytes
     * @param length its size, in bytes
     * @return the part
     */
    public Registers slice(long start, long length) {
        Objects.checkFromIndexSize(start, length, sizeBytes);
        long first = offset + start;
        if (unmapped == null) {
            return new Registers(name, mapped.asSlice(start, length), null, List.of(), first, length, allOnes);
        }
        for (MappedArea area : areas) {
            if (area.contains(first, length)) {
                MemorySegment segment = area.segment().asSlice(first - area.offset(), length);
                return new Registers(name, segment, null, List.of(), first, length, allOnes);
            }
        }
        return new Registers(name, MemorySegment.NULL, unmapped, areas, first, length, allOnes);
    }

    /**
     * The region's size.
     *
     * @return bytes
     */
    public long sizeBytes() {
        return sizeBytes;
    }

    /**
     * Whether an access is a load or a store of this process, not a call or a message.
     *
     * @return whether the whole region is mapped
     */
    public boolean isMapped() {
        return unmapped == null;
    }

    /**
     * Reads 8 bits.
     *
     * @param at the offset, in bytes
     * @return the value
     */
    public byte read8(long at) {
        byte value =
                unmapped == null ? (byte) BYTE.getOpaque(mapped, at) : (byte) readUnmapped(unmapped, at, Byte.BYTES);
        if (value == -1) {
            allOnes.run();
        }
        return value;
    }

    /**
     * Reads 16 bits.
     *
     * @param at the offset, in bytes
     * @return the value
     */
    public short read16(long at) {
        short value = unmapped == null
                ? (short) SHORT.getOpaque(mapped, at)
                : (short) readUnmapped(unmapped, at, Short.BYTES);
        if (value == -1) {
            allOnes.run();
        }
        return value;
    }

    /**
     * Reads 32 bits.
     *
     * @param at the offset, in bytes
     * @return the value
     */
    public int read32(long at) {
        int value =
                unmapped == null ? (int) INT.getOpaque(mapped, at) : (int) readUnmapped(unmapped, at, Integer.BYTES);
        if (value == -1) {
            allOnes.run();
        }
        return value;
    }

    /**
     * Reads 64 bits, in one access.
     *
     * @param at the offset, in bytes
     * @return the value
     */
    public long read64(long at) {
        long value = unmapped == null ? (long) LONG.getOpaque(mapped, at) : readUnmapped(unmapped, at, Long.BYTES);
        if (value == -1) {
            allOnes.run();
        }
        return value;
    }

    /**
     * Writes 8 bits.
     *
     * @param at the offset, in bytes
     * @param value the value
     */
    public void write8(long at, byte value) {
        VarHandle.releaseFence();
        if (unmapped == null) {
            BYTE.set(mapped, at, value);
        } else {
            writeUnmapped(unmapped, at, Byte.BYTES, value);
        }
        VarHandle.releaseFence();
    }

    /**
     * Writes 16 bits.
     *
     * @param at the offset, in bytes
     * @param value the value
     */
    public void write16(long at, short value) {
        VarHandle.releaseFence();
        if (unmapped == null) {
            SHORT.set(mapped, at, value);
        } else {
            writeUnmapped(unmapped, at, Short.BYTES, value);
        }
        VarHandle.releaseFence();
    }

    /**
     * Writes 32 bits.
     *
     * @param at the offset, in bytes
     * @param value the value
     */
    public void write32(long at, int value) {
        VarHandle.releaseFence();
        if (unmapped == null) {
            INT.set(mapped, at, value);
        } else {
            writeUnmapped(unmapped, at, Integer.BYTES, value);
        }
        VarHandle.releaseFence();
    }

    /**
     * Writes 64 bits, in one access.
     *
     * @param at the offset, in bytes
     * @param value the value
     */
    public void write64(long at, long value) {
        VarHandle.releaseFence();
        if (unmapped == null) {
            LONG.set(mapped, at, value);
        } else {
            writeUnmapped(unmapped, at, Long.BYTES, value);
        }
        VarHandle.releaseFence();
    }

    /**
     * Reads a register by its definition, in one access of its width.
     *
     * @param register the register
     * @return its value, zero-extended
     */
    public long read(Register register) {
        return switch (register.widthBits()) {
            case Byte.SIZE -> Byte.toUnsignedLong(read8(register.offset()));
            case Short.SIZE -> Short.toUnsignedLong(read16(register.offset()));
            case Integer.SIZE -> Integer.toUnsignedLong(read32(register.offset()));
            default -> read64(register.offset());
        };
    }

    /**
     * Writes a register by its definition, in one access of its width.
     *
     * @param register the register
     * @param value its new value; bits beyond its width are dropped
     */
    public void write(Register register, long value) {
        switch (register.widthBits()) {
            case Byte.SIZE -> write8(register.offset(), (byte) value);
            case Short.SIZE -> write16(register.offset(), (short) value);
            case Integer.SIZE -> write32(register.offset(), (int) value);
            default -> write64(register.offset(), value);
        }
    }

    /**
     * Gives fields of a register new values, in one read and one write. Bits that writing has an effect on other than
     * storing them (write-1-to-clear and its like) are written so that nothing happens to them, unless the update sets
     * them. Not atomic: two threads that modify one register need a lock.
     *
     * @param register the register
     * @param update the new values, made by {@link Field#to} and {@link FieldUpdate#and}
     * @return what was written
     * @throws IllegalArgumentException if the register cannot be read and written, or reading it changes it
     */
    public long modify(Register register, FieldUpdate update) {
        Register.Access access = register.access();
        if (!access.isReadable() || !access.isWritable() || access.readChanges()) {
            throw new IllegalArgumentException(
                    register.name() + " is " + access.words() + ": it cannot be read, changed and written back");
        }
        Register.WriteBack writeBack = register.writeBack();
        long value = update.applyTo((read(register) & writeBack.kept()) | writeBack.ones());
        write(register, value);
        return value;
    }

    /**
     * Gives one field of a register a new value, in one read and one write, as {@link #modify(Register, FieldUpdate)}.
     *
     * @param register the register
     * @param field one of its fields
     * @param value the field's new value
     * @return what was written
     * @throws IllegalArgumentException if the value does not fit, or the register cannot be read and written
     */
    public long modify(Register register, Field field, long value) {
        return modify(register, field.to(value));
    }

    /**
     * Reads a register until it has a value that is waited for. It is read at least once, and once more when time is up.
     * Reads without a pause for some microseconds, then about every 50 µs; a platform thread should do it.
     *
     * @param register the register
     * @param condition whether a value (zero-extended) ends the wait
     * @param timeout how long at most; zero for one read
     * @return the value that ended the wait
     * @throws RegisterTimeoutException if it did not come
     */
    public long pollUntil(Register register, LongPredicate condition, Duration timeout)
            throws RegisterTimeoutException {
        return RegisterPolling.pollUntil(this, register, condition, timeout);
    }

    /**
     * Makes sure that earlier writes have reached the device: PCI posts writes, and a read pushes them before it.
     *
     * @param register a register of the same device whose reading changes nothing
     * @throws IllegalArgumentException if reading that register changes something
     */
    public void flushWrites(Register register) {
        if (register.access().readChanges()) {
            throw new IllegalArgumentException(
                    register.name() + " is " + register.access().words() + "; flush by reading another register");
        }
        read(register);
    }

    private long readUnmapped(RegisterAccess access, long at, int widthBytes) {
        checkUnmapped(at, widthBytes);
        return access.read(offset + at, widthBytes);
    }

    private void writeUnmapped(RegisterAccess access, long at, int widthBytes, long value) {
        checkUnmapped(at, widthBytes);
        access.write(offset + at, widthBytes, value);
    }

    private void checkUnmapped(long at, int widthBytes) {
        Objects.checkFromIndexSize(at, widthBytes, sizeBytes);
        checkAligned(at, widthBytes);
    }

    /** Refuses an offset that is not a multiple of the width in the region. */
    void checkAligned(long at, int widthBytes) {
        if (((offset + at) & (widthBytes - 1)) != 0) {
            throw new IllegalArgumentException(
                    "0x" + Long.toHexString(offset + at) + " of " + name + " is not a multiple of " + widthBytes);
        }
    }

    @Override
    public String toString() {
        String part = offset == 0 ? "" : "+0x" + Long.toHexString(offset);
        return name + part + " (" + sizeBytes + " bytes" + (isMapped() ? ", mapped)" : ")");
    }
}
