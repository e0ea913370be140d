package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.outboard.linux.DevicePages;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;

class AllocationTest {
    private static final int OPERATIONS = 50_000;
    private static final int TRIES = 2_000;
    private static final Field READY = Field.bit("READY", 0);
    private static final Field CODE = Field.bits("CODE", 15, 8);
    private static final Register STATUS =
            Register.of("STATUS", 0x10, 32, Register.Access.READ_WRITE, "1", READY, CODE);

    private static final FieldUpdate BOTH = READY.to(1).and(CODE.to(7));

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** What a run allocates once it is warm: the compiler's switch from one version to the next may cost some bytes. */
    private static long leastAllocatedBytes(Runnable body) {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < TRIES && least > 0; i++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            body.run();
            least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
        }
        return least;
    }

    @Test
    void readingAndWritingMappedRegistersAllocatesNothing() throws LinuxException {
        try (Fd file = Fd.memfd("device", 64);
                DevicePages pages = DevicePages.map(file, 0, 64, true)) {
            assertNothingIsAllocated(Registers.mapped("device", pages, () -> {}));
        }
    }

    @Test
    void readingAndWritingRegistersInASegmentAllocatesNothing() {
        try (Arena arena = Arena.ofShared()) {
            assertNothingIsAllocated(Registers.in("memory", arena.allocate(64, 8), () -> {}));
        }
    }

    private static void assertNothingIsAllocated(Registers registers) {
        assertThat(leastAllocatedBytes(() -> accessByNumber(registers))).isZero();
        assertThat(leastAllocatedBytes(() -> accessByName(registers))).isZero();
        assertThat(leastAllocatedBytes(() -> modify(registers))).isZero();
    }

    @Test
    void readingAndWritingUnmappedRegistersAllocatesNothing() {
        RegisterAccess nothing = new RegisterAccess() {
            @Override
            public long read(long offset, int widthBytes) {
                return -1;
            }

            @Override
            public void write(long offset, int widthBytes, long value) {}
        };
        Registers registers = Registers.unmapped("device", 64, nothing, List.of(), () -> {});
        assertNothingIsAllocated(registers);
    }

    @Test
    void accessesToAMappedFileAllocateNothing() throws IOException {
        byte[] bytes = {1, 2, 3};
        try (MappedFile file = MappedFile.anonymous(20_000)) {
            assertThat(leastAllocatedBytes(() -> {
                        for (int i = 0; i < OPERATIONS / 10; i++) {
                            file.put(i, file.get(i + 1));
                            file.seek(i);
                            file.writeByte(file.readByte() & 1);
                            file.seek(i);
                            file.write(bytes);
                            file.move(i, i + 10, 10);
                            file.find(bytes, i + 10, i + 5000);
                            file.rfind(bytes, i + 10, i + 5000);
                        }
                    }))
                    .isZero();
        }
    }

    @Test
    void theMeasureSeesAnAllocation() {
        assertThat(leastAllocatedBytes(() -> assertThat(new byte[1000]).hasSize(1000)))
                .isGreaterThan(1000);
    }

    // One loop each, as a driver's own: what the compiler does not inline into a larger one may allocate there.
    private static void accessByNumber(Registers registers) {
        for (int i = 0; i < OPERATIONS; i++) {
            registers.write8(0, (byte) (registers.read8(1) + 1));
            registers.write16(2, (short) (registers.read16(4) + 1));
            registers.write32(8, registers.read32(12) + 1);
            registers.write64(24, registers.read64(32) + 1);
        }
    }

    private static void accessByName(Registers registers) {
        for (int i = 0; i < OPERATIONS; i++) {
            long status = registers.read(STATUS);
            registers.write(STATUS, CODE.set(status, i & 0xff));
        }
    }

    private static void modify(Registers registers) {
        for (int i = 0; i < OPERATIONS; i++) {
            registers.modify(STATUS, CODE, i & 0xff);
            registers.modify(STATUS, BOTH);
        }
    }
}
