package dev.outboard.memory;

import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import java.nio.file.Path;
import java.util.Objects;

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
public final class MappedFile extends MappedBytes {
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

    private static final byte[] LINE_END = {'\n'};

    private final Access access;
    private long position;

    private MappedFile(Mapping mapping, Access access, String name) {
        super(mapping, name);
        this.access = access;
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
        MappingOptions options = switch (access) {
            case READ -> file;
            case WRITE -> file.readWrite().growingItsFile();
            case COPY -> file.readWrite().copyOnWrite();
        };
        return new MappedFile(options.offset(offset).length(lengthBytes).map(), access, name);
    }

    /**
     * How long the file is now, which somebody may have changed. {@code m.size()}.
     *
     * @return its length, what is before the offset included
     * @throws LinuxException if the call fails
     */
    public long size() throws LinuxException {
        long length = length();
        Fd file = mapping().descriptor();
        return file == null ? length : file.endBytes();
    }

    /**
     * The position. {@code m.tell()}.
     *
     * @return bytes from the start; past the end if the file has been made shorter
     */
    public long position() {
        segment();
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
        long end = length();
        long origin = switch (whence) {
            case START -> 0;
            case CURRENT -> position;
            case END -> end;
        };
        // No sum of the two can overflow into the range.
        long wanted = origin + distance;
        if (wanted < 0 || wanted > end) {
            throw new IndexOutOfBoundsException(
                    "seek to " + distance + " from " + origin + " of " + end + " bytes; give 0 to the end");
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
        long left = Math.max(0, length() - position);
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
        long end = find(LINE_END);
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
        store(position, bytes);
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
        writable();
        fits(1);
        put(position, value);
        position++;
    }

    private void fits(int count) {
        if (count > length() - position) {
            throw new IndexOutOfBoundsException(count + " bytes do not fit at " + position + " of " + length());
        }
    }

    /**
     * Finds the first place of some bytes from the position. {@code m.find(sought)}.
     *
     * @param sought the bytes
     * @return their index; −1 if they are not there
     */
    public long find(byte[] sought) {
        return find(sought, position, length());
    }

    /**
     * Finds the last place of some bytes from the position on. {@code m.rfind(sought)}.
     *
     * @param sought the bytes
     * @return their index; −1 if they are not there
     */
    public long rfind(byte[] sought) {
        return rfind(sought, position, length());
    }

    /**
     * Makes the file, and the mapping of it, longer or shorter. {@code m.resize(length)}. Segments got before die.
     *
     * @param lengthBytes the new length of the mapping, more than 0; the file ends with it
     * @throws LinuxException if there is no room
     * @throws UnsupportedOperationException unless opened for {@link Access#WRITE}
     */
    public void resize(long lengthBytes) throws LinuxException {
        segment();
        if (access != Access.WRITE) {
            throw new UnsupportedOperationException(
                    name() + " is mapped for " + access + "; open it for WRITE to resize");
        }
        if (lengthBytes <= 0 || mapping().offset() + lengthBytes < 0) {
            throw new IllegalArgumentException("a length of " + lengthBytes + " bytes; give more than 0");
        }
        try {
            mapping().remap(lengthBytes);
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
        Objects.checkFromIndexSize(from, count, length());
        if (access == Access.WRITE) {
            mapping().sync(from, count);
        }
    }

    @Override
    public String toString() {
        return "mapped " + name() + (isOpen() ? ", position " + position + " of " + length() : " (closed)");
    }
}
