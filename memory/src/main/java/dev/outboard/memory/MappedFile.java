package dev.outboard.memory;

import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A mapped file that is both a buffer and a file: bytes and slices by index, and reads and writes at a position. It does
 * what Python's {@code mmap.mmap} does, call for call (Python 3.11, Doc/library/mmap.rst), in the names of Java.
 *
 * <p>An index, and a bound of a slice or a range to search, that is negative counts from the end; bounds past the ends
 * are taken to be the ends, an index past the end is an {@link IndexOutOfBoundsException}. So is what does not fit at the
 * position. Writing to what was opened for reading is an {@link UnsupportedOperationException}, any use after
 * {@link #close} an {@link IllegalStateException}, touching what somebody truncated a {@link MappingFaultException}.
 *
 * <p>For one thread at a time, because of the position. What differs from Python: the offset need not be a multiple of
 * the page size, nor that of {@link #flush(long, long)}; {@link #resize} to 0 is refused before the file is truncated,
 * and a file keeps its length if its mapping cannot grow; memory of no file can grow.
 */
public final class MappedFile implements AutoCloseable {
    /** What may be done to the file. */
    public enum Access {
        /** Reading. */
        READ,
        /** Reading, writing and resizing; writes reach the file. */
        WRITE,
        /** Reading and writing; writes do not reach the file. */
        COPY
    }

    /** From where {@link #seek} counts. */
    public enum Whence {
        /** From the start. */
        START,
        /** From the position. */
        CURRENT,
        /** From the end. */
        END
    }

    private static final int LONGEST_ARRAY = Integer.MAX_VALUE - 8;
    private static final byte[] LINE_END = {'\n'};

    private final Mapping mapping;
    private final Access access;
    private final String name;
    private @Nullable MemorySegment memory;
    private long size;
    private long position;

    private MappedFile(Mapping mapping, Access access, String name) {
        this.mapping = mapping;
        this.access = access;
        this.name = name;
        refresh();
    }

    private void refresh() {
        memory = mapping.segment();
        size = mapping.length();
    }

    /**
     * Maps a whole file.
     *
     * @param path its path
     * @param access what may be done
     * @return the mapped file, at position 0
     * @throws LinuxException if it cannot be opened or mapped
     * @throws IllegalArgumentException if it is empty
     */
    public static MappedFile open(Path path, Access access) throws LinuxException {
        return open(path, access, 0, 0);
    }

    /**
     * Maps part of a file.
     *
     * @param path its path
     * @param access what may be done
     * @param offset where the part begins, in bytes
     * @param lengthBytes its length; 0: to the end of the file
     * @return the mapped file, at position 0 of the part
     * @throws LinuxException if it cannot be opened or mapped
     * @throws IllegalArgumentException if the part is empty, or not within the file
     */
    public static MappedFile open(Path path, Access access, long offset, long lengthBytes) throws LinuxException {
        return map(Mapping.file(path), access, offset, lengthBytes, path.toString());
    }

    /**
     * Maps part of the file of a descriptor, which may be closed afterwards.
     *
     * @param file the descriptor, open for reading, for {@link Access#WRITE} for both
     * @param access what may be done
     * @param offset where the part begins, in bytes
     * @param lengthBytes its length; 0: to the end of the file
     * @return the mapped file, at position 0 of the part
     * @throws LinuxException if it cannot be mapped
     * @throws IllegalArgumentException if the part is empty, or not within the file
     */
    public static MappedFile of(Fd file, Access access, long offset, long lengthBytes) throws LinuxException {
        return map(Mapping.of(file), access, offset, lengthBytes, file.name());
    }

    /**
     * Maps memory of no file, zeroed.
     *
     * @param lengthBytes its length, more than 0
     * @return the memory, for reading, writing and resizing
     * @throws LinuxException if there is no room
     */
    public static MappedFile anonymous(long lengthBytes) throws LinuxException {
        return new MappedFile(Mapping.memfd("anonymous", lengthBytes).map(), Access.WRITE, "memory");
    }

    private static MappedFile map(MappingOptions file, Access access, long offset, long lengthBytes, String name)
            throws LinuxException {
        MappingOptions options = file.offset(offset).length(lengthBytes);
        MappingOptions accessed = switch (access) {
            case READ -> options;
            case WRITE -> options.readWrite().growingItsFile();
            case COPY -> options.readWrite().copyOnWrite();
        };
        return new MappedFile(accessed.map(), access, name);
    }

    /**
     * How many bytes are mapped. Python's {@code len(m)}.
     *
     * @return the length
     */
    public long length() {
        memory();
        return size;
    }

    /**
     * How long the file is now, which somebody may have changed. {@code m.size()}.
     *
     * @return its length, what is before the offset included
     * @throws LinuxException if the call fails
     */
    public long size() throws LinuxException {
        memory();
        Fd file = mapping.descriptor();
        return file == null ? size : file.endBytes();
    }

    /**
     * The memory itself, not a copy.
     *
     * @return a segment of {@link #length} bytes that dies when the file is resized or closed
     */
    public MemorySegment segment() {
        return memory();
    }

    /**
     * The byte at an index. {@code m[index]}.
     *
     * @param index which; negative: from the end
     * @return 0 to 255
     */
    public int get(long index) {
        MemorySegment here = memory();
        long at = at(index);
        return (int) mapping.access(() -> Byte.toUnsignedLong(here.get(ValueLayout.JAVA_BYTE, at)));
    }

    /**
     * Sets the byte at an index. {@code m[index] = value}.
     *
     * @param index which; negative: from the end
     * @param value 0 to 255
     */
    public void put(long index, int value) {
        MemorySegment here = writable();
        set(here, at(index), value);
    }

    private void set(MemorySegment here, long at, int value) {
        if (value < 0 || value > 0xff) {
            throw new IllegalArgumentException(value + " is not a byte; give 0 to 255");
        }
        mapping.access(() -> {
            here.set(ValueLayout.JAVA_BYTE, at, (byte) value);
            return at;
        });
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
    public byte[] slice(long from, long to) {
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
    public byte[] slice(long from, long to, long step) {
        MemorySegment here = memory();
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
    public void putSlice(long from, long to, byte[] bytes) {
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
    public void putSlice(long from, long to, long step, byte[] bytes) {
        MemorySegment here = writable();
        SliceBounds slice = SliceBounds.of(from, to, step, size);
        if (slice.count() != bytes.length) {
            throw new IllegalArgumentException(
                    bytes.length + " bytes for a slice of " + slice.count() + "; a mapping does not grow by itself");
        }
        mapping.access(() -> {
            if (step == 1) {
                MemorySegment.copy(bytes, 0, here, ValueLayout.JAVA_BYTE, slice.start(), bytes.length);
            } else {
                for (int i = 0; i < bytes.length; i++) {
                    here.set(ValueLayout.JAVA_BYTE, slice.start() + i * step, bytes[i]);
                }
            }
            return 0;
        });
    }

    /**
     * The position. {@code m.tell()}.
     *
     * @return bytes from the start; past the end if the file has been made shorter
     */
    public long position() {
        memory();
        return position;
    }

    /**
     * Moves the position. {@code m.seek(distance, whence)}.
     *
     * @param distance how far, in bytes; negative: back
     * @param whence from where
     * @return the new position
     * @throws IndexOutOfBoundsException if that is before the start or past the end; the end itself is allowed
     */
    public long seek(long distance, Whence whence) {
        memory();
        long origin = switch (whence) {
            case START -> 0;
            case CURRENT -> position;
            case END -> size;
        };
        // No sum of the two can overflow into the range.
        long wanted = origin + distance;
        if (wanted < 0 || wanted > size) {
            throw new IndexOutOfBoundsException(
                    "seek to " + distance + " from " + origin + " of " + size + " bytes; give 0 to the end");
        }
        position = wanted;
        return wanted;
    }

    /**
     * Moves the position. {@code m.seek(to)}.
     *
     * @param to bytes from the start
     * @return the new position
     * @throws IndexOutOfBoundsException if that is before the start or past the end; the end itself is allowed
     */
    public long seek(long to) {
        return seek(to, Whence.START);
    }

    /**
     * Reads all from the position to the end. {@code m.read()}.
     *
     * @return the bytes; none at the end
     */
    public byte[] read() {
        return read(-1);
    }

    /**
     * Reads at the position. {@code m.read(count)}.
     *
     * @param count how many bytes at most; negative: all to the end
     * @return the bytes; none at the end
     */
    public byte[] read(long count) {
        long left = left();
        long taken = count < 0 || count > left ? left : count;
        byte[] bytes = slice(position, position + taken);
        position += taken;
        return bytes;
    }

    /**
     * Reads one byte at the position. {@code m.read_byte()}.
     *
     * @return 0 to 255
     * @throws IndexOutOfBoundsException at the end
     */
    public int readByte() {
        fits(1);
        int value = get(position);
        position++;
        return value;
    }

    /**
     * Reads a line at the position, its end (a line feed) included if there is one. {@code m.readline()}.
     *
     * @return the bytes; none at the end
     */
    public byte[] readLine() {
        if (left() == 0) {
            return new byte[0];
        }
        long end = find(LINE_END, position, size);
        return read(end < 0 ? -1 : end + 1 - position);
    }

    /**
     * Writes at the position. {@code m.write(bytes)}.
     *
     * @param bytes what to write
     * @return how many bytes: all of them
     * @throws IndexOutOfBoundsException if they do not fit before the end; then none is written
     */
    public int write(byte[] bytes) {
        writable();
        fits(bytes.length);
        putSlice(position, position + bytes.length, bytes);
        position += bytes.length;
        return bytes.length;
    }

    /**
     * Writes one byte at the position. {@code m.write_byte(value)}.
     *
     * @param value 0 to 255
     * @throws IndexOutOfBoundsException at the end
     */
    public void writeByte(int value) {
        MemorySegment here = writable();
        fits(1);
        set(here, position, value);
        position++;
    }

    private long left() {
        memory();
        return Math.max(0, size - position);
    }

    private void fits(int count) {
        memory();
        if (count > size - position) {
            throw new IndexOutOfBoundsException(count + " bytes do not fit at " + position + " of " + size);
        }
    }

    /**
     * Finds the first place of some bytes from the position. {@code m.find(sought)}.
     *
     * @param sought the bytes
     * @return their index; −1 if they are not there
     */
    public long find(byte[] sought) {
        return find(sought, position, size);
    }

    /**
     * Finds the first place of some bytes in a range. {@code m.find(sought, from, to)}.
     *
     * @param sought the bytes
     * @param from where the range begins; negative: from the end
     * @param to where it ends; negative: from the end
     * @return their index; −1 if they are not there as a whole
     */
    public long find(byte[] sought, long from, long to) {
        MemorySegment here = memory();
        return mapping.access(() -> ByteSearch.first(here, bound(from), bound(to), sought));
    }

    /**
     * Finds the last place of some bytes from the position on. {@code m.rfind(sought)}.
     *
     * @param sought the bytes
     * @return their index; −1 if they are not there
     */
    public long rfind(byte[] sought) {
        return rfind(sought, position, size);
    }

    /**
     * Finds the last place of some bytes in a range. {@code m.rfind(sought, from, to)}.
     *
     * @param sought the bytes
     * @param from where the range begins; negative: from the end
     * @param to where it ends; negative: from the end
     * @return their index; −1 if they are not there as a whole
     */
    public long rfind(byte[] sought, long from, long to) {
        MemorySegment here = memory();
        return mapping.access(() -> ByteSearch.last(here, bound(from), bound(to), sought));
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
    public void move(long to, long from, long count) {
        MemorySegment here = writable();
        Objects.checkFromIndexSize(to, count, size);
        Objects.checkFromIndexSize(from, count, size);
        mapping.access(() -> {
            MemorySegment.copy(here, from, here, to, count);
            return 0;
        });
    }

    /**
     * Makes the file, and the mapping of it, longer or shorter. {@code m.resize(length)}. Segments got before die.
     *
     * @param lengthBytes the new length of the mapping, more than 0; the file ends with it
     * @throws LinuxException if there is no room
     * @throws UnsupportedOperationException unless opened for {@link Access#WRITE}
     */
    public void resize(long lengthBytes) throws LinuxException {
        memory();
        if (access != Access.WRITE) {
            throw new UnsupportedOperationException(
                    name + " is mapped for " + access + "; open it for WRITE to resize");
        }
        if (lengthBytes <= 0 || mapping.offset() + lengthBytes < 0) {
            throw new IllegalArgumentException("a length of " + lengthBytes + " bytes; give more than 0");
        }
        try {
            mapping.remap(lengthBytes);
        } finally {
            refresh();
        }
    }

    /**
     * Writes everything back to the file, and waits for it. {@code m.flush()}. Only for {@link Access#WRITE} is there
     * anything to do.
     *
     * @throws LinuxException EIO if it cannot be written
     */
    public void flush() throws LinuxException {
        flush(0, length());
    }

    /**
     * Writes a range back to the file, and waits for it. {@code m.flush(from, count)}.
     *
     * @param from its first byte; the page that it is in counts as a whole
     * @param count its length
     * @throws LinuxException EIO if it cannot be written
     * @throws IndexOutOfBoundsException if the range is not within the mapping
     */
    public void flush(long from, long count) throws LinuxException {
        memory();
        Objects.checkFromIndexSize(from, count, size);
        if (access == Access.WRITE) {
            mapping.sync(from, count);
        }
    }

    /**
     * The mapping, to advise, lock or populate it. {@code m.madvise(…)}. Change its length through {@link #resize} only.
     *
     * @return the mapping, which closes with this
     */
    public Mapping mapping() {
        return mapping;
    }

    /**
     * Whether it is open. {@code not m.closed}.
     *
     * @return false once it was closed
     */
    public boolean isOpen() {
        return mapping.isOpen();
    }

    private MemorySegment memory() {
        MemorySegment here = memory;
        if (here == null) {
            throw new IllegalStateException(name + " is closed");
        }
        return here;
    }

    private MemorySegment writable() {
        MemorySegment here = memory();
        if (access == Access.READ) {
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
    public void close() {
        memory = null;
        mapping.close();
    }

    @Override
    public String toString() {
        return "mapped " + name + (isOpen() ? ", position " + position + " of " + size : " (closed)");
    }
}
