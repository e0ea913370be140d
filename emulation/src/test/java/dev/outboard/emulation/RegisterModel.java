package dev.outboard.emulation;

import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.memory.RegisterAccess;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** A function whose registers remember what was written, and every access. */
final class RegisterModel extends PciModel {
    static final long BAR_BYTES = 4096;
    static final long BROKEN_REGISTER = 0xff0;
    static final int SHARED_BAR = 2;
    static final int VECTORS = 4;

    private final byte[] registers = new byte[(int) BAR_BYTES];
    private final List<String> accesses = Collections.synchronizedList(new ArrayList<>());
    private final Fd file;

    RegisterModel() {
        super(new Identity(0x1234, 0x5678, 0x088000, 1, 0x1234, 1), true, VECTORS);
        try {
            file = Fd.memfd("registers", BAR_BYTES);
        } catch (LinuxException e) {
            throw new UncheckedIOException(e);
        }
        RegisterAccess access = new Access();
        addBar(Bar.of(0, BAR_BYTES, access));
        addBar(new Bar(
                SHARED_BAR,
                BAR_BYTES,
                Bar.Space.MEMORY_64,
                access,
                new Bar.SharedAreas(file, List.of(new Bar.Area(0x1000, 0x1000)))));
    }

    /** What was written, as offset, width and value. */
    List<String> accesses() {
        return accesses;
    }

    List<DmaRegion> dmaRegions() {
        return dma().regions();
    }

    InterruptLines lines() {
        return interrupts();
    }

    private final class Access implements RegisterAccess {
        @Override
        public long read(long offset, int widthBytes) {
            long value = 0;
            for (int i = 0; i < widthBytes; i++) {
                value |= Byte.toUnsignedLong(registers[(int) offset + i]) << (i * Byte.SIZE);
            }
            return value;
        }

        @Override
        public void write(long offset, int widthBytes, long value) {
            if (offset == BROKEN_REGISTER) {
                throw new IllegalStateException("a bug of the model");
            }
            accesses.add("W" + Long.toHexString(offset) + "." + widthBytes + "=" + Long.toHexString(value));
            for (int i = 0; i < widthBytes; i++) {
                registers[(int) offset + i] = (byte) (value >>> (i * Byte.SIZE));
            }
        }
    }

    @Override
    protected void resetFunction() {
        Arrays.fill(registers, (byte) 0);
    }

    @Override
    public void close() {
        super.close();
        file.close();
    }
}
