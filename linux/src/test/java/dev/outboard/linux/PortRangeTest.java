package dev.outboard.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** Port instructions, on the machine's own PCI configuration mechanism: PCI 3.0, 3.2.2.3.2. */
class PortRangeTest {
    private static final int CONFIG_ADDRESS = 0xcf8;
    private static final int CONFIG_DATA = 0xcfc;
    private static final int ENABLE = 0x8000_0000;
    /** edu, 00:06.0. */
    private static final int EDU = ENABLE | 6 << 11;

    private static final Path EDU_CONFIGURATION = Path.of("/sys/bus/pci/devices/0000:00:06.0/config");

    @Test
    void portsThatAreNotThereAreRefused() {
        for (int[] range : new int[][] {{-1, 1}, {0, 0}, {0, -1}, {0, 0x10001}, {0xffff, 2}, {0x10000, 1}}) {
            assertThatExceptionOfType(IndexOutOfBoundsException.class)
                    .isThrownBy(() -> PortRange.permit(range[0], range[1]));
        }
    }

    @Test
    @Tag("kernel")
    @EnabledIfEnvironmentVariable(named = "OUTBOARD_RIG", matches = "qemu", disabledReason = "needs I/O ports")
    void everyWidthReadsWhatSysfsShows() throws Exception {
        byte[] expected = Files.readAllBytes(EDU_CONFIGURATION);
        PortRange ports = PortRange.permit(CONFIG_ADDRESS, 8);
        for (int offset = 0; offset < 64; offset += Integer.BYTES) {
            ports.out(CONFIG_ADDRESS, Integer.BYTES, EDU | offset);
            assertThat(ports.in(CONFIG_ADDRESS, Integer.BYTES)).isEqualTo(Integer.toUnsignedLong(EDU | offset));
            for (int width = 1; width <= Integer.BYTES; width *= 2) {
                for (int at = 0; at < Integer.BYTES; at += width) {
                    long value = 0;
                    for (int i = 0; i < width; i++) {
                        value |= (long) (expected[offset + at + i] & 0xff) << (i * Byte.SIZE);
                    }
                    assertThat(ports.in(CONFIG_DATA + at, width))
                            .as("%d bytes at %d", width, offset + at)
                            .isEqualTo(value);
                }
            }
        }
    }

    /** The interrupt line means nothing to edu, and keeps what is written. */
    @Test
    @Tag("kernel")
    @EnabledIfEnvironmentVariable(named = "OUTBOARD_RIG", matches = "qemu", disabledReason = "needs I/O ports")
    void everyWidthIsWrittenAlone() throws Exception {
        PortRange ports = PortRange.permit(CONFIG_ADDRESS, 8);
        int interruptLine = 0x3c;
        ports.out(CONFIG_ADDRESS, Integer.BYTES, EDU | interruptLine);
        long before = ports.in(CONFIG_DATA, Integer.BYTES);
        ports.out(CONFIG_DATA, Byte.BYTES, -1L << Byte.SIZE | 0xa5);
        assertThat(ports.in(CONFIG_DATA, Integer.BYTES)).isEqualTo((before & ~0xffL) | 0xa5);
        ports.out(CONFIG_DATA, Short.BYTES, -1L << Short.SIZE | (before & 0xff00) | 0x5a);
        assertThat(ports.in(CONFIG_DATA, Integer.BYTES)).isEqualTo((before & ~0xffL) | 0x5a);
        ports.out(CONFIG_DATA, Integer.BYTES, before);
        assertThat(ports.in(CONFIG_DATA, Integer.BYTES)).isEqualTo(before);
    }

    @Test
    @Tag("kernel")
    @EnabledIfEnvironmentVariable(named = "OUTBOARD_RIG", matches = "qemu", disabledReason = "needs I/O ports")
    void everyThreadGetsThePermissionThatItNeeds() throws Exception {
        PortRange ports = PortRange.permit(CONFIG_ADDRESS, 8);
        Callable<Long> access = () -> {
            ports.out(CONFIG_ADDRESS, Integer.BYTES, EDU);
            // A virtual thread may go on elsewhere.
            LockSupport.parkNanos(1_000);
            return ports.in(CONFIG_ADDRESS, Integer.BYTES);
        };
        List<Thread> threads = new ArrayList<>();
        List<FutureTask<Long>> results = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            FutureTask<Long> task = new FutureTask<>(access);
            results.add(task);
            threads.add(
                    i % 2 == 0
                            ? Thread.ofPlatform().start(task)
                            : Thread.ofVirtual().start(task));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        for (FutureTask<Long> result : results) {
            assertThat(result.get()).isEqualTo(Integer.toUnsignedLong(EDU));
        }
    }

    @Test
    @Tag("kernel")
    @EnabledIfEnvironmentVariable(named = "OUTBOARD_RIG", matches = "qemu", disabledReason = "needs I/O ports")
    void whatIsOutsideOfTheRangeIsNotTouched() throws Exception {
        PortRange ports = PortRange.permit(CONFIG_DATA, 2);
        for (int port : new int[] {CONFIG_DATA - 1, CONFIG_DATA + 2, -1, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> ports.in(port, Byte.BYTES));
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> ports.out(port, Byte.BYTES, 0));
        }
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> ports.in(CONFIG_DATA, Integer.BYTES));
        assertThatThrownBy(() -> ports.in(CONFIG_DATA, Long.BYTES))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("8, 16 or 32 bits");
    }
}
