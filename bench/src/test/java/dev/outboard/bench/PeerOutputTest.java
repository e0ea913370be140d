package dev.outboard.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class PeerOutputTest {
    private static final String CLIENT = """
            {"device":"vfio-user:/run/x","op":"randread","blockSize":4096,"queueDepth":1,"seconds":1.000,"iops":1083021,\
            "mibPerSecond":4230.6,"latencyMicros":{"mean":0.920,"p50":0.912,"p99":1.250,"p9999":9.5},"errors":%d}
            """;
    private static final String SPDK = """
            Initializing NVMe Controllers
            Associating VFIOUSER (/run/x) NSID 1 with lcore 1
            Initialization complete. Launching workers.
            ========================================================
                                                                              Latency(us)
            Device Information                      :       IOPS      MiB/s    Average        min        max
            VFIOUSER (/run/x) NSID 1 from core  1: 2460123.47    9609.86      13.00       9.47     301.21
            ========================================================
            Total                                   : 2460123.50    9609.86      13.00       9.47     301.21

            """;

    @Test
    void theFiguresOfTheClientAreRead() throws IOException {
        assertThat(PeerOutput.ofClient(CLIENT.formatted(0))).containsExactly(1_083_021, 1.25, 9.5);
        assertThat(PeerOutput.number(CLIENT.formatted(0), "seconds")).isEqualTo(1);
    }

    @Test
    void requestsThatFailedAreNoResult() {
        assertThatThrownBy(() -> PeerOutput.ofClient(CLIENT.formatted(3)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("3 of the peer's requests failed");
    }

    @Test
    void theTotalOfSpdkIsRead() throws IOException {
        assertThat(PeerOutput.ofSpdk(SPDK)).containsExactly(2_460_123.5, Double.NaN, Double.NaN);
    }

    @Test
    void spdkWithoutATotalIsNoResult() {
        assertThatThrownBy(() -> PeerOutput.ofSpdk("No valid NVMe controllers found"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("No valid NVMe controllers found");
    }

    @Test
    void whatIsNoJsonIsQuoted() {
        assertThatThrownBy(() -> PeerOutput.number("usage: x", "iops"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("usage: x");
        assertThatThrownBy(() -> PeerOutput.number("{\"iops\":\"many\"}", "iops"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no number \"iops\"");
    }
}
