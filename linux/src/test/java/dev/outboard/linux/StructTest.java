package dev.outboard.linux;

import static dev.outboard.linux.Struct.bytes;
import static dev.outboard.linux.Struct.u16;
import static dev.outboard.linux.Struct.u32;
import static dev.outboard.linux.Struct.u64;
import static dev.outboard.linux.Struct.u8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class StructTest {
    private static final Struct MIXED = Struct.of("mixed", u8("a"), u32("b"), u16("c"), u64("d"), bytes("e", 3));

    @Test
    void fieldsAreWhereCPutsThem() {
        assertThat(MIXED.fieldNames()).containsExactly("a", "b", "c", "d", "e");
        assertThat(MIXED.offset("b")).isEqualTo(4);
        assertThat(MIXED.offset("c")).isEqualTo(8);
        assertThat(MIXED.offset("d")).isEqualTo(16);
        assertThat(MIXED.offset("e")).isEqualTo(24);
        assertThat(MIXED.byteSize()).isEqualTo(32);
    }

    @Test
    void aPackedStructureHasNoGaps() {
        Struct packed = Struct.packed("packed", u8("a"), u32("b"), u64("c"));
        assertThat(packed.offset("b")).isEqualTo(1);
        assertThat(packed.offset("c")).isEqualTo(5);
        assertThat(packed.byteSize()).isEqualTo(13);
        StructView view = packed.view(MemorySegment.ofArray(new byte[13]));
        assertThat(view.set("c", -2).get("c")).isEqualTo(-2);
    }

    @Test
    void numbersAreReadUnsigned() {
        try (Arena arena = Arena.ofConfined()) {
            StructView view = MIXED.allocate(arena, 8);
            view.set("a", 0xff).set("b", 0xffff_ffffL).set("c", -1).set("d", -1);
            assertThat(view.get("a")).isEqualTo(0xff);
            assertThat(view.get("b")).isEqualTo(0xffff_ffffL);
            assertThat(view.get("c")).isEqualTo(0xffff);
            assertThat(view.get("d")).isEqualTo(-1);
            assertThat(view.getInt("c")).isEqualTo(0xffff);
            assertThatExceptionOfType(ArithmeticException.class).isThrownBy(() -> view.getInt("b"));
            assertThat(view.slice("e").byteSize()).isEqualTo(3);
            view.trailing().set(ValueLayout.JAVA_LONG, 0, 7);
            assertThat(view.segment().get(ValueLayout.JAVA_LONG, 32)).isEqualTo(7);
        }
    }

    @Test
    void aValueThatDoesNotFitIsRefused() {
        StructView view = MIXED.view(MemorySegment.ofArray(new long[4]));
        view.set("a", -128).set("c", -32768).set("b", Integer.MIN_VALUE);
        for (long tooLarge : new long[] {256, -129}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> view.set("a", tooLarge))
                    .withMessageContaining("mixed.a");
        }
        assertThatIllegalArgumentException().isThrownBy(() -> view.set("c", 65536));
        assertThatIllegalArgumentException().isThrownBy(() -> view.set("b", 1L << 32));
    }

    @Test
    void whatIsNotThereIsNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MIXED.offset("z"))
                .withMessage("struct mixed has no field z");
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> MIXED.view(MemorySegment.ofArray(new byte[31])))
                .withMessageContaining("32 bytes");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Struct.of("twice", u8("a"), u8("a")))
                .withMessageContaining("twice.a");
    }

    @Test
    void ioctlNumbersAreComputedFromTheStructure() {
        // The three of <linux/watchdog.h>, <linux/rtc.h> and <linux/fs.h> as printed by C.
        Struct time = Struct.of(
                "rtc_time",
                u32("tm_sec"),
                u32("tm_min"),
                u32("tm_hour"),
                u32("tm_mday"),
                u32("tm_mon"),
                u32("tm_year"),
                u32("tm_wday"),
                u32("tm_yday"),
                u32("tm_isdst"));
        assertThat(Ioctl.ior("RTC_RD_TIME", 'p', 9, time).number()).isEqualTo(0x80247009L);
        assertThat(Ioctl.iow("RTC_SET_TIME", 'p', 10, time).number()).isEqualTo(0x4024700aL);
        assertThat(Ioctl.iowr("WDIOC_SETTIMEOUT", 'W', 6, Struct.of("int", u32("value")))
                        .number())
                .isEqualTo(0xc0045706L);
        assertThat(Ioctl.io("VFIO_GET_API_VERSION", ';', 100).number()).isEqualTo(0x3b64);
    }
}
