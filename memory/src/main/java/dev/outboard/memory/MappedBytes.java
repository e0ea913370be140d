package dev.outboard.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What of a {@link MappedFile} is a buffer: bytes by index, slices, searches. {@code bytearray} in Python's words. */
abstract sealed class MappedBytes implements AutoCloseable permits MappedFile {
    private static final int LONGEST_ARRAY = Integer.MAX_VALUE - 8;

    private final Mapping mapping;
    private final String name;
    private final ByteSearch search = new ByteSearch();
    private @Nullable MemorySegment memory;
    private long size;

    MappedBytes(Mapping mapping, String name) {
        this.mapping = mapping;
        this.name = name;
        refresh();
    }

    /** Takes what is mapped now. */
    final void refresh() {
        memory = mapping.segment();
        size = mapping.length();
    }

    /**
     * How many bytes are mapped. Python's {@code len(m)}.
     *
     * @return the length
     */
    public final long length() {
        segment();
        return size;
    }

    /**
     * The memory itself, not a copy.
     *
     * @return a segment of {@link #length} bytes that dies when the file is resized or closed
     */
    public final MemorySegment segment() {
        MemorySegment here = memory;
        if (here == null) {
            throw new IllegalStateException(name + " is closed");
        }
        return here;
    }

    /**
     * The byte at an index. {@code m[index]}.
     *
     * @param index which; negative: from the end
     * @return 0 to 255
     */
    // Here and below not by Mapping.access: what the body captures is an allocation unless all of it is inlined.
    public final int get(long index) {
        MemorySegment here = segment();
        long at = at(index);
        try {
            byte value = here.get(ValueLayout.JAVA_BYTE, at);
            Faults.settle();
            return Byte.toUnsignedInt(value);
        } catch (InternalError e) {
            throw mapping.fault(e);
        }
    }

    /**
     * Sets the byte at an index. {@code m[index] = value}.
     *
     * @param index which; negative: from the end
     * @param value 0 to 255
     */
    public final void put(long index, int value) {
        MemorySegment here = writable();
        long at = at(index);
        if (value < 0 || value > 0xff) {
            throw new IllegalArgumentException(value + " is not a byte; give 0 to 255");
        }
        try {
            here.set(ValueLayout.JAVA_BYTE, at, (byte) value);
            Faults.settle();
        } catch (InternalError e) {
            throw mapping.fault(e);
        }
    }

    private long at(long index) {
        long at = index < 0 ? index + size : index;
        if (at < 0 || at >= size) {
            throw new IndexOutOfBoundsException("index " + index + " of " + size + " bytes");
        }
        return at;
    }

    /**
     * A copy of some bytes. {@code m[from:to]}.
     *
     * @param from the first; negative: from the end
     * @param to the one behind the last; negative: from the end
     * @return the bytes; none if the range is empty
     */
    public final byte[] slice(long from, long to) {
        return slice(from, to, 1);
    }

    /**
     * A copy of every so many bytes. {@code m[from:to:step]}.
     *
     * @param from the first; negative: from the end
     * @param to where to stop; negative: from the end; {@link Long#MIN_VALUE} with a negative step: at the start
     * @param step how far the next one is; negative: backwards
     * @return the bytes
     */
    public final byte[] slice(long from, long to, long step) {
        MemorySegment here = segment();
        SliceBounds slice = SliceBounds.of(from, to, step, size);
        byte[] copy = new byte[arrayLength(slice.count())];
        mapping.access(() -> {
            if (step == 1) {
                MemorySegment.copy(here, ValueLayout.JAVA_BYTE, slice.start(), copy, 0, copy.length);
            } else {
                for (int i = 0; i < copy.length; i++) {
                    copy[i] = here.get(ValueLayout.JAVA_BYTE, slice.start() + i * step);
                }
            }
            return 0;
        });
        return copy;
    }

    /**
     * Sets some bytes. {@code m[from:to] = bytes}.
     *
     * @param from the first; negative: from the end
     * @param to the one behind the last; negative: from the end
     * @param bytes as many as the slice has
     */
    public final void putSlice(long from, long to, byte[] bytes) {
        putSlice(from, to, 1, bytes);
    }

