package dev.outboard.memory.ring;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Records whose content tells whether they are right: the number, and bytes that follow from it. */
final class Records implements RecordHandler {
    private static final int LONGEST_NUMBERED = 200;

    private final List<Integer> types = new ArrayList<>();
    private final List<byte[]> bytes = new ArrayList<>();

    @Override
    public void record(int type, MemorySegment memory, long offset, int length) {
        types.add(type);
        bytes.add(memory.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE));
    }

    List<Integer> types() {
        return types;
    }

    List<byte[]> bytes() {
        return bytes;
    }

    /** The length of a numbered record: 8 bytes of number, and up to some 200 of pattern. */
    static int length(long number) {
        return Long.BYTES + (int) (mixed(number) >>> 1) % LONGEST_NUMBERED;
    }

    static long mixed(long number) {
        long mixed = (number + 1) * 0x9e3779b97f4a7c15L;
        return mixed >>> 33;
    }

    static void fill(MemorySegment memory, long at, long number) {
        int length = length(number);
        memory.set(ValueLayout.JAVA_LONG_UNALIGNED, at, number);
        for (int i = Long.BYTES; i < length; i++) {
            memory.set(ValueLayout.JAVA_BYTE, at + i, (byte) (number + i));
        }
    }

    /** The number of a record, after its type, length and every byte were compared with what they must be. */
    static long checked(int type, MemorySegment memory, long at, int length) {
        long number = memory.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
        if (type != (int) number || length != length(number)) {
            throw new AssertionError("record " + number + " has type " + type + ", length " + length);
        }
        for (int i = Long.BYTES; i < length; i++) {
            if (memory.get(ValueLayout.JAVA_BYTE, at + i) != (byte) (number + i)) {
                throw new AssertionError("record " + number + " is wrong at " + i);
            }
        }
        return number;
    }
}
