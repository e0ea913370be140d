package dev.outboard.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Registers that remember what is written and write down every access. */
final class RecordingAccess implements RegisterAccess {
    record Access(boolean write, long offset, int widthBytes) {
        @Override
        public String toString() {
            return (write ? "write 0x" : "read 0x") + Long.toHexString(offset) + " " + widthBytes;
        }
    }

    private final List<Access> accesses = new ArrayList<>();
    private final Map<Long, Byte> bytes = new TreeMap<>();

    List<Access> accesses() {
        return accesses;
    }

    @Override
    public long read(long offset, int widthBytes) {
        accesses.add(new Access(false, offset, widthBytes));
        long value = 0;
        for (int i = widthBytes - 1; i >= 0; i--) {
            value = (value << Byte.SIZE) | (bytes.getOrDefault(offset + i, (byte) 0) & 0xff);
        }
        return value;
    }

    @Override
    public void write(long offset, int widthBytes, long value) {
        accesses.add(new Access(true, offset, widthBytes));
        for (int i = 0; i < widthBytes; i++) {
            bytes.put(offset + i, (byte) (value >>> (i * Byte.SIZE)));
        }
    }
}
