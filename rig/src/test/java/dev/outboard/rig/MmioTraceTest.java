package dev.outboard.rig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MmioTraceTest {
    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void writeATrace() throws IOException {
        file = Files.writeString(folder.resolve("trace.log"), """
                memory_region_ops_write cpu -1 mr 0x55bab97a1790 addr 0xfee002b8 value 0x0 size 4 name 'vtd-ir'
                memory_region_ops_write cpu 0 mr 0x55bab9f68ff0 addr 0xfe600004 value 0xb0b0 size 4 name 'edu-mmio'
                memory_region_ops_read cpu 1 mr 0x55bab9f68ff0 addr 0xfe600000 value 0x10000ed size 4 name 'edu-mmio'
                some other message
                memory_region_ops_write cpu 1 mr 0x1 addr 0xfe601000 value 0xffffffffffffffff size 8 name 'nvme'
                memory_region_ops_write cpu 0 mr 0x55bab9f68ff0 addr 0xfe600004 value 0xe0e0 size 4 name 'edu-mmio'
                """);
    }

    @Test
    void everyFieldOfALineIsRead() throws IOException {
        assertThat(MmioTrace.read(file).accesses())
                .hasSize(5)
                .contains(new MmioAccess(
                        MmioAccess.Kind.READ, 1, 0x55bab9f68ff0L, "edu-mmio", 0xfe600000L, 0x10000edL, 4))
                .contains(new MmioAccess(MmioAccess.Kind.WRITE, 1, 1, "nvme", 0xfe601000L, -1, 8));
    }

    @Test
    void regionsAndRangesAreCutOut() throws IOException {
        assertThat(MmioTrace.read(file, "edu-mmio").accesses()).hasSize(3);
        assertThat(MmioTrace.read(file).region("nvme").accesses()).hasSize(1);
        assertThat(MmioTrace.read(file).range(0xfe600000L, 0x1000).accesses()).hasSize(3);
    }

    @Test
    void whatLiesBetweenTwoMarksIsCutOut() throws IOException {
        MmioTrace trace = MmioTrace.read(file);
        assertThat(trace.between(a -> a.isWriteOf("edu-mmio", 0xb0b0), a -> a.isWriteOf("edu-mmio", 0xe0e0))
                        .accesses())
                .extracting(MmioAccess::region)
                .containsExactly("edu-mmio", "nvme");
        assertThatThrownBy(() -> trace.between(a -> a.isWriteOf("edu-mmio", 0xe0e0), a -> a.isWriteOf("edu-mmio", 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("end");
    }
}
