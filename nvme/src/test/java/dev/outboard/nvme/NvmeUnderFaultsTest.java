package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Waiting;
import dev.outboard.emulation.nvme.NvmeOptions;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Faults between the driver and a sound controller. */
class NvmeUnderFaultsTest extends NvmeFaultsContract {
    @RegisterExtension
    static final ServedModel MODEL = new ServedModel(NvmeOptions.DEFAULT.withSizeBytes(4 << 20));

    @Override
    NvmeController open(Duration timeout, String... rules) throws IOException {
        return Nvme.open(
                FaultyFunction.open(MODEL.address(), String.join("\n", rules)),
                NvmeSettings.DEFAULT.withCommandTimeout(timeout));
    }

    @ParameterizedTest
    @ValueSource(strings = {"on read bar0 CSTS nth 2 do sigbus", "on write bar0 0x1080 nth 1 do sigbus"})
    void anAccessThatFaultsIsADeviceThatIsGone(String rule) {
        assertThatThrownBy(() -> {
                    try (NvmeController controller = open(TIMEOUT, rule)) {
                        writeAndRead(controller, Waiting.POLL, TIMEOUT);
                    }
                })
                .isInstanceOf(DeviceGoneException.class);
    }
}
