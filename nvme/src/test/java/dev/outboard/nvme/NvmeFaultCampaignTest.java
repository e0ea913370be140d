package dev.outboard.nvme;

import dev.outboard.emulation.nvme.NvmeOptions;
import org.junit.jupiter.api.extension.RegisterExtension;

/** On the model, on a thread of this process. */
class NvmeFaultCampaignTest extends NvmeFaultCampaign {
    @RegisterExtension
    static final ServedModel MODEL = new ServedModel(NvmeOptions.DEFAULT.withSizeBytes(4 << 20));

    @Override
    String address() {
        return MODEL.address();
    }

    @Override
    int slice() {
        return 24;
    }
}
