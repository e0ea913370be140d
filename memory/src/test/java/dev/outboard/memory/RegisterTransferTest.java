package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RegisterTransferTest {
    private static final int SIZE = 0x100;

    private final RecordingAccess device = new RecordingAccess();
    private final Registers unmapped = Registers.unmapped("bar0", SIZE, device, List.of(), () -> {});

    private static byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        new Random(count).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 16, 32, 64})
    void aBlockIsMovedInAccessesOfOneWidthInOrder(int widthBits) {
        byte[] data = bytes(64);
        RegisterTransfer transfer = RegisterTransfer.of(unmapped, widthBits);
        transfer.write(0x40, MemorySegment.ofArray(data));
        int width = widthBits / 8;
        assertThat(device.accesses()).hasSize(64 / width);
        for (int i = 0; i < 64 / width; i++) {
            assertThat(device.accesses().get(i))
                    .hasToString("write 0x" + Integer.toHexString(0x40 + i * width) + " " + width);
        }
        byte[] back = new byte[65];
        // The memory side may lie anywhere.
        transfer.read(0x40, MemorySegment.ofArray(back).asSlice(1));
        assertThat(back).endsWith(data);
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 16, 32, 64})
    void aFifoIsOneRegister(int widthBits) {
        byte[] data = bytes(32);
        RegisterTransfer transfer = RegisterTransfer.of(unmapped, widthBits);
        int width = widthBits / 8;
        transfer.writeFifo(0xf8, MemorySegment.ofArray(data));
        byte[] back = new byte[32];
        transfer.readFifo(0xf8, MemorySegment.ofArray(back));
        assertThat(device.accesses()).hasSize(2 * 32 / width);
        assertThat(device.accesses())
                .allSatisfy(access -> assertThat(access.toString()).endsWith(" 0xf8 " + width));
        for (int i = 0; i < 32; i++) {
            assertThat(back[i]).as("byte %d", i).isEqualTo(data[32 - width + i % width]);
        }
    }

    @Test
    void mappedRegistersAreMovedTheSame() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(SIZE, 8);
            Registers mapped = Registers.in("bar0", memory, () -> {});
            byte[] data = bytes(SIZE);
            RegisterTransfer.of(mapped, 32).write(0, MemorySegment.ofArray(data));
            assertThat(memory.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(data);
        }
    }

    @Test
    void aTransferThatDoesNotFitReachesNoDevice() {
        RegisterTransfer transfer = RegisterTransfer.of(unmapped, 32);
        MemorySegment memory = MemorySegment.ofArray(new byte[16]);
        for (long outside : new long[] {-4, SIZE - 12, SIZE, Long.MAX_VALUE - 3, Long.MIN_VALUE}) {
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> transfer.read(outside, memory));
            assertThatExceptionOfType(IndexOutOfBoundsException.class)
                    .isThrownBy(() -> transfer.write(outside, memory));
        }
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> transfer.readFifo(SIZE, memory));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> transfer.writeFifo(-4, memory));
        assertThatIllegalArgumentException().isThrownBy(() -> transfer.read(2, memory));
        assertThatIllegalArgumentException().isThrownBy(() -> transfer.writeFifo(1, memory));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> transfer.write(0, memory.asSlice(0, 15)))
                .withMessageContaining("15 bytes");
        assertThatIllegalArgumentException().isThrownBy(() -> transfer.read(0, memory.asReadOnly()));
        assertThatIllegalArgumentException().isThrownBy(() -> transfer.readFifo(0, memory.asReadOnly()));
        for (int width : new int[] {0, 1, 4, 24, 128, -8}) {
            assertThatIllegalArgumentException().isThrownBy(() -> RegisterTransfer.of(unmapped, width));
        }
        assertThat(device.accesses()).isEmpty();
    }

    @Test
    void whatIsWrittenCombinedIsThereAfterAFlush() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(SIZE, 8);
            WriteCombiningRegion region = WriteCombiningRegion.of(Registers.in("bar2", memory, () -> {}));
            byte[] data = bytes(64);
            region.write(8, MemorySegment.ofArray(data));
            region.write64(0, 5);
            region.write32(0x80, 7);
            region.flush();
            assertThat(memory.asSlice(8, 64).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(data);
            assertThat(memory.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(5);
            assertThat(memory.get(ValueLayout.JAVA_INT, 0x80)).isEqualTo(7);
            assertThatIllegalArgumentException().isThrownBy(() -> region.write(8, MemorySegment.ofArray(new byte[12])));
            assertThatExceptionOfType(IndexOutOfBoundsException.class)
                    .isThrownBy(() -> region.write(SIZE, MemorySegment.ofArray(new byte[8])));
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> WriteCombiningRegion.of(unmapped))
                .withMessageContaining("not mapped");
    }
}
