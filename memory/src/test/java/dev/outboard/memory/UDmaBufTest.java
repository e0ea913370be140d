package dev.outboard.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** u-dma-buf's files, as its README lists them, in a folder: the module is no package of Debian's. */
class UDmaBufTest {
    private static final String NAME = "udmabuf0";
    private static final int SIZE = 1 << 20;

    @TempDir
    private Path root;

    private Path attributes;
    private Path node;

    @BeforeEach
    void createDevice() throws IOException {
        attributes = Files.createDirectories(root.resolve("sys/class/u-dma-buf/" + NAME));
        write("driver_version", "4.8.0");
        write("phys_addr", "0x0000000038400000");
        write("size", Integer.toString(SIZE));
        write("sync_mode", "1");
        write("sync_offset", "0x0");
        write("sync_size", Integer.toString(SIZE));
        write("sync_direction", "0");
        write("sync_owner", "0");
        write("sync_for_cpu", "0");
        write("sync_for_device", "0");
        write("dma_coherent", "0");
        node = Files.createDirectories(root.resolve("dev")).resolve(NAME);
        Files.write(node, new byte[SIZE]);
    }

    private void write(String attribute, String value) throws IOException {
        Files.writeString(attributes.resolve(attribute), value + "\n");
    }

    /** What was written last; a file, unlike an attribute, keeps the end of what was longer. */
    private String written(String attribute) throws IOException {
        return Files.readAllLines(attributes.resolve(attribute)).getFirst();
    }

    private DmaMemory open() throws IOException {
        return UDmaBuf.open(root, NAME, false);
    }

    @Test
    void itsMemoryIsTheNodesAtItsPhysicalAddress() throws IOException {
        try (DmaMemory memory = open()) {
            assertThat(memory.deviceAddress()).isEqualTo(0x3840_0000);
            assertThat(memory.sizeBytes()).isEqualTo(SIZE);
            memory.segment().set(JAVA_BYTE, SIZE - 1, (byte) 42);
            assertThat(Files.readAllBytes(node)[SIZE - 1]).isEqualTo((byte) 42);
        }
    }

    @Test
    void aRangeIsHandedOverByItsAttributesTheOrderLast() throws Exception {
        try (DmaMemory memory = open();
                WatchService watcher = FileSystems.getDefault().newWatchService()) {
            WatchKey key = attributes.register(watcher, StandardWatchEventKinds.ENTRY_MODIFY);
            DmaMemory part = memory.slice(65_536, 8_192).slice(4_096, 100);
            part.syncForDevice(DmaDirection.TO_DEVICE);
            assertThat(written("sync_offset")).isEqualTo("69632");
            assertThat(written("sync_size")).isEqualTo("100");
            assertThat(written("sync_direction")).isEqualTo("1");
            assertThat(written("sync_for_device")).isEqualTo("1");
            assertThat(written("sync_for_cpu")).isEqualTo("0");
            assertThat(changes(watcher, key))
                    .containsExactly("sync_offset", "sync_size", "sync_direction", "sync_for_device");

            memory.syncForCpu(DmaDirection.FROM_DEVICE);
            assertThat(written("sync_offset")).isEqualTo("0");
            assertThat(written("sync_size")).isEqualTo("1048576");
            assertThat(written("sync_direction")).isEqualTo("2");
            assertThat(written("sync_for_cpu")).isEqualTo("1");
            assertThat(changes(watcher, key))
                    .containsExactly("sync_offset", "sync_size", "sync_direction", "sync_for_cpu");
            memory.syncForCpu(DmaDirection.BIDIRECTIONAL);
            assertThat(written("sync_direction")).isEqualTo("0");
            assertThat(memory.isCoherent()).isFalse();
        }
    }

    private static List<String> changes(WatchService watcher, WatchKey key) throws InterruptedException {
        List<String> names = new ArrayList<>();
        while (names.size() < 4 && watcher.poll(20, TimeUnit.SECONDS) != null) {
            key.pollEvents().forEach(event -> names.add(String.valueOf(event.context())));
            key.reset();
        }
        return names;
    }

