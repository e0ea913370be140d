package dev.outboard.samples.ivshmem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.memory.RegisterTransfer;
import dev.outboard.memory.Registers;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What holds for every ivshmem device, with a doorbell or without, however it is reached. */
@Timeout(120)
abstract class SharedMemoryContract {
    private static final int BYTES = 4096;

    private SharedMemory device;

    /** Opens the device; called for each test. */
    abstract SharedMemory open() throws IOException;

    SharedMemory device() {
        return device;
    }

    @BeforeEach
    void openDevice() throws IOException {
        device = open();
    }

    @AfterEach
    void closeDevice() {
        if (device != null) {
            device.close();
        }
    }

    @Test
    void itsMemoryHoldsWhatIsWrittenInAnyWidth() {
        Registers memory = device.memory();
        memory.write64(8, 0x1122_3344_5566_7788L);
        memory.write32(8, 0xaabb_ccdd);
        memory.write16(14, (short) 0x9900);
        memory.write8(13, (byte) 0x42);
        assertThat(memory.read64(8)).isEqualTo(0x9900_4244_aabb_ccddL);
        long last = memory.sizeBytes() - 1;
        memory.write8(last, (byte) 7);
        assertThat(memory.read8(last)).isEqualTo((byte) 7);
    }

    @Test
    void blocksGoThereAndBack() {
        byte[] data = new byte[BYTES];
        new Random(BYTES).nextBytes(data);
        RegisterTransfer.of(device.memory(), 64).write(BYTES, MemorySegment.ofArray(data));
        byte[] back = new byte[BYTES];
        RegisterTransfer.of(device.memory(), 32).read(BYTES, MemorySegment.ofArray(back));
        assertThat(back).isEqualTo(data);
    }

    @Test
    void aPeerOrVectorThatCannotBeIsRefused() {
        assertThatThrownBy(() -> device.ring(-1, 0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> device.ring(0x10000, 0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> device.ring(0, 0x10000)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> device.await(device.vectors(), Duration.ZERO))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void itWorksAgainWhenItIsOpenedAgain() throws IOException {
        device.close();
        device.close();
        device = open();
        device.memory().write32(0, 5);
        assertThat(device.memory().read32(0)).isEqualTo(5);
    }
}
