package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.nvme.NvmeOptions;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The model, on a thread of this process. */
class NvmeSettingsOnModelTest extends NvmeSettingsContract {
    @RegisterExtension
    final ServedModel model =
            new ServedModel(NvmeOptions.DEFAULT.withSizeBytes(8 << 20).withControllerMemoryBytes(1 << 20));

    @Override
    NvmeController open(NvmeSettings settings) throws IOException {
        return Nvme.open(model.address(), settings);
    }

    @Test
    void doorbellsThatAreMemoryNeedNoShadow() throws IOException {
        try (NvmeController controller = open(NvmeSettings.DEFAULT)) {
            assertThat(controller.hasShadowDoorbells()).isFalse();
        }
    }
}
