package dev.outboard.emulation;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.outboard.specs.vfiouser.VersionCapabilities;

/**
 * What a peer may say of itself, found by a fuzzer. Without {@code JAZZER_FUZZ=1} it is an ordinary test, of the inputs in
 * the resources.
 */
class CapabilitiesFuzzTest {
    @FuzzTest(maxDuration = "5s")
    void capabilitiesAreReadOrRefused(byte[] input) {
        try {
            VersionCapabilities read = VersionCapabilities.parse(input);
            assertThat(read.maxMsgFds()).isNotNegative();
            assertThat(read.maxDataXferSize()).isPositive();
            assertThat(VersionCapabilities.parse(read.toBytes())).isEqualTo(read);
        } catch (IllegalArgumentException refused) {
            assertThat(refused).message().isNotBlank();
        }
    }
}
