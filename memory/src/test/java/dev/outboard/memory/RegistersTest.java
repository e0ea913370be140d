package dev.outboard.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.outboard.linux.DevicePages;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import dev.outboard.memory.Register.Access;
import dev.outboard.memory.Registers.MappedArea;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RegistersTest {
    private static final int SIZE = 0x100;

    private final Arena arena = Arena.ofConfined();
    private final Fd device;
    private final DevicePages pages;
    /** What the device has, seen otherwise. */
    private final MemorySegment memory;

    private final AtomicInteger allOnes = new AtomicInteger();
    private final RecordingAccess access = new RecordingAccess();
    private final Registers mapped;

    RegistersTest() throws LinuxException {
        device = Fd.memfd("device", SIZE);
        pages = DevicePages.map(device, 0, SIZE, true);
        memory = device.mmap(0, SIZE, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, arena);
        mapped = Registers.mapped("bar0", pages, allOnes::incrementAndGet);
    }

    private Registers inMemory() {
        return Registers.in("bar0", arena.allocate(SIZE, 8), allOnes::incrementAndGet);
    }

    private Registers unmapped() {
        return Registers.unmapped("bar1", SIZE, access, List.of(), allOnes::incrementAndGet);
    }

    @AfterEach
    void close() {
        pages.close();
        arena.close();
        device.close();
    }

    @Test
    void everyWidthIsLittleEndianAndTouchesNothingElse() {
        for (Registers registers : List.of(mapped, inMemory(), unmapped())) {
            registers.write64(0x10, 0x1122_3344_5566_7788L);
            assertThat(registers.read8(0x10)).isEqualTo((byte) 0x88);
            assertThat(registers.read8(0x17)).isEqualTo((byte) 0x11);
            assertThat(registers.read16(0x12)).isEqualTo((short) 0x5566);
            assertThat(registers.read32(0x14)).isEqualTo(0x1122_3344);
            registers.write32(0x10, -2);
            registers.write16(0x14, (short) -3);
            registers.write8(0x17, (byte) -4);
            assertThat(registers.read64(0x10)).isEqualTo(0xfc22_fffd_ffff_fffeL);
            assertThat(registers.read64(0x08)).isZero();
            assertThat(registers.read64(0x18)).isZero();
        }
        assertThat(memory.get(JAVA_LONG, 0x10)).isEqualTo(0xfc22_fffd_ffff_fffeL);
    }

    @Test
    void anOffsetOutsideIsRefusedAndReachesNoDevice() {
        for (Registers registers : List.of(
                mapped,
                inMemory(),
                unmapped(),
                mapped.slice(0, SIZE),
                unmapped().slice(0, SIZE))) {
            for (long outside : new long[] {SIZE, -8, Long.MIN_VALUE, Long.MAX_VALUE - 7}) {
                assertOutside(() -> registers.read8(outside));
                assertOutside(() -> registers.read64(outside));
                assertOutside(() -> registers.write8(outside, (byte) 0));
                assertOutside(() -> registers.write32(outside, 0));
            }
            assertOutside(() -> registers.read64(SIZE - 4));
            assertOutside(() -> registers.write16(SIZE, (short) 0));
        }
        assertThat(access.accesses()).isEmpty();
    }

    private static void assertOutside(Runnable body) {
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(body::run);
    }

    @Test
    void anOffsetThatIsNoMultipleOfTheWidthIsRefused() {
        for (Registers registers : List.of(
                mapped, inMemory(), unmapped(), mapped.slice(8, 16), unmapped().slice(8, 16))) {
            assertThatIllegalArgumentException().isThrownBy(() -> registers.read16(1));
            assertThatIllegalArgumentException().isThrownBy(() -> registers.read32(2));
            assertThatIllegalArgumentException().isThrownBy(() -> registers.read64(4));
            assertThatIllegalArgumentException().isThrownBy(() -> registers.write16(3, (short) 0));
            assertThatIllegalArgumentException().isThrownBy(() -> registers.write32(5, 0));
            assertThatIllegalArgumentException().isThrownBy(() -> registers.write64(1, 0));
        }
        // What counts is the place in the region, not in the slice.
        assertThatIllegalArgumentException()
                .isThrownBy(() -> unmapped().slice(4, 16).read64(0))
                .withMessageContaining("0x4 of bar1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> mapped.slice(4, 16).read64(0));
        assertThat(access.accesses()).isEmpty();
    }

    @Test
    void everyReadOfAllOnesIsReported() {
        for (Registers registers : List.of(mapped, inMemory(), unmapped())) {
            allOnes.set(0);
            registers.write64(0, -1);
            registers.read8(0);
            registers.read16(0);
            registers.read32(0);
            assertThat(allOnes).hasValue(3);
            assertThat(registers.read64(0)).isEqualTo(-1);
            assertThat(allOnes).hasValue(4);
            registers.slice(0, 8).read32(4);
            assertThat(allOnes).hasValue(5);
            registers.write32(4, 0x7fff_ffff);
            registers.read64(0);
            registers.read32(4);
            registers.read16(6);
            assertThat(allOnes).hasValue(5);
        }
    }

    @Test
    void anUnmappedAccessIsOneCallOfItsWidthAtItsPlace() {
        Registers registers = unmapped();
        registers.read8(1);
        registers.read8(1);
        registers.write16(2, (short) -1);
        registers.slice(0x40, 0x40).slice(0x10, 0x10).read64(8);
        registers.write64(8, 1);
        registers.read32(4);
        assertThat(access.accesses().stream().map(Object::toString))
                .containsExactly("read 0x1 1", "read 0x1 1", "write 0x2 2", "read 0x58 8", "write 0x8 8", "read 0x4 4");
    }

    @Test
    void aMappedAreaIsUsedBySlicesThatLieInIt() {
        Registers registers = Registers.unmapped(
                "bar1", 2 * SIZE, access, List.of(new MappedArea(0x40, pages)), allOnes::incrementAndGet);
        assertThat(registers.isMapped()).isFalse();
        Registers inside = registers.slice(0x48, 0x18);
        assertThat(inside.isMapped()).isTrue();
        inside.write32(4, 77);
        assertThat(memory.get(JAVA_BYTE, 0x0c)).isEqualTo((byte) 77);
        assertThat(access.accesses()).isEmpty();
        for (Registers outside : List.of(
                registers.slice(0x3c, 8),
                registers.slice(0x13c, 8),
                registers.slice(0x140, 8),
                registers.slice(0, SIZE))) {
            assertThat(outside.isMapped()).as("%s", outside).isFalse();
        }
        // A slice of a slice too, and what is mapped stays mapped.
        assertThat(registers.slice(0x38, 0x20).slice(8, 8).isMapped()).isTrue();
        assertThat(inside.slice(8, 8).isMapped()).isTrue();
        inside.slice(8, 8).write8(0, (byte) 5);
        assertThat(memory.get(JAVA_BYTE, 0x10)).isEqualTo((byte) 5);
    }

    @Test
    void aSliceStartsAnywhere() {
        memory.set(JAVA_LONG, 8, 0x1122_3344_5566_7788L);
        Registers odd = mapped.slice(0xb, 5);
        assertThat(odd.read8(0)).isEqualTo((byte) 0x55);
        assertThat(odd.read32(1)).isEqualTo(0x1122_3344);
        assertThat(odd.slice(1, 4).read16(2)).isEqualTo((short) 0x1122);
        odd.slice(1, 4).write32(0, 7);
        assertThat(memory.get(JAVA_LONG, 8)).isEqualTo(0x7_5566_7788L);
        assertThatIllegalArgumentException().isThrownBy(() -> odd.read32(0)).withMessageContaining("0xb of bar0");
    }

    @Test
    void whatIsMappedForReadingOnlyIsNotWritten() throws LinuxException {
        try (DevicePages readOnly = DevicePages.map(device, 0, SIZE, false)) {
            Registers registers = Registers.mapped("bar0", readOnly, allOnes::incrementAndGet);
            for (Registers some : List.of(registers, registers.slice(8, 8))) {
                assertThat(some.read64(0)).isZero();
                assertThatExceptionOfType(UnsupportedOperationException.class)
                        .isThrownBy(() -> some.write8(0, (byte) 1))
                        .withMessageContaining("for reading only");
                assertOutside(() -> some.write64(SIZE, 0));
            }
        }
    }

    @Test
    void aClosedDeviceReadsAllOnesAndIsOutOfReach() {
        Registers part = mapped.slice(8, 8);
        pages.close();
        assertThat(mapped.read64(SIZE - 8)).isEqualTo(-1);
        assertThat(part.read32(4)).isEqualTo(-1);
        assertThat(allOnes).hasValue(2);
        part.write64(0, 1);
        assertThat(memory.get(JAVA_LONG, 8)).isZero();
    }

    @Test
    void aSliceThatDoesNotFitIsRefused() {
        for (Registers registers : List.of(mapped, inMemory(), unmapped())) {
            assertOutside(() -> registers.slice(0, SIZE + 1));
            assertOutside(() -> registers.slice(-1, 1));
            assertOutside(() -> registers.slice(8, Long.MAX_VALUE));
            assertThat(registers.slice(SIZE, 0).sizeBytes()).isZero();
        }
    }

    @Test
    void aSliceIsNamedByItsPlaceInTheRegion() {
        assertThat(mapped).hasToString("bar0 (256 bytes, mapped)");
        assertThat(mapped.slice(0x40, 0x40).slice(0x10, 8)).hasToString("bar0+0x50 (8 bytes, mapped)");
        assertThat(unmapped().slice(0x40, 8)).hasToString("bar1+0x40 (8 bytes)");
    }

    @Test
    void aDefinedRegisterIsAccessedInItsWidthAndReadUnsigned() {
        Registers registers = unmapped();
        for (int widthBits : new int[] {8, 16, 32, 64}) {
            Register register = Register.of("R" + widthBits, 0x20, widthBits, Access.READ_WRITE, "1.2");
            registers.write(register, -1);
            assertThat(registers.read(register)).isEqualTo(-1L >>> (64 - widthBits));
        }
        assertThat(access.accesses().stream().map(RecordingAccess.Access::widthBytes))
                .containsExactly(1, 1, 2, 2, 4, 4, 8, 8);
    }
}
