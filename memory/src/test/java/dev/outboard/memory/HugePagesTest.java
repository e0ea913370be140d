package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What can be shown of huge pages and dma-bufs without any; the rest is in pci's DmaRoundTripTest. */
class HugePagesTest {
    private static final long HUGE = 2 << 20;
    private static final Path UDMABUF = Path.of("/dev/udmabuf");

    @Test
    void sizesThatCannotBeAreRefused() throws IOException {
        for (long size : new long[] {0, -1, 4096, HUGE + 1, Long.MIN_VALUE}) {
            assertThatIllegalArgumentException().isThrownBy(() -> HugePages.ofSize(size));
        }
        try (HugePages source = HugePages.ofSize(HUGE)) {
            for (long size : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
                assertThatIllegalArgumentException().isThrownBy(() -> source.buffer(size));
            }
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> source.supply(HUGE + 1, DmaLimits.NONE))
                    .withMessageContaining("take larger pages, or a buffer with a scatter list");
            try (Fd file = Fd.memfd("no IOMMU", HUGE)) {
                assertThatExceptionOfType(UnsupportedOperationException.class)
                        .isThrownBy(() -> source.map(file, DmaLimits.NONE, null));
            }
        }
    }

    @Test
    void pagesThatAreNotSetAsideAreExplained() {
        // No machine has that many.
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> HugePages.ofSize(HUGE).buffer(1L << 45))
                .withMessageContaining("sysctl vm.nr_hugepages=N")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));
    }

    @Test
    void dmaBufsThatCannotBeAreRefused() {
        for (long size : new long[] {0, -4096, 1, 4097, Long.MIN_VALUE, Long.MAX_VALUE}) {
            assertThatIllegalArgumentException().isThrownBy(() -> DmaBuf.create(size));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> DmaBuf.create(4096, HUGE));
        assertThatIllegalArgumentException().isThrownBy(() -> DmaBuf.create(4096, 4096));
        assertThatIllegalArgumentException().isThrownBy(() -> DmaBuf.create(4096, -1));
    }

    @Test
    void aKernelWithoutDmaBufsOfMemfdsIsExplained() {
        assumeFalse(Files.exists(UDMABUF), "this kernel has /dev/udmabuf");
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> DmaBuf.create(4096))
                .withMessageContaining("open /dev/udmabuf")
                .withMessageContaining("this kernel has no CONFIG_UDMABUF");
    }
}
