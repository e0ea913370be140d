package dev.outboard.memory.ring;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Objects;

/** The layout of {@code docs/rings.md}, version 1: where things are, and the check that memory is such a ring. */
final class RingLayout {
    static final VarHandle INT =
            JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();
    static final VarHandle LONG =
            JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();

    /** "OUTBRING". */
    static final long MAGIC_VALUE = 0x474e49524254554fL;

    static final int VERSION_VALUE = 1;
    static final int SINGLE_CONSUMER = 1;
    static final int BROADCAST = 2;

    static final long MAGIC = 0x00;
    static final long VERSION = 0x08;
    static final long KIND = 0x0c;
    static final long CAPACITY = 0x10;
    static final long DATA_OFFSET = 0x18;
    static final long RECORD_HEADER = 0x1c;
    static final long MAXIMUM_LENGTH = 0x20;
    // What two sides write, or one writes often, is 128 bytes apart: processors fetch lines in pairs.
    static final long TAIL = 0x80;
    static final long RESERVED = 0x88;
    static final long LATEST = 0x90;
    static final long HEAD = 0x100;
    static final long DATA_BELL = 0x180;
    static final long SPACE_BELL = 0x200;
    static final long PRODUCER = 0x280;
    static final long CONSUMER = 0x300;
    static final long DATA = 0x400;

    /** {@link #LATEST} before the first record; no position, as those are multiples of 16. */
    static final long NO_RECORD = 1;

    static final long STAMP = 0;
    static final long LENGTH_AND_TYPE = 8;
    static final long SEQUENCE = 16;
    static final int HEADER_BYTES = 16;
    static final int BROADCAST_HEADER_BYTES = 24;
    static final int PADDING = -1;
    static final long ALIGNMENT = 16;

    static final long MINIMUM_CAPACITY = 1024;
    static final long MAXIMUM_CAPACITY = 1L << 40;
    private static final long MAXIMUM_LENGTH_EVER = 1 << 30;

    private RingLayout() {}

    static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    }

    /** What a header says where there is a record: its own position, so that nothing older can be taken for it. */
    static long stamp(long position) {
        return position | 1;
    }

    static int headerBytes(int kind) {
        return kind == BROADCAST ? BROADCAST_HEADER_BYTES : HEADER_BYTES;
    }

    /** The longest record: one that fits with the padding before it, and into a broadcast ring some times. */
    static int maximumLength(int kind, long capacity) {
        long share = kind == BROADCAST ? capacity / 8 : capacity / 2;
        return (int) Math.min(share - BROADCAST_HEADER_BYTES, MAXIMUM_LENGTH_EVER);
    }

    static void checkCapacity(long capacity) {
        if (capacity < MINIMUM_CAPACITY || capacity > MAXIMUM_CAPACITY || Long.bitCount(capacity) != 1) {
            throw new IllegalArgumentException("a ring of " + capacity + " bytes: give a power of two from "
                    + MINIMUM_CAPACITY + " to " + MAXIMUM_CAPACITY);
        }
    }

    static void checkMemory(MemorySegment memory) {
        Objects.requireNonNull(memory);
        if (!memory.isNative() || memory.isReadOnly()) {
            throw new IllegalArgumentException("a ring must be in native, writable memory: map it with PROT_READ |"
                    + " PROT_WRITE (consumers write too: how far they read, and that they sleep)");
        }
        if (memory.address() % Long.BYTES != 0) {
            throw new IllegalArgumentException("a ring must start at a multiple of 8, better at a page, not at 0x"
                    + Long.toHexString(memory.address()));
        }
    }

    static void initialise(MemorySegment memory, int kind, long capacity) {
        // Not a ring while it is written.
        LONG.setVolatile(memory, MAGIC, 0L);
        memory.asSlice(0, DATA).fill((byte) 0);
        // A stamp from before would be taken for a record.
        memory.asSlice(DATA, capacity).fill((byte) 0);
        INT.set(memory, VERSION, VERSION_VALUE);
        INT.set(memory, KIND, kind);
        LONG.set(memory, CAPACITY, capacity);
        INT.set(memory, DATA_OFFSET, (int) DATA);
        INT.set(memory, RECORD_HEADER, headerBytes(kind));
        INT.set(memory, MAXIMUM_LENGTH, maximumLength(kind, capacity));
        LONG.set(memory, LATEST, NO_RECORD);
        LONG.setVolatile(memory, MAGIC, MAGIC_VALUE);
    }

    /** What a ring's header says, read once and believed only as far as the memory allows. */
    record Shape(int kind, long capacity, int maximumLength) {}

    static Shape validate(MemorySegment memory) throws RingException {
        if (memory.byteSize() < DATA + MINIMUM_CAPACITY) {
            throw new RingException(
                    memory.byteSize() + " bytes hold no ring: the smallest has " + (DATA + MINIMUM_CAPACITY));
        }
        long magic = (long) LONG.getVolatile(memory, MAGIC);
        if (magic != MAGIC_VALUE) {
            throw new RingException("there is no ring in this memory, or it is not yet created: it starts with 0x"
                    + Long.toHexString(magic) + ", not with OUTBRING");
        }
        int version = (int) INT.get(memory, VERSION);
        if (version != VERSION_VALUE) {
            throw new RingException("the ring has version " + Integer.toUnsignedString(version) + " of the layout, this"
                    + " is for version " + VERSION_VALUE + ": use the same release on both sides");
        }
        int kind = (int) INT.get(memory, KIND);
        if (kind != SINGLE_CONSUMER && kind != BROADCAST) {
            throw new RingException("the ring's kind is " + kind + ", neither 1 (single consumer) nor 2 (broadcast)");
        }
        long capacity = (long) LONG.get(memory, CAPACITY);
        if (capacity < MINIMUM_CAPACITY || Long.bitCount(capacity) != 1 || capacity > memory.byteSize() - DATA) {
            throw new RingException("the ring says that it has " + Long.toUnsignedString(capacity) + " bytes of data;"
                    + " a power of two is due, that the memory's " + memory.byteSize() + " bytes can hold");
        }
        require("data offset", (int) INT.get(memory, DATA_OFFSET), (int) DATA);
        require("record header", (int) INT.get(memory, RECORD_HEADER), headerBytes(kind));
        int maximumLength = maximumLength(kind, capacity);
        require("longest record", (int) INT.get(memory, MAXIMUM_LENGTH), maximumLength);
        return new Shape(kind, capacity, maximumLength);
    }

    private static void require(String what, int found, int due) throws RingException {
        if (found != due) {
            throw new RingException(
                    "the ring's " + what + " is " + Integer.toUnsignedString(found) + ", due is " + due);
        }
    }
}
