package dev.outboard.emulation;

import dev.outboard.memory.RegisterAccess;
import java.lang.foreign.MemorySegment;

/**
 * A function that copies between the client's memory and a buffer of its own: at once, while the register write that asks
 * for it waits, or later.
 */
final class CopyModel extends PciModel {
    static final long ADDRESS = 0;
    static final long LENGTH = 8;
    static final long GO = 0x10;
    static final long STATUS = 0x18;
    static final int READ = 1;
    static final int WRITE = 2;
    static final int LATER = 4;
    static final int DONE = 1;
    static final int FAILED = 2;
    static final int BUFFER_BYTES = 4 << 20;

    private final MemorySegment buffer = MemorySegment.ofArray(new byte[BUFFER_BYTES]);
    private long address;
    private long length;
    private int pending;
    private volatile int status;

    CopyModel() {
        super(new Identity(0x1234, 0x5678, 0x088000, 1, 0x1234, 1), false, 0);
        addBar(Bar.of(0, 4096, new Access()));
    }

    MemorySegment buffer() {
        return buffer;
    }

    int status() {
        return status;
    }

    private final class Access implements RegisterAccess {
        @Override
        public long read(long offset, int widthBytes) {
            return offset == STATUS ? status : 0;
        }

        @Override
        public void write(long offset, int widthBytes, long value) {
            if (offset == ADDRESS) {
                address = value;
            } else if (offset == LENGTH) {
                length = Math.clamp(value, 0, BUFFER_BYTES);
            } else if (offset == GO && (value & LATER) == 0) {
                copy((int) value);
            } else if (offset == GO) {
                pending = (int) value & ~LATER;
            }
        }
    }

    private void copy(int what) {
        MemorySegment part = buffer.asSlice(0, length);
        boolean copied = (what & READ) != 0 ? dma().read(address, part) : dma().write(address, part);
        status = copied ? DONE : FAILED;
    }

    @Override
    public boolean polls() {
        return true;
    }

    @Override
    public int doWork() {
        if (pending == 0) {
            return 0;
        }
        int what = pending;
        pending = 0;
        copy(what);
        return 1;
    }

    @Override
    protected void resetFunction() {
        pending = 0;
    }
}
