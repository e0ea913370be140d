package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.outboard.emulation.Bar;
import dev.outboard.emulation.DmaSpace;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.specs.nvme.NvmeRegisters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The controller memory buffer: memory of the controller, in a BAR, for queues, lists and data. NVMe base specification
 * 2.0, 8.5. Once the host has said at which of its addresses that is, the controller finds it there like other memory.
 */
final class ControllerMemory implements AutoCloseable {
    static final int BAR = 2;

    private final Arena arena = Arena.ofShared();
    private final DmaSpace dma;
    private final long sizeBytes;
    private final Fd file;
    private final MemorySegment memory;

    ControllerMemory(DmaSpace dma, long sizeBytes) throws LinuxException {
        this.dma = dma;
        this.sizeBytes = sizeBytes;
        file = Fd.memfd("outboard-controller-memory", sizeBytes);
        try {
            memory = file.mmap(0, sizeBytes, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, arena);
        } catch (LinuxException e) {
            file.close();
            arena.close();
            throw e;
        }
    }

    /** The BAR that it lies in, all of which the client may map. */
    Bar bar() {
        Bar.SharedAreas shared = new Bar.SharedAreas(file, List.of(new Bar.Area(0, sizeBytes)));
        return new Bar(BAR, sizeBytes, Bar.Space.MEMORY_64, new Access(), shared);
    }

    /** CMBLOC: where it is; bits that lift restrictions are all set. */
    static long location() {
        return NvmeRegisters.CMBLOC_UNRESTRICTED.mask() | NvmeRegisters.CMBLOC_BIR.of(BAR);
    }

    /** CMBSZ: how large it is, and that it is for everything. */
    long size() {
        return NvmeRegisters.CMBSZ_SQS.of(1)
                | NvmeRegisters.CMBSZ_CQS.of(1)
                | NvmeRegisters.CMBSZ_LISTS.of(1)
                | NvmeRegisters.CMBSZ_RDS.of(1)
                | NvmeRegisters.CMBSZ_WDS.of(1)
                | NvmeRegisters.CMBSZ_SZ.of(sizeBytes / DmaSpace.PAGE_BYTES);
    }

    /** Follows CMBMSC. Returns false if the buffer cannot be where the host wants it. */
    boolean configure(long control) {
        dma.setDeviceMemory(0, null);
        boolean isThere = NvmeRegisters.CMBMSC_CRE.isSet(control) && NvmeRegisters.CMBMSC_CMSE.isSet(control);
        return !isThere || dma.setDeviceMemory(control & NvmeRegisters.CMBMSC_CBA.mask(), memory);
    }

    /** For clients that do not map it. */
    private final class Access implements RegisterAccess {
        @Override
        public long read(long offset, int widthBytes) {
            return switch (widthBytes) {
                case Byte.BYTES -> Byte.toUnsignedLong(memory.get(JAVA_BYTE, offset));
                case Short.BYTES -> Short.toUnsignedLong(memory.get(JAVA_SHORT_UNALIGNED, offset));
                case Integer.BYTES -> Integer.toUnsignedLong(memory.get(JAVA_INT_UNALIGNED, offset));
                default -> memory.get(JAVA_LONG_UNALIGNED, offset);
            };
        }

        @Override
        public void write(long offset, int widthBytes, long value) {
            switch (widthBytes) {
                case Byte.BYTES -> memory.set(JAVA_BYTE, offset, (byte) value);
                case Short.BYTES -> memory.set(JAVA_SHORT_UNALIGNED, offset, (short) value);
                case Integer.BYTES -> memory.set(JAVA_INT_UNALIGNED, offset, (int) value);
                default -> memory.set(JAVA_LONG_UNALIGNED, offset, value);
            }
        }
    }

    @Override
    public void close() {
        if (file.isOpen()) {
            dma.setDeviceMemory(0, null);
            file.close();
            arena.close();
        }
    }
}
