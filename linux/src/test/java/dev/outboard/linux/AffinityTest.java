package dev.outboard.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

class AffinityTest {
    /** On a thread of its own: what it is pinned to ends with it. */
    private static <T> T onAThread(Callable<T> body) throws Exception {
        FutureTask<T> task = new FutureTask<>(body);
        Thread.ofPlatform().start(task);
        return task.get();
    }

    @Test
    void theAllowedProcessorsAreThoseThatTheKernelShows() throws Exception {
        BitSet allowed = onAThread(() -> {
            String list = Files.readAllLines(Path.of("/proc/thread-self/status")).stream()
                    .filter(line -> line.startsWith("Cpus_allowed_list:"))
                    .map(line -> line.replaceAll("Cpus_allowed_list:|\\s", ""))
                    .findFirst()
                    .orElseThrow();
            BitSet cpus = new BitSet();
            for (String range : list.split(",", -1)) {
                String[] ends = range.split("-", -1);
                cpus.set(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]) + 1);
            }
            return cpus;
        });
        assertThat(onAThread(Affinity::get)).isEqualTo(allowed);
    }

    @Test
    void aPinnedThreadMayRunOnThatProcessorAlone() throws Exception {
        int cpu = Affinity.get().length() - 1;
        BitSet after = onAThread(() -> {
            Affinity.pin(cpu);
            return Affinity.get();
        });
        assertThat(after.stream()).containsExactly(cpu);
        BitSet all = Affinity.get();
        BitSet again = onAThread(() -> {
            Affinity.pin(cpu);
            Affinity.set(all);
            return Affinity.get();
        });
        assertThat(again).isEqualTo(all);
    }

    @Test
    void aProcessorThatIsNotThereIsRefusedWithThoseThatAre() throws Exception {
        for (int missing : new int[] {8191, 100_000, -1}) {
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(() -> Affinity.pin(missing))
                    .withMessageContaining("CPU " + missing)
                    .withMessageEndingWith("allowed here: " + Affinity.get())
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        }
    }
}
