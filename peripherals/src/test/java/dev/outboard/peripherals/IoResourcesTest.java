package dev.outboard.peripherals;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class IoResourcesTest {
    private static final IoResources MEMORY =
            IoResources.parse("/proc/iomem", """
            00000000-00000fff : Reserved
            00001000-0009fbff : System RAM
            c0000000-febfffff : PCI Bus 0000:00
              fe600000-fe6fffff : 0000:00:06.0
              fe740000-fe743fff : 0000:00:04.0
                fe740000-fe743fff : nvme
            nonsense
            fed00000-fed003ff : HPET 0
              fed00000-fed003ff : PNP0103:00
            100000000-17fffffff : System RAM
              14f200000-1501fffff : Kernel code
            fd00000000-ffffffffff : Reserved
            """.lines().toList());

    private static List<String> names(long start, long length) {
        return MEMORY.overlapping(start, length).stream().map(IoResource::name).toList();
    }

    @Test
    void aRangeIsWhatItTouchesOuterBeforeInner() {
        assertThat(names(0xfe74_0000L, 1)).containsExactly("PCI Bus 0000:00", "0000:00:04.0", "nvme");
        assertThat(names(0xfe74_3fffL, 1)).contains("nvme");
        assertThat(names(0xfe74_4000L, 1)).containsExactly("PCI Bus 0000:00");
        assertThat(names(0xfff, 2)).containsExactly("Reserved", "System RAM");
        assertThat(names(0xa_0000, 0x1000)).isEmpty();
        assertThat(MEMORY.isKnown()).isTrue();
    }

    @Test
    void busesFunctionsAndWhatIsReservedAreInNobodysUse() {
        assertThat(MEMORY.user(0xfe60_0000L, 4)).isEmpty();
        assertThat(MEMORY.user(0xfd_0000_0000L, 4)).isEmpty();
        assertThat(MEMORY.user(0xa_0000, 4)).isEmpty();
        assertThat(MEMORY.user(0xfe74_0000L, 4))
                .hasValueSatisfying(user -> assertThat(user).hasToString("0xfe740000-0xfe743fff (nvme)"));
        assertThat(MEMORY.user(0xfe6f_fff0L, 0x10_0000))
                .hasValueSatisfying(user -> assertThat(user.name()).isEqualTo("nvme"));
        assertThat(MEMORY.user(0xfed0_0000L, 4))
                .hasValueSatisfying(user -> assertThat(user.name()).isEqualTo("PNP0103:00"));
    }

    @Test
    void ramIsRamWhateverLiesInIt() {
        assertThat(MEMORY.overlapping(0x1_4f20_0000L, 1)).anyMatch(IoResource::isRam);
        assertThat(MEMORY.overlapping(0xfe60_0000L, 4)).noneMatch(IoResource::isRam);
    }

    @Test
    void whoIsNotToldTheAddressesKnowsIt() {
        IoResources hidden = IoResources.parse(
                "/proc/iomem", List.of("00000000-00000000 : System RAM", "00000000-00000000 : PCI Bus 0000:00"));
        assertThat(hidden.isKnown()).isFalse();
        assertThat(IoResources.parse("/proc/iomem", List.of()).isKnown()).isFalse();
    }
}
