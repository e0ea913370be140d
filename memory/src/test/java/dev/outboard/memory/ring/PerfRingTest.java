package dev.outboard.memory.ring;

import static dev.outboard.linux.uapi.PerfEvents.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PerfRingTest {
    private static final long MILLISECOND_OF_CLOCK = 1_000_000;
    private static final PerfRing.Event CLOCK = new PerfRing.Event(
            PERF_TYPE_SOFTWARE,
            PERF_COUNT_SW_CPU_CLOCK,
            MILLISECOND_OF_CLOCK,
            PERF_SAMPLE_IP | PERF_SAMPLE_TID,
            FLAG_DISABLED | FLAG_EXCLUDE_KERNEL | FLAG_EXCLUDE_HV);
    private static final PerfRing.Event DUMMY = new PerfRing.Event(
            PERF_TYPE_SOFTWARE,
            PERF_COUNT_SW_DUMMY,
            0,
            0,
            FLAG_DISABLED
                    | FLAG_COMM
                    | FLAG_TASK
                    | FLAG_MMAP
                    | FLAG_CONTEXT_SWITCH
                    | FLAG_EXCLUDE_KERNEL
                    | FLAG_EXCLUDE_HV);

    private static PerfRing open(PerfRing.Event event, int pages) throws IOException {
        try {
            return PerfRing.open(event, 0, -1, pages);
        } catch (LinuxException e) {
            if (List.of(Errno.EACCES, Errno.EPERM, Errno.ENOSYS, Errno.ENOENT, Errno.EOPNOTSUPP)
                    .contains(e.errno())) {
                return abort("this kernel does not let us: " + e.getMessage());
            }
            throw e;
        }
    }

    private static void name(String name) throws IOException {
        Files.writeString(Path.of("/proc/thread-self/comm"), name);
    }

    @Test
    void namesOfThisThreadAreRecordedAroundTheEndOfTheRing() throws IOException {
        try (PerfRing ring = open(DUMMY, 1)) {
            ring.enable();
            List<String> names = new ArrayList<>();
            // A record has 24 bytes and more: enough of them go round the page several times.
            for (int i = 0; i < 1000; i++) {
                name("outboard-" + i);
                ring.poll(
                        (type, memory, at, length) -> {
                            if (type == PERF_RECORD_COMM) {
                                assertThat(memory.get(ValueLayout.JAVA_INT, at))
                                        .isEqualTo((int) ProcessHandle.current().pid());
                                names.add(memory.getString(at + 8, StandardCharsets.UTF_8));
                            }
                        },
                        100);
            }
            assertThat(names).hasSize(1000).endsWith("outboard-999");
            assertThat(ring.lost()).isZero();
        } finally {
            name("main");
        }
    }

    @Test
    void mappingsOfExecutableMemoryAreRecorded() throws IOException {
        try (PerfRing ring = open(DUMMY, 8);
                Fd file = Fd.memfd("code", 4096);
                Arena arena = Arena.ofConfined()) {
            ring.enable();
            int executable = 4;
            long address = file.mmap(0, 4096, Mman.PROT_READ | executable, Mman.MAP_PRIVATE, arena)
                    .address();
            ring.disable();
            List<Long> addresses = new ArrayList<>();
            ring.poll(
                    (type, memory, at, length) -> {
                        if (type == PERF_RECORD_MMAP) {
                            addresses.add(memory.get(ValueLayout.JAVA_LONG, at + 8));
                        }
                    },
                    1000);
            assertThat(addresses).contains(address);
        }
    }

    @Test
    void samplesOfTheClockWakeWhoWaits() throws IOException {
        try (PerfRing ring = open(CLOCK, 8)) {
            ring.enable();
            List<Long> places = new ArrayList<>();
            long value = 1;
            while (places.isEmpty()) {
                for (int i = 0; i < 1_000_000; i++) {
                    value = value * 6364136223846793005L + 1;
                }
                ring.await(
                        (type, memory, at, length) -> {
                            if (type == PERF_RECORD_SAMPLE) {
                                assertThat(length).isEqualTo(16);
                                assertThat(memory.get(ValueLayout.JAVA_INT, at + 8))
                                        .isEqualTo((int) ProcessHandle.current().pid());
                                places.add(memory.get(ValueLayout.JAVA_LONG, at));
                            }
                        },
                        10,
                        Duration.ofMillis(1));
            }
            assertThat(places).allMatch(place -> place != 0);
            assertThat(value).isNotEqualTo(1);
        }
    }

    @Test
    void whatTheKernelHadNoRoomForIsCounted() throws IOException {
        try (PerfRing ring = open(DUMMY, 1)) {
            ring.enable();
            int named = 0;
            List<Integer> types = new ArrayList<>();
            for (; named < 1000; named++) {
                name("lost-" + named);
            }
            ring.poll((type, memory, at, length) -> types.add(type), 1000);
            // The kernel says what was lost with the next record that fits.
            name("after");
            named++;
            ring.poll((type, memory, at, length) -> types.add(type), 1000);
            assertThat(types).contains(PERF_RECORD_LOST);
            long seen = types.stream().filter(type -> type == PERF_RECORD_COMM).count();
            assertThat(seen).isLessThan(named);
            // Switches of this thread are lost too.
            assertThat(seen + ring.lost()).isGreaterThanOrEqualTo(named);
        } finally {
            name("main");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 3, 1 << 19, Integer.MIN_VALUE})
    void aSizeThatCannotBeIsRefused(int pages) {
        assertThatThrownBy(() -> PerfRing.open(DUMMY, 0, -1, pages))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("power of two");
    }

    @Test
    void anEventThatCannotBeIsAnError() {
        PerfRing.Event none = new PerfRing.Event(PERF_TYPE_SOFTWARE, 1 << 20, 0, 0, FLAG_EXCLUDE_KERNEL);
        assertThatThrownBy(() -> PerfRing.open(none, 0, -1, 1)).isInstanceOf(LinuxException.class);
    }

    @Test
    void aClosedRingSaysSo() throws IOException {
        PerfRing ring = open(DUMMY, 1);
        assertThatThrownBy(() -> ring.poll(new Records(), 0)).isInstanceOf(IllegalArgumentException.class);
        ring.close();
        ring.close();
        assertThatThrownBy(() -> ring.poll(new Records(), 1)).hasMessageContaining("closed");
    }
}