    /**
     * Sets every so many bytes. {@code m[from:to:step] = bytes}.
     *
     * @param from the first; negative: from the end
     * @param to where to stop, as for {@link #slice(long, long, long)}
     * @param step how far the next one is; negative: backwards
     * @param bytes as many as the slice has
     */
    public final void putSlice(long from, long to, long step, byte[] bytes) {
        MemorySegment here = writable();
        SliceBounds slice = SliceBounds.of(from, to, step, size);
        if (slice.count() != bytes.length) {
            throw new IllegalArgumentException(
                    bytes.length + " bytes for a slice of " + slice.count() + "; a mapping does not grow by itself");
        }
        if (step == 1) {
            store(slice.start(), bytes);
            return;
        }
        mapping.access(() -> {
            for (int i = 0; i < bytes.length; i++) {
                here.set(ValueLayout.JAVA_BYTE, slice.start() + i * step, bytes[i]);
            }
            return 0;
        });
    }

    /** Stores bytes where there is room for them. */
    final void store(long at, byte[] bytes) {
        MemorySegment here = writable();
        try {
            MemorySegment.copy(bytes, 0, here, ValueLayout.JAVA_BYTE, at, bytes.length);
            Faults.settle();
        } catch (InternalError e) {
            throw mapping.fault(e);
        }
    }

    /**
     * Finds the first place of some bytes in a range. {@code m.find(sought, from, to)}.
     *
     * @param sought the bytes
     * @param from where the range begins; negative: from the end
     * @param to where it ends; negative: from the end
     * @return their index; −1 if they are not there as a whole
     */
    public final long find(byte[] sought, long from, long to) {
        MemorySegment here = segment();
        try {
            long found = search.first(here, bound(from), bound(to), sought);
            Faults.settle();
            return found;
        } catch (InternalError e) {
            throw mapping.fault(e);
        }
    }

    /**
     * Finds the last place of some bytes in a range. {@code m.rfind(sought, from, to)}.
     *
     * @param sought the bytes
     * @param from where the range begins; negative: from the end
     * @param to where it ends; negative: from the end
     * @return their index; −1 if they are not there as a whole
     */
    public final long rfind(byte[] sought, long from, long to) {
        MemorySegment here = segment();
        try {
            long found = search.last(here, bound(from), bound(to), sought);
            Faults.settle();
            return found;
        } catch (InternalError e) {
            throw mapping.fault(e);
        }
    }

    private long bound(long index) {
        return Math.clamp(index < 0 ? index + size : index, 0, size);
    }

    /**
     * Copies bytes within the file; the ranges may overlap. {@code m.move(to, from, count)}.
     *
     * @param to the first place
     * @param from the first byte
     * @param count how many
     * @throws IndexOutOfBoundsException if one of the ranges is not within the mapping
     */
    public final void move(long to, long from, long count) {
        MemorySegment here = writable();
        Objects.checkFromIndexSize(to, count, size);
        Objects.checkFromIndexSize(from, count, size);
        try {
            MemorySegment.copy(here, from, here, to, count);
            Faults.settle();
        } catch (InternalError e) {
            throw mapping.fault(e);
        }
    }

    /**
     * The mapping, to advise, lock or populate it. {@code m.madvise(…)}. Change its length through {@link MappedFile#resize} only.
     *
     * @return the mapping, which closes with this
     */
    public final Mapping mapping() {
        return mapping;
    }

    /**
     * Whether it is open. {@code not m.closed}.
     *
     * @return false once it was closed
     */
    public final boolean isOpen() {
        return mapping.isOpen();
    }

    final String name() {
        return name;
    }

    final MemorySegment writable() {
        MemorySegment here = segment();
        if (here.isReadOnly()) {
            throw new UnsupportedOperationException(
                    name + " is mapped for READ; open it for WRITE, or for COPY to keep what is written to yourself");
        }
        return here;
    }

    private static int arrayLength(long count) {
        if (count > LONGEST_ARRAY) {
            throw new IllegalArgumentException(
                    count + " bytes are more than an array holds; read them in parts, or use segment()");
        }
        return (int) count;
    }

    /** Unmaps the file; what was written reaches it without. {@code m.close()}. Closing twice is harmless. */
    @Override
    public final void close() {
        memory = null;
        mapping.close();
    }
}
