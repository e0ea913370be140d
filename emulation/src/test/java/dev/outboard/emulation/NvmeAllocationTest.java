package dev.outboard.emulation;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** Plain reads and writes allocate nothing, however they are compiled. */
class NvmeAllocationTest {
    private static final int ROUND = 2_000;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @Test
    void readsAndWritesAllocateNothing() throws IOException {
        try (LocalNvme nvme = new LocalNvme(NvmeOptions.DEFAULT.withSizeBytes(1 << 20))) {
            run(nvme);
            long before = threads.getCurrentThreadAllocatedBytes();
            run(nvme);
            long perCommand = (threads.getCurrentThreadAllocatedBytes() - before) / ROUND;
            assertThat(perCommand).as("bytes for each command").isZero();
        }
    }

    private static void run(LocalNvme nvme) {
        for (int i = 0; i < ROUND; i++) {
            long at = nvme.next();
            nvme.memory.set(JAVA_INT, at, (i & 1) == 0 ? Opcode.WRITE : Opcode.READ);
            nvme.memory.set(JAVA_INT, at + SubmissionEntry.NSID, 1);
            nvme.memory.set(JAVA_INT, at + SubmissionEntry.PRP1, (int) LocalNvme.MEMORY + LocalNvme.DATA);
            nvme.memory.set(JAVA_INT, at + SubmissionEntry.CDW10, i % 200 * 8);
            nvme.memory.set(JAVA_INT, at + SubmissionEntry.CDW12, 7);
            int done = nvme.execute();
            if (done >>> 17 != 0) {
                throw new AssertionError("status 0x" + Integer.toHexString(done >>> 17));
            }
        }
    }
}
