package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.outboard.emulation.fault.FaultGenerator;
import dev.outboard.emulation.fault.FaultInjector;
import dev.outboard.emulation.fault.FaultPlan;
import dev.outboard.emulation.fault.FaultRule;
import dev.outboard.emulation.fault.FaultTarget;
import dev.outboard.emulation.interpose.InterposedFunction;
import dev.outboard.emulation.recording.Recorder;
import dev.outboard.memory.DmaMemory;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * The driver under a fault at each place that it touches, one at a time: it ends with verified data or with an error that
 * it reports, soon, and its controller is as new for the next. A slice is tried, of another seed each time;
 * {@code -Doutboard.faults=all} tries all, {@code -Doutboard.faults.seed=N} one seed again.
 */
abstract class NvmeFaultCampaign {
    private static final int REQUESTS = 24;
    private static final Duration SHORT = Duration.ofMillis(250);
    /** Far above all deadlines of the driver together: what takes so long hangs. */
    private static final Duration HANGS = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    /** Where the controller is; it serves one client after another. */
    abstract String address();

    /** How many rules are tried, unless all are. */
    abstract int slice();

    @TestFactory
    Stream<DynamicTest> everyFaultEndsWithVerifiedDataOrWithAnError() throws IOException {
        long seed = Long.getLong("outboard.faults.seed", System.nanoTime() & 0xffff);
        Path recording = directory.resolve("recording");
        try (NvmeController controller = Nvme.open(Recorder.record(Pci.open(address()), recording))) {
            load(controller, seed);
        }
        List<FaultRule> all = FaultGenerator.generate(recording, seed).rules();
        int step = "all".equals(System.getProperty("outboard.faults")) ? 1 : Math.max(1, all.size() / slice());
        int first = new Random(seed).nextInt(step);
        return Stream.iterate(first, i -> i < all.size(), i -> i + step)
                .map(i -> dynamicTest("seed " + seed + ": " + all.get(i), () -> survives(all.get(i), seed)));
    }

    private void survives(FaultRule rule, long seed) {
        assertTimeoutPreemptively(HANGS, () -> {
            FaultPlan plan = new FaultPlan(seed, List.of(rule));
            try {
                PciFunction function = new InterposedFunction(Pci.open(address()), new FaultInjector(plan));
                try (NvmeController controller = Nvme.open(function, NvmeSettings.DEFAULT.withCommandTimeout(SHORT))) {
                    load(controller, seed);
                }
            } catch (IOException reported) {
                assertThat(reported.getMessage()).containsAnyOf(address(), "as a fault rule says");
            } catch (WrongDataException wrong) {
                // The driver cannot know what data should be that the device changes on their way.
                if (rule.target().kind() != FaultTarget.Kind.DMA_IN
                        && rule.target().kind() != FaultTarget.Kind.DMA_OUT) {
                    throw wrong;
                }
            }
            try (NvmeController controller = Nvme.open(address())) {
                load(controller, seed + 1);
            }
        });
    }

    /** Data that nobody wrote. */
    private static final class WrongDataException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        WrongDataException(String message) {
            super(message);
        }
    }

    private static void load(NvmeController controller, long seed) throws IOException {
        if (controller.namespaces().isEmpty()) {
            // A fault that hides the namespaces: there is nothing to verify.
            return;
        }
        NvmeNamespace namespace = controller.namespaces().getFirst();
        for (Waiting waiting : Waiting.values()) {
            try (QueuePair queue = controller.createQueuePair(4, waiting);
                    DmaMemory written = controller.dma().allocate(namespace.blockSizeBytes());
                    DmaMemory read = controller.dma().allocate(namespace.blockSizeBytes())) {
                for (int i = 0; i < REQUESTS; i++) {
                    long pattern = seed << Integer.SIZE | i;
                    written.segment().set(ValueLayout.JAVA_LONG, 0, pattern);
                    queue.write(namespace, i, written).await(SHORT);
                    queue.read(namespace, i, read).await(SHORT);
                    long found = read.segment().get(ValueLayout.JAVA_LONG, 0);
                    if (found != pattern) {
                        throw new WrongDataException("block " + i + " has 0x" + Long.toHexString(found) + ", 0x"
                                + Long.toHexString(pattern) + " was written");
                    }
                }
            }
        }
    }
}
