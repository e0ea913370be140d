package dev.outboard.emulation;

import dev.outboard.memory.RegisterAccess;

/**
 * The BAR that holds the MSI-X table and the pending bits. Both are stored and read back; interrupts go to the eventfds
 * that the client connects. PCI 3.0, 6.8.2.
 */
final class MsixTable implements RegisterAccess {
    static final int ENTRY_BYTES = 16;
    static final long PENDING_BITS = 0x1000;
    static final long SIZE_BYTES = 0x2000;
    static final int MAXIMUM_VECTORS = (int) PENDING_BITS / ENTRY_BYTES;

    private static final int VECTOR_CONTROL = 12;
    private static final int MASKED = 1;

    private final byte[] table;

    MsixTable(int vectors) {
        table = new byte[vectors * ENTRY_BYTES];
        reset();
    }

    void reset() {
        for (int at = 0; at < table.length; at += ENTRY_BYTES) {
            for (int i = 0; i < ENTRY_BYTES; i++) {
                table[at + i] = (byte) (i == VECTOR_CONTROL ? MASKED : 0);
            }
        }
    }

    @Override
    public long read(long offset, int widthBytes) {
        long value = 0;
        for (int i = 0; i < widthBytes && offset + i < table.length; i++) {
            value |= Byte.toUnsignedLong(table[(int) offset + i]) << (i * Byte.SIZE);
        }
        return value;
    }

    @Override
    public void write(long offset, int widthBytes, long value) {
        for (int i = 0; i < widthBytes && offset + i < table.length; i++) {
            table[(int) offset + i] = (byte) (value >>> (i * Byte.SIZE));
        }
    }
}
