package dev.outboard.emulation;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * What a driver may put into a submission queue, and into the lists that it leads to, found by a fuzzer that sees which
 * code each input reaches. Without {@code JAZZER_FUZZ=1} it is an ordinary test, of the inputs in the resources.
 */
class NvmeCommandFuzzTest {
    private static final int MOST_BYTES = LocalNvme.MEMORY_BYTES - LocalNvme.DATA + SubmissionEntry.SIZE_BYTES;
    private static final int COMMAND_ID = 0x5a5a;

    /** The first byte says what the namespaces are; an entry follows, then memory that it may point to. */
    @FuzzTest(maxDuration = "5s")
    void anyCommandEndsInAStatus(byte[] input) throws IOException {
        int entry = SubmissionEntry.SIZE_BYTES;
        if (input.length < 1 + entry || input.length > MOST_BYTES) {
            return;
        }
        try (LocalNvme nvme = new LocalNvme(options(input[0] & 3))) {
            MemorySegment bytes = MemorySegment.ofArray(input);
            MemorySegment.copy(bytes, 1, nvme.memory, nvme.next(), entry);
            MemorySegment.copy(bytes, 1 + entry, nvme.memory, LocalNvme.DATA, input.length - 1 - entry);
            int dword0 = nvme.memory.get(JAVA_INT, nvme.next());
            nvme.memory.set(JAVA_INT, nvme.next(), (dword0 & 0xffff) | COMMAND_ID << 16);
            int done = nvme.execute();
            assertThat(done & 0xffff).as("the command is completed").isEqualTo(COMMAND_ID);
            assertThat(done >>> 16 & 1).as("the phase").isEqualTo(1);
        }
    }

    private static NvmeOptions options(int shape) {
        NvmeOptions small = NvmeOptions.DEFAULT.withSizeBytes(1 << 18);
        return switch (shape) {
            case 1 -> small.withMetadata(new NvmeOptions.Metadata(8, true, 1));
            case 2 -> small.withMetadata(new NvmeOptions.Metadata(64, false, 3));
            case 3 -> small.withZones(new NvmeOptions.ZoneLimits(1 << 14, 2, 3));
            default -> small;
        };
    }
}
