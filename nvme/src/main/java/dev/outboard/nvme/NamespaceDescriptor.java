package dev.outboard.nvme;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;

/**
 * One of the names of a namespace. NVMe base specification 2.0, figure 277.
 *
 * @param type {@link #EUI64}, {@link #NGUID}, {@link #UUID}, {@link #COMMAND_SET} or one that is not known
 * @param value the name, as the controller has it
 */
public record NamespaceDescriptor(int type, MemorySegment value) {
    /** Type: IEEE extended unique identifier, 8 bytes. */
    public static final int EUI64 = 1;
    /** Type: globally unique identifier, 16 bytes. */
    public static final int NGUID = 2;
    /** Type: universally unique identifier, 16 bytes. */
    public static final int UUID = 3;
    /** Type: the I/O command set, 1 byte. */
    public static final int COMMAND_SET = 4;

    /**
     * The name for print.
     *
     * @return hexadecimal digits, first byte first
     */
    public String hex() {
        return HexFormat.of().formatHex(value.toArray(ValueLayout.JAVA_BYTE));
    }
}
