package dev.outboard.emulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.emulation.nvme.NvmeModel;
import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.pci.Pci;
import dev.outboard.specs.nvme.Guard;
import dev.outboard.specs.nvme.ProtectionInformation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models by name, and their options. */
class ModelsTest {
    private static PciModel create(String options) throws IOException {
        return Models.create("nvme", ModelOptions.parse(options));
    }

    @ParameterizedTest
    @CsvSource({"65536, 65536", "0x10000, 65536", "64K, 65536", "3m, 3145728", "5G, 5368709120"})
    void sizesTakeUnits(String text, long bytes) throws IOException {
        try (PciModel model = create("size=" + text)) {
            assertThat(((NvmeModel) model).options().sizeBytes()).isEqualTo(bytes);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "size=",
                "size=1X",
                "size=9999999999G",
                "size=-1",
                "size=0",
                "size=G",
                "block-size=513",
                "block-size=x",
                "queues=0",
                "queues=128",
                "namespaces=0",
                "namespaces=17",
                "metadata=7",
                "metadata=8&metadata-place=elsewhere",
                "protection=1",
                "protection=4&metadata=8",
                "zone-size=3000",
                "zone-size=64K&size=32K",
                "max-open=1",
                "zone-size=64K&max-open=3&max-active=2",
                "zone-size=64K&max-open=-1",
                "doorbell-stride=7",
                "guard=24",
                "guard=64",
                "guard=64&metadata=8&protection=1",
                "guard=32&metadata=16&protection=1&storage-tag=8",
                "guard=32&metadata=16&protection=1&storage-tag=17",
                "serial=123456789012345678901",
                "serial=\u00e4",
                "=1",
                "size",
                "size=1M&size=2M",
                "colour=red"
            })
    void optionsThatMakeNoSenseAreRefused(String options) {
        assertThatThrownBy(() -> create(options)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void optionsShapeTheNamespaces() throws IOException {
        try (PciModel model = create("size=1M&namespaces=3&metadata=16&metadata-place=extended&protection=2"
                + "&zone-size=64K&max-open=2&max-active=4&doorbell-stride=0")) {
            NvmeOptions options = ((NvmeModel) model).options();
            assertThat(options.namespaces()).isEqualTo(3);
            assertThat(options.metadata()).isEqualTo(new NvmeOptions.Metadata(16, true, 2));
            assertThat(options.zones()).isEqualTo(new NvmeOptions.ZoneLimits(65536, 2, 4));
            assertThat(options.doorbellStride()).isZero();
        }
        try (PciModel model = create("size=1M&metadata=16&protection=1&guard=32")) {
            assertThat(((NvmeModel) model).options().metadata().protection())
                    .isEqualTo(new ProtectionInformation(Guard.BITS_32, 16));
        }
    }

    @Test
    void namespacesShareAFile(@TempDir Path directory) throws IOException {
        Path file = Files.write(directory.resolve("disk"), new byte[3 << 20]);
        try (PciModel model = create("namespaces=3&file=" + file)) {
            assertThat(((NvmeModel) model).options().sizeBytes()).isEqualTo(1 << 20);
        }
    }

    @Test
    void anUnknownModelIsToldWhatThereIs() {
        assertThatThrownBy(() -> Pci.open("model:toaster"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "there is no model \"toaster\"; there is nvme, edu, serial, idio16, ivshmem, virtio-blk, virtio-net");
        assertThatThrownBy(() -> Pci.open("model:nvme?colour=red"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("has no option \"colour\"; it has size, block-size, namespaces");
    }

    @Test
    void aFileGivesItsSize(@TempDir Path directory) throws IOException {
        Path file = Files.write(directory.resolve("disk"), new byte[3 << 20]);
        try (PciModel model = create("file=" + file)) {
            assertThat(((NvmeModel) model).options().sizeBytes()).isEqualTo(3 << 20);
        }
    }
}
