package dev.outboard.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DevicePagesTest {
    private static final long MIB = 1 << 20;
    private static final int ROUNDS = 10_000;
    private static final int FEW = 100;

    @ParameterizedTest
    @ValueSource(longs = {1, 4096, 5000, 2 * MIB, 5 * MIB + 1})
    void whatIsClosedReadsAllOnesUpToItsEndAndIsWrittenInVain(long length) throws LinuxException {
        try (Fd file = Fd.memfd("device", length);
                Arena arena = Arena.ofConfined()) {
            MemorySegment device = file.mmap(0, length, Mman.PROT_READ, Mman.MAP_SHARED, arena);
            for (boolean writable : new boolean[] {true, false}) {
                DevicePages pages = DevicePages.map(file, 0, length, writable);
                assertThat(pages.isWritable()).isEqualTo(writable);
                MemorySegment seen = MemorySegment.ofAddress(pages.address()).reinterpret(length);
                assertThat(seen.mismatch(device)).isEqualTo(-1);
                pages.close();
                pages.close();
                for (long at : new long[] {0, length / 2, length - 1}) {
                    assertThat(seen.get(ValueLayout.JAVA_BYTE, at)).isEqualTo((byte) -1);
                }
                if (writable) {
                    seen.set(ValueLayout.JAVA_BYTE, length - 1, (byte) 3);
                    assertThat(seen.get(ValueLayout.JAVA_BYTE, length - 1)).isEqualTo((byte) 3);
                    assertThat(device.get(ValueLayout.JAVA_BYTE, length - 1)).isZero();
                }
                assertThat(pages.byteSize()).isEqualTo(length);
            }
        }
    }

    @Test
    void memoryThatIsClosedReadsZerosAndItsSegmentDies() throws LinuxException {
        try (Fd file = Fd.memfd("memory", 2 * MIB)) {
            Arena arena = Arena.ofShared();
            DevicePages pages = DevicePages.mapMemory(file, 0, 2 * MIB);
            MemorySegment segment = pages.segment(arena);
            MemorySegment lasting = pages.segment();
            segment.set(ValueLayout.JAVA_BYTE, 5, (byte) 7);
            assertThat(lasting.get(ValueLayout.JAVA_BYTE, 5)).isEqualTo((byte) 7);
            arena.close();
            assertThat(lasting.get(ValueLayout.JAVA_BYTE, 5)).isZero();
            lasting.set(ValueLayout.JAVA_BYTE, 2 * MIB - 1, (byte) 3);
            assertThat(lasting.get(ValueLayout.JAVA_BYTE, 2 * MIB - 1)).isEqualTo((byte) 3);
            assertThatIllegalStateException().isThrownBy(() -> segment.get(ValueLayout.JAVA_BYTE, 5));
        }
    }

    @Test
    void roundsOfOpeningAndClosingLeaveNoDescriptorAndFewMappings() throws IOException {
        for (int i = 0; i < ROUNDS; i++) {
            try (Fd file = Fd.memfd("device-of-rounds", Mman.pageBytes());
                    DevicePages pages = DevicePages.map(file, 0, Mman.pageBytes(), true)) {
                assertThat(pages.address()).isPositive();
            }
        }
        assertThat(descriptors()).isEmpty();
        // The collector takes them down, on a thread of its own: it is asked again until it has.
        do {
            System.gc();
            Thread.onSpinWait();
        } while (mappings() > FEW);
    }

    private static List<Path> descriptors() throws IOException {
        try (var all = Files.list(Path.of("/proc/self/fd"))) {
            return all.filter(DevicePagesTest::isOurs).toList();
        }
    }

    private static boolean isOurs(Path descriptor) {
        try {
            String target = Files.readSymbolicLink(descriptor).toString();
            return target.contains("device-of-rounds") || target.contains("outboard-closed-device");
        } catch (IOException e) {
            // Closed since it was listed, by another thread of the JVM.
            return false;
        }
    }

    private static int mappings() throws IOException {
        return (int) Files.readAllLines(Path.of("/proc/self/maps")).stream()
                .filter(line -> line.contains("outboard-closed-device"))
                .count();
    }

    @Test
    void whatTheKernelRefusesIsAnError() throws LinuxException {
        try (Fd file = Fd.memfd("device", 4096)) {
            for (long[] wrong : List.of(new long[] {0, 0}, new long[] {1, 4096}, new long[] {0, -1})) {
                assertThatExceptionOfType(LinuxException.class)
                        .isThrownBy(() -> DevicePages.map(file, wrong[0], wrong[1], true))
                        .withMessageContaining("memfd:device");
            }
        }
    }
}
