package dev.outboard.emulation;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.outboard.emulation.nvme.NvmeModel;
import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.linux.Fd;
import dev.outboard.linux.Mman;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** An NVMe controller with one pair of I/O queues, without a server: whoever calls it does its work. */
final class LocalNvme implements AutoCloseable {
    /** Where the memory starts among the device addresses. */
    static final long MEMORY = 0x10_0000;

    static final int MEMORY_BYTES = 1 << 20;
    /** What commands may use: what is before is queues. */
    static final int DATA = 0x4000;

    static final int ENTRIES = 32;
    private static final int ADMIN_SUBMISSION = 0;
    private static final int ADMIN_COMPLETION = 0x1000;
    private static final int SUBMISSION = 0x2000;
    private static final int COMPLETION = 0x3000;
    private static final int ENTRY = SubmissionEntry.SIZE_BYTES;

    final MemorySegment memory;
    private final PciModel model;
    private final Arena arena = Arena.ofShared();
    private final int stride;
    private int tail;
    private int adminTail;

    LocalNvme(NvmeOptions options) throws IOException {
        model = new NvmeModel(options);
        stride = options.doorbellStride();
        int protection = Mman.PROT_READ | Mman.PROT_WRITE;
        try (Fd file = Fd.memfd("local", MEMORY_BYTES)) {
            memory = file.mmap(0, MEMORY_BYTES, protection, Mman.MAP_SHARED, arena);
            model.dma().map(MEMORY, MEMORY_BYTES, file, 0, true, true);
        }
        model.writeConfiguration(4, 2, 6);
        write(NvmeRegisters.AQA.offset(), (ENTRIES - 1) << 16 | (ENTRIES - 1));
        write(NvmeRegisters.ASQ.offset(), (int) MEMORY + ADMIN_SUBMISSION);
        write(NvmeRegisters.ACQ.offset(), (int) MEMORY + ADMIN_COMPLETION);
        write(NvmeRegisters.CC.offset(), 0x460061);
        int size = (ENTRIES - 1) << 16 | 1;
        admin(Opcode.CREATE_IO_COMPLETION_QUEUE, (int) MEMORY + COMPLETION, size, 1);
        admin(Opcode.CREATE_IO_SUBMISSION_QUEUE, (int) MEMORY + SUBMISSION, size, 1 << 16 | 1);
    }

    private void write(long offset, int value) {
        Bar registers = model.bar(0);
        registers.access().write(offset, Integer.BYTES, value);
    }

    private void admin(int opcode, int address, int dword10, int dword11) {
        long at = ADMIN_SUBMISSION + (long) adminTail * ENTRY;
        memory.set(JAVA_INT, at, opcode);
        memory.set(JAVA_INT, at + SubmissionEntry.PRP1, address);
        memory.set(JAVA_INT, at + SubmissionEntry.CDW10, dword10);
        memory.set(JAVA_INT, at + SubmissionEntry.CDW11, dword11);
        adminTail++;
        write(NvmeRegisters.DOORBELLS, adminTail);
        model.doWork();
    }

    /** Where the next I/O command goes, in the memory. */
    long next() {
        return SUBMISSION + (long) tail * ENTRY;
    }

    /** Carries out the command that was written to {@link #next}; returns the completion's last dword. */
    int execute() {
        long at = COMPLETION + tail * 16L + 12;
        tail = (tail + 1) % ENTRIES;
        write(NvmeRegisters.DOORBELLS + NvmeRegisters.submissionTailDoorbell(1, stride), tail);
        model.doWork();
        write(NvmeRegisters.DOORBELLS + NvmeRegisters.completionHeadDoorbell(1, stride), tail);
        return memory.get(JAVA_INT, at);
    }

    @Override
    public void close() {
        model.close();
        arena.close();
    }
}
