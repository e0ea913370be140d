package dev.outboard.nvme;

import dev.outboard.emulation.EmulatorProcess;
import dev.outboard.emulation.ModelOptions;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** On the model in a process of its own, which lives through all faults. */
@Tag("emulated")
class NvmeFaultCampaignOverProcessTest extends NvmeFaultCampaign {
    private static EmulatorProcess process;

    @BeforeAll
    static void start() throws IOException {
        process = EmulatorProcess.start("nvme", ModelOptions.of(Map.of("size", "4M")));
    }

    @AfterAll
    static void stop() {
        process.close();
    }

    @Override
    String address() {
        return "vfio-user:" + process.socket();
    }

    @Override
    int slice() {
        return 12;
    }
}
