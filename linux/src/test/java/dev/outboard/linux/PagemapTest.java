package dev.outboard.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class PagemapTest {
    private static final long PRESENT = 1L << 63;
    private static final long SOFT_DIRTY = 1L << 55;

    @Test
    void theFrameIsTheLowBitsOfAnEntry() throws LinuxException {
        assertThat(Pagemap.frame(PRESENT | SOFT_DIRTY | 0x1234)).isEqualTo(0x1234);
    }

    @Test
    void hiddenAddressesAndAbsentPagesAreExplained() {
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> Pagemap.frame(PRESENT | SOFT_DIRTY))
                .withMessageContaining("without CAP_SYS_ADMIN: run as root, or use VFIO")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EPERM));
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> Pagemap.frame(0x1234))
                .withMessageContaining("populate the mapping first");
    }

    @Test
    void memoryOfThisProcessHasAnAddressOrItIsSaidWhyNot() throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = Mman.anonymous(2 * Mman.pageBytes(), Mman.MAP_PRIVATE | Mman.MAP_POPULATE, arena);
            try {
                long physical = Pagemap.physicalAddress(memory.asSlice(100));
                assertThat(physical % Mman.pageBytes()).isEqualTo(100);
                assertThat(physical).isNotEqualTo(Pagemap.physicalAddress(memory.asSlice(Mman.pageBytes() + 100)));
            } catch (LinuxException e) {
                assertThat(e.errno()).isEqualTo(Errno.EPERM);
            }
        }
        MemorySegment nowhere = MemorySegment.ofAddress(0x1000);
        assertThatExceptionOfType(LinuxException.class).isThrownBy(() -> Pagemap.physicalAddress(nowhere));
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> Pagemap.physicalAddress(MemorySegment.ofAddress(Long.MAX_VALUE)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Pagemap.physicalAddress(MemorySegment.ofArray(new byte[1])));
    }
}