    @Test
    void whatNeedsNoSynchronizationGetsNone() throws IOException {
        write("dma_coherent", "1");
        try (DmaMemory memory = open()) {
            memory.syncForDevice(DmaDirection.BIDIRECTIONAL);
            assertThat(memory.isCoherent()).isTrue();
        }
        write("dma_coherent", "0");
        for (String mode : List.of("1", "2", "3", "5", "6", "7")) {
            write("sync_mode", mode);
            try (DmaMemory memory = UDmaBuf.open(root, NAME, true)) {
                memory.syncForCpu(DmaDirection.BIDIRECTIONAL);
                assertThat(memory.isCoherent()).as(mode).isTrue();
            } catch (IOException e) {
                throw new AssertionError(mode, e);
            }
            try (DmaMemory memory = open()) {
                assertThat(memory.isCoherent()).as(mode).isEqualTo(mode.compareTo("4") > 0);
            }
        }
        assertThat(written("sync_for_cpu")).isEqualTo("0");
        assertThat(written("sync_for_device")).isEqualTo("0");
    }

    @Test
    void aModeThatLeavesTheCacheOnIsNoUseWithOSync() throws IOException {
        for (String mode : List.of("0", "4")) {
            write("sync_mode", mode);
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> UDmaBuf.open(root, NAME, true))
                    .withMessageContaining("sync_mode is " + mode)
                    .withMessageContaining("echo 3 | sudo tee ");
            try (DmaMemory memory = open()) {
                assertThat(memory.isCoherent()).isFalse();
            }
        }
    }

    @Test
    void olderVersionsAreFoundByTheirOldName() throws IOException {
        Files.createDirectories(root.resolve("sys/class/udmabuf"));
        Files.delete(attributes.resolve("dma_coherent"));
        Files.move(attributes, root.resolve("sys/class/udmabuf/" + NAME));
        try (DmaMemory memory = open()) {
            assertThat(memory.isCoherent()).isFalse();
        }
    }

    @Test
    void itServesAnAllocatorAndEndsWithIt() throws IOException {
        DmaMemory first;
        try (DmaAllocator allocator = DmaAllocator.within(open())) {
            first = allocator.allocate(100);
            DmaMemory second = allocator.allocate(100);
            assertThat(first.deviceAddress()).isEqualTo(0x3840_0000);
            assertThat(second.deviceAddress()).isEqualTo(0x3840_1000);
            second.syncForDevice(DmaDirection.FROM_DEVICE);
            assertThat(written("sync_offset")).isEqualTo("4096");
            assertThat(written("sync_size")).isEqualTo("100");
            assertThatExceptionOfType(IOException.class).isThrownBy(() -> allocator.allocate(SIZE));
        }
        assertThatIllegalStateException().isThrownBy(() -> first.segment().get(JAVA_BYTE, 0));
        assertThatIllegalStateException().isThrownBy(() -> first.syncForCpu(DmaDirection.BIDIRECTIONAL));
    }

    @Test
    void aDeviceThatLiesIsNotMapped() throws IOException {
        String[][] lies = {
            {"size", "0"},
            {"size", "-4096"},
            {"size", "1048577"},
            {"size", "9223372036854775807"},
            {"size", "18446744073709551616"},
            {"size", ""},
            {"size", "a lot"},
            {"size", "0x"},
            {"phys_addr", "0x38400001"},
            {"phys_addr", "0xfffffffffffff000"},
            {"phys_addr", "0x10000000000000000"},
            {"phys_addr", "\0"},
            {"sync_mode", "8"},
            {"sync_mode", "-1"},
            {"sync_mode", "on"},
            {"dma_coherent", "perhaps"},
        };
        for (String[] lie : lies) {
            String truth = Files.readString(attributes.resolve(lie[0]));
            write(lie[0], lie[1]);
            assertThatExceptionOfType(IOException.class)
                    .as("%s = %s", lie[0], lie[1])
                    .isThrownBy(this::open)
                    .withMessageContaining(attributes.resolve(lie[0]).toString());
            Files.writeString(attributes.resolve(lie[0]), truth);
        }
        open().close();
    }

    @Test
    void aDeviceThatIsNotThereIsExplained() throws IOException {
        for (String name : List.of("", "..", "../" + NAME, "/dev/mem", "a b")) {
            assertThatIllegalArgumentException().isThrownBy(() -> UDmaBuf.open(root, name, false));
        }
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> UDmaBuf.open(root, "udmabuf1", false))
                .withMessageContaining("modprobe u-dma-buf udmabuf1=1048576");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> UDmaBuf.open("none-has-this-name"))
                .withMessageContaining("/sys/class/u-dma-buf");
        Files.delete(attributes.resolve("sync_for_cpu"));
        assertThatExceptionOfType(IOException.class).isThrownBy(this::open).withMessageContaining("sync_for_cpu");
        Files.delete(attributes.resolve("size"));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(this::open)
                .withMessageContaining("size is missing; this is no u-dma-buf device");
        createDevice();
        Files.delete(node);
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(this::open)
                .withMessageContaining("is in sysfs only; is udev running?");
    }
}
