package dev.outboard.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * The layout of a C structure under its C names, for structures that are shared with the kernel or a peer off the hot
 * path. Fields are laid out by the C rules (each at a multiple of its size, the whole a multiple of the largest) unless
 * the structure is {@linkplain #packed packed}.
 *
 * <pre>{@code
 * static final Struct POINT = Struct.of("point", u32("x"), u32("y"));
 *
 * StructView point = POINT.allocate(arena).set("x", 3);
 * }</pre>
 */
public final class Struct {
    /**
     * A field of a structure.
     *
     * @param name its name in C
     * @param widthBytes the width of the number, or of one element of an array: 1, 2, 4 or 8
     * @param count the number of elements; 1 for a number
     */
    public record Field(String name, int widthBytes, long count) {}

    private final String name;
    private final SequencedMap<String, Field> fields = new LinkedHashMap<>();
    private final Map<String, Long> offsets = new LinkedHashMap<>();
    private final long byteSize;
    private final long byteAlignment;

    private Struct(String name, boolean packed, Field... fields) {
        this.name = name;
        long end = 0;
        long largest = 1;
        for (Field field : fields) {
            long alignment = packed ? 1 : field.widthBytes();
            end = alignUp(end, alignment);
            largest = Math.max(largest, alignment);
            if (this.fields.put(field.name(), field) != null) {
                throw new IllegalArgumentException(name + "." + field.name() + " is there twice");
            }
            offsets.put(field.name(), end);
            end += field.widthBytes() * field.count();
        }
        byteSize = alignUp(end, largest);
        byteAlignment = packed ? Long.BYTES : largest;
    }

    /**
     * A structure laid out by the C rules.
     *
     * @param name its tag in C, without {@code struct}
     * @param fields its fields, in order
     * @return the layout
     */
    public static Struct of(String name, Field... fields) {
        return new Struct(name, false, fields);
    }

    /**
     * A structure without padding.
     *
     * @param name its tag in C, without {@code struct}
     * @param fields its fields, in order
     * @return the layout
     */
    public static Struct packed(String name, Field... fields) {
        return new Struct(name, true, fields);
    }

    /**
     * An 8-bit field.
     *
     * @param name its name in C
     * @return the field
     */
    public static Field u8(String name) {
        return new Field(name, Byte.BYTES, 1);
    }

    /**
     * A 16-bit field.
     *
     * @param name its name in C
     * @return the field
     */
    public static Field u16(String name) {
        return new Field(name, Short.BYTES, 1);
    }

    /**
     * A 32-bit field.
     *
     * @param name its name in C
     * @return the field
     */
    public static Field u32(String name) {
        return new Field(name, Integer.BYTES, 1);
    }

    /**
     * A 64-bit field; pointers and {@code size_t} too.
     *
     * @param name its name in C
     * @return the field
     */
    public static Field u64(String name) {
        return new Field(name, Long.BYTES, 1);
    }

    /**
     * An array of bytes.
     *
     * @param name its name in C
     * @param count its length
     * @return the field
     */
    public static Field bytes(String name, long count) {
        return new Field(name, Byte.BYTES, count);
    }

    /**
     * The structure's name.
     *
     * @return its tag in C
     */
    public String name() {
        return name;
    }

    /**
     * The structure's size.
     *
     * @return what {@code sizeof} gives in C
     */
    public long byteSize() {
        return byteSize;
    }

    /**
     * The structure's fields.
     *
     * @return their names in C, in order
     */
    public Iterable<String> fieldNames() {
        return fields.sequencedKeySet();
    }

    /**
     * Where a field is.
     *
     * @param field its name in C
     * @return what {@code offsetof} gives in C
     */
    public long offset(String field) {
        Long offset = offsets.get(field);
        if (offset == null) {
            throw new IllegalArgumentException("struct " + name + " has no field " + field);
        }
        return offset;
    }

    /**
     * Allocates a structure, zeroed.
     *
     * @param arena frees it
     * @return a view of it
     */
    public StructView allocate(Arena arena) {
        return allocate(arena, 0);
    }

    /**
     * Allocates a structure and bytes that follow it, zeroed.
     *
     * @param arena frees it
     * @param trailingBytes how many bytes follow
     * @return a view of it, whose segment has the trailing bytes too
     */
    public StructView allocate(Arena arena, long trailingBytes) {
        return new StructView(this, arena.allocate(byteSize + trailingBytes, Math.max(byteAlignment, Long.BYTES)));
    }

    /**
     * A view of a structure that is in memory already.
     *
     * @param segment the memory; the structure is at its start
     * @return a view of it
     * @throws IndexOutOfBoundsException if the memory is too short
     */
    public StructView view(MemorySegment segment) {
        if (segment.byteSize() < byteSize) {
            throw new IndexOutOfBoundsException(
                    "struct " + name + " has " + byteSize + " bytes, only " + segment.byteSize() + " are here");
        }
        return new StructView(this, segment);
    }

    Field field(String field) {
        Field found = fields.get(field);
        if (found == null) {
            throw new IllegalArgumentException("struct " + name + " has no field " + field);
        }
        return found;
    }

    private static long alignUp(long value, long alignment) {
        return (value + alignment - 1) / alignment * alignment;
    }

    @Override
    public String toString() {
        return "struct " + name + " (" + byteSize + " bytes)";
    }
}
