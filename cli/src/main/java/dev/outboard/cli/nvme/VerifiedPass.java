package dev.outboard.cli.nvme;

import dev.outboard.cli.Interruption;
import dev.outboard.cli.Progress;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.nvme.NvmeBlockDevice;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeNamespace;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Writes the start of a namespace with a pattern that differs from place to place, flushes it, and reads it back. */
final class VerifiedPass {
    private static final long LENGTH_BYTES = 64 << 20;
    private static final long STEP_BYTES = 256 << 10;
    private static final long MULTIPLIER = 0x9e3779b97f4a7c15L;

    private final NvmeController controller;
    private final NvmeNamespace namespace;
    private final boolean writes;
    private final long seed = System.nanoTime();

    /** What was done. */
    record Result(long bytes, double seconds) {}

    VerifiedPass(NvmeController controller, NvmeNamespace namespace, boolean writes) {
        this.controller = controller;
        this.namespace = namespace;
        this.writes = writes;
    }

    Result run(Progress progress) throws IOException {
        long start = System.nanoTime();
        long length = Math.min(LENGTH_BYTES, namespace.sizeBytes());
        long bytes = 0;
        try (NvmeBlockDevice disk = new NvmeBlockDevice(controller, namespace, Waiting.POLL);
                DmaMemory buffer = disk.allocate(Math.min(STEP_BYTES, length))) {
            long total = writes ? 2 * length : length;
            for (long at = 0; writes && at < length && !Interruption.requested(); at += buffer.sizeBytes()) {
                DmaMemory part = buffer.slice(0, Math.min(buffer.sizeBytes(), length - at));
                fill(part.segment(), at);
                disk.write(at / disk.blockSizeBytes(), part);
                progress.show(at, total);
            }
            disk.flush();
            for (long at = 0; at < length && !Interruption.requested(); at += buffer.sizeBytes()) {
                DmaMemory part = buffer.slice(0, Math.min(buffer.sizeBytes(), length - at));
                part.segment().fill((byte) 0);
                disk.read(at / disk.blockSizeBytes(), part);
                if (writes) {
                    verify(part.segment(), at);
                }
                bytes = at + part.sizeBytes();
                progress.show(total - length + at, total);
            }
        }
        return new Result(bytes, (System.nanoTime() - start) / 1e9);
    }

    private long pattern(long at) {
        return (at ^ seed) * MULTIPLIER;
    }

    private void fill(MemorySegment segment, long at) {
        for (long i = 0; i < segment.byteSize(); i += Long.BYTES) {
            segment.set(ValueLayout.JAVA_LONG, i, pattern(at + i));
        }
    }

    private void verify(MemorySegment segment, long at) throws DeviceException {
        for (long i = 0; i < segment.byteSize(); i += Long.BYTES) {
            long read = segment.get(ValueLayout.JAVA_LONG, i);
            if (read != pattern(at + i)) {
                throw new DeviceException(String.format(
                        "%s returned wrong data: at byte %d of namespace %d it has %016x, %016x was written",
                        controller.address(), at + i, namespace.id(), read, pattern(at + i)));
            }
        }
    }
}
