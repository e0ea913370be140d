package dev.outboard.rig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModuleTreeTest {
    @TempDir
    private Path folder;

    @BeforeEach
    void writeATree() throws IOException {
        Files.writeString(folder.resolve("modules.dep"), """
                kernel/netfs.ko.xz:
                kernel/9pnet.ko.xz: kernel/netfs.ko.xz
                kernel/9p.ko.xz: kernel/9pnet.ko.xz kernel/netfs.ko.xz
                kernel/vfio-pci.ko: kernel/vfio.ko
                kernel/vfio.ko:
                """);
        Files.writeString(folder.resolve("modules.builtin"), "kernel/virtio_pci.ko\n");
    }

    @Test
    void aModuleComesAfterAllThatItNeeds() throws IOException {
        assertThat(new ModuleTree(folder).loadOrder(List.of("9p", "9pnet")))
                .containsExactly(
                        folder.resolve("kernel/netfs.ko.xz"),
                        folder.resolve("kernel/9pnet.ko.xz"),
                        folder.resolve("kernel/9p.ko.xz"));
    }

    @Test
    void dashesAndUnderscoresAreTheSame() throws IOException {
        assertThat(new ModuleTree(folder).loadOrder(List.of("vfio_pci"))).hasSize(2);
        assertThat(new ModuleTree(folder).loadOrder(List.of("vfio-pci"))).hasSize(2);
    }

    @Test
    void aBuiltInModuleNeedsNoFileAndAnUnknownOneIsAnError() throws IOException {
        ModuleTree tree = new ModuleTree(folder);
        assertThat(tree.loadOrder(List.of("virtio-pci"))).isEmpty();
        assertThatThrownBy(() -> tree.loadOrder(List.of("nosuch")))
                .isInstanceOf(RigException.class)
                .hasMessageContaining("nosuch");
    }
}
