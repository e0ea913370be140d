package dev.outboard.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.nvme.load.Operation;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class NvmeLoadTest {
    private static final NvmeLoad LOAD = new NvmeLoad(Operation.RANDREAD, 4096, 32);

    @Test
    void theCasesAreThoseThatAreDocumented() {
        assertThat(NvmeLoad.ALL.stream().map(NvmeLoad::caseName))
                .containsExactly(
                        "randread qd1",
                        "randread qd32",
                        "randread qd128",
                        "randwrite qd1",
                        "randwrite qd32",
                        "randwrite qd128",
                        "randrw qd32",
                        "randread 128K qd8");
    }

    @Test
    void theClientIsToldTheLoadInItsOptions() {
        assertThat(ProgramDriver.clientCommand(Path.of("/p/nvme_client"), Path.of("/t/cntrl"), LOAD, 0.5))
                .startsWith("/p/nvme_client", "--socket", "/t/cntrl", "--op", "randread")
                .containsSequence("--block-size", "4096")
                .containsSequence("--queue-depth", "32")
                .containsSequence("--seconds", "0.500")
                .containsSequence("--cpu", "1");
    }

    @Test
    void spdkIsToldTheDirectoryOfTheSocketAndWholeSeconds() {
        assertThat(ProgramDriver.spdkCommand(Path.of("/p/spdk_nvme_perf"), Path.of("/t/cntrl"), LOAD, 0.5))
                .containsExactly(
                        "/p/spdk_nvme_perf",
                        "-r",
                        "trtype:VFIOUSER traddr:/t",
                        "-q",
                        "32",
                        "-o",
                        "4096",
                        "-w",
                        "randread",
                        "-t",
                        "1",
                        "-c",
                        "0x2");
    }
}
