package dev.outboard.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.outboard.linux.DevicePages;
import dev.outboard.linux.unchecked.AddressSpace;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
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
 * that is not a multiple of the width {@link IllegalArgumentException}, a write of registers that are mapped for reading
 * only {@link UnsupportedOperationException}. Registers of a device that was closed read all ones, which their listener
 * may turn into an exception; writes to them have no effect.
 */
// An access that throws has not happened, so the fences need no finally block.
@SuppressWarnings("ReachabilityFenceUsage")
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

    private static final MemorySegment MEMORY = AddressSpace.SEGMENT;

    private final String name;
    private final long offset;
    private final long sizeBytes;
    // What is mapped from a device is accessed by address, with the checks here alone: the segment of a field would
    // cost
    // eight loads more. Everything else has no bytes that can be read or written so, and goes the slow way.
    private final long address;
    private final long readableBytes;
    private final long writableBytes;
    /** Whose address it is; kept reachable through each access. Null where none is. */
    private final @Nullable DevicePages pages;
    /** The slow way. Null where there is an address. */
    private final @Nullable RegisterAccess access;

    private final List<MappedArea> areas;
    private final Runnable allOnes;

    /**
     * A part of a region that is mapped, although the region as a whole is not.
     *
     * @param offset where it starts in the region, in bytes
     * @param pages the mapping
     */
    public record MappedArea(long offset, DevicePages pages) {
        private boolean contains(long start, long length) {
            return start >= offset && length <= pages.byteSize() && start - offset <= pages.byteSize() - length;
        }
    }

    private Registers(
            String name,
            long offset,
            long sizeBytes,
            @Nullable MappedArea mapped,
            @Nullable RegisterAccess access,
            List<MappedArea> areas,
            Runnable allOnes) {
        this.name = name;
        this.offset = offset;
        this.sizeBytes = sizeBytes;
        this.access = access;
        this.areas = areas;
        this.allOnes = allOnes;
        pages = mapped == null ? null : mapped.pages();
        address = mapped == null ? 0 : mapped.pages().address() + offset - mapped.offset();
        readableBytes = mapped == null ? 0 : sizeBytes;
        writableBytes = mapped == null || !mapped.pages().isWritable() ? 0 : sizeBytes;
    }

    /**
     * Registers of a device that are mapped as a whole: the fast way.
     *
     * @param name the region's name in messages
     * @param pages the mapping
     * @param allOnes called after a read that returned all ones, on the reading thread
     * @return the registers
     */
    public static Registers mapped(String name, DevicePages pages, Runnable allOnes) {
        return mapped(name, pages, 0, pages.byteSize(), allOnes);
    }

    /**
     * Registers of a device that begin or end inside of a mapped page, as those that are less than a page.
     *
     * @param name the region's name in messages
     * @param pages the mapping
     * @param start where they start in the mapping, in bytes
     * @param sizeBytes their size
     * @param allOnes called after a read that returned all ones, on the reading thread
     * @return the registers
     */
    public static Registers mapped(String name, DevicePages pages, long start, long sizeBytes, Runnable allOnes) {
        Objects.checkFromIndexSize(start, sizeBytes, pages.byteSize());
        return new Registers(name, 0, sizeBytes, new MappedArea(-start, pages), null, List.of(), allOnes);
    }

    /**
     * Registers in ordinary memory, such as a model's, or in a mapping that has a lifetime of its own. Every access
     * checks that the memory is still there, and takes twice as long as one through {@link DevicePages}.
     *
     * @param name the region's name in messages
     * @param memory the memory; on a boundary of 8 bytes
     * @param allOnes called after a read that returned all ones, on the reading thread
     * @return the registers
     */
    public static Registers in(String name, MemorySegment memory, Runnable allOnes) {
        return new Registers(name, 0, memory.byteSize(), null, new SegmentAccess(memory), List.of(), allOnes);
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
        return new Registers(name, 0, sizeBytes, null, access, List.copyOf(areas), allOnes);
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
        if (pages != null) {
            MappedArea same = new MappedArea(first - (address + start - pages.address()), pages);
            return new Registers(name, first, length, same, null, List.of(), allOnes);
        }
        for (MappedArea area : areas) {
            if (area.contains(first, length)) {
                return new Registers(name, first, length, area, null, List.of(), allOnes);
            }
        }
        return new Registers(name, first, length, null, access, areas, allOnes);
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
        return pages != null || access instanceof SegmentAccess;
    }

    /**
     * Reads 8 bits.
     *
     * @param at the offset, in bytes
     * @return the value
     */
    public byte read8(long at) {
        return (byte) load(at, Byte.BYTES);
    }

    /**
     * Reads 16 bits.
     *
     * @param at the offset, in bytes
     * @return the value
     */
    public short read16(long at) {
        return (short) load(at, Short.BYTES);
    }

    /**
     * Reads 32 bits.
     *
     * @param at the offset, in bytes
     * @return the value
     */
    public int read32(long at) {
        return (int) load(at, Integer.BYTES);
    }

    /**
     * Reads 64 bits, in one access.
     *
     * @param at the offset, in bytes
     * @return the value
     */
    public long read64(long at) {
        return load(at, Long.BYTES);
    }

    /**
     * Writes 8 bits.
     *
     * @param at the offset, in bytes
     * @param value the value
     */
    public void write8(long at, byte value) {
        store(at, Byte.BYTES, value);
    }

    /**
     * Writes 16 bits.
     *
     * @param at the offset, in bytes
     * @param value the value
     */
    public void write16(long at, short value) {
        store(at, Short.BYTES, value);
    }

    /**
     * Writes 32 bits.
     *
     * @param at the offset, in bytes
     * @param value the value
     */
    public void write32(long at, int value) {
        store(at, Integer.BYTES, value);
    }

    /**
     * Writes 64 bits, in one access.
     *
     * @param at the offset, in bytes
     * @param value the value
     */
    public void write64(long at, long value) {
        store(at, Long.BYTES, value);
    }

    /**
     * Reads a register by its definition, in one access of its width.
     *
     * @param register the register
     * @return its value, zero-extended
     */
    public long read(Register register) {
        int unused = Long.SIZE - register.widthBits();
        return load(register.offset(), register.widthBits() / Byte.SIZE) << unused >>> unused;
    }

    /**
     * Writes a register by its definition, in one access of its width.
     *
     * @param register the register
     * @param value its new value; bits beyond its width are dropped
     */
    public void write(Register register, long value) {
        store(register.offset(), register.widthBits() / Byte.SIZE, value);
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
        return modify(register, update.mask(), update.bits());
    }

    private long modify(Register register, long mask, long bits) {
        Register.Access access = register.access();
        if (!access.isReadable() || !access.isWritable() || access.readChanges()) {
            throw new IllegalArgumentException(
                    register.name() + " is " + access.words() + ": it cannot be read, changed and written back");
        }
        Register.WriteBack writeBack = register.writeBack();
        long value = (((read(register) & writeBack.kept()) | writeBack.ones()) & ~mask) | bits;
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
        return modify(register, field.mask(), field.of(value));
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

    /** Reads, sign-extended. One method for all widths, as small as can be: only then is it inlined everywhere. */
    private long load(long at, int widthBytes) {
        long value;
        if (isWithin(readableBytes, at, widthBytes)) {
            value = switch (widthBytes) {
                case Byte.BYTES -> (byte) BYTE.getOpaque(MEMORY, address + at);
                case Short.BYTES -> (short) SHORT.getOpaque(MEMORY, address + at);
                case Integer.BYTES -> (int) INT.getOpaque(MEMORY, address + at);
                default -> (long) LONG.getOpaque(MEMORY, address + at);
            };
            Reference.reachabilityFence(pages);
        } else {
            int unused = Long.SIZE - widthBytes * Byte.SIZE;
            value = checked(at, widthBytes, "read").read(offset + at, widthBytes) << unused >> unused;
        }
        if (value == -1) {
            allOnes.run();
        }
        return value;
    }

    private void store(long at, int widthBytes, long value) {
        VarHandle.releaseFence();
        if (isWithin(writableBytes, at, widthBytes)) {
            switch (widthBytes) {
                case Byte.BYTES -> BYTE.set(MEMORY, address + at, (byte) value);
                case Short.BYTES -> SHORT.set(MEMORY, address + at, (short) value);
                case Integer.BYTES -> INT.set(MEMORY, address + at, (int) value);
                default -> LONG.set(MEMORY, address + at, value);
            }
            Reference.reachabilityFence(pages);
        } else {
            checked(at, widthBytes, "written").write(offset + at, widthBytes, value);
        }
        VarHandle.releaseFence();
    }

    private boolean isWithin(long bytes, long at, int widthBytes) {
        return at >= 0 && at <= bytes - widthBytes && ((address + at) & (widthBytes - 1)) == 0;
    }

    /** The slow way, if the access is allowed at all. */
    private RegisterAccess checked(long at, int widthBytes, String done) {
        Objects.checkFromIndexSize(at, widthBytes, sizeBytes);
        checkAligned(at, widthBytes);
        if (access == null) {
            throw new UnsupportedOperationException(this + " cannot be " + done + ": it is mapped for reading only");
        }
        return access;
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
