package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** QEMU's controller without a guest, whose registers are messages. */
@Tag("emulated")
class NvmeSettingsOverQemuTest extends NvmeSettingsContract {
    @BeforeAll
    static void requireQemu() {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/qemu-system-x86_64")), "needs QEMU: qemu-system-x86");
    }

    @Override
    NvmeController open(NvmeSettings settings) throws IOException {
        return Nvme.open("qemu:nvme?size=64M&cmb_size_mb=1", settings);
    }

    @Test
    void doorbellsThatAreMessagesAreShadowedUnlessToldOtherwise() throws IOException {
        try (NvmeController controller = open(NvmeSettings.DEFAULT)) {
            assertThat(controller.hasShadowDoorbells()).isTrue();
        }
    }
}
