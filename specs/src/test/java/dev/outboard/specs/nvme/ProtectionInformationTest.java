package dev.outboard.specs.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ProtectionInformationTest {
    private static int guard(byte[] bytes) {
        return ProtectionInformation.guard(0, MemorySegment.ofArray(bytes), 0, bytes.length);
    }

    private static byte[] bytes(int first, int step) {
        byte[] bytes = new byte[32];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (first + step * i);
        }
        return bytes;
    }

    /** The test cases of the NVM command set specification 1.0, figure 112, and the check value of CRC-16/T10-DIF. */
    @Test
    void guardsAreThoseOfTheSpecification() {
        assertThat(guard(bytes(0, 0))).isZero();
        assertThat(guard(bytes(0xff, 0))).isEqualTo(0xa293);
        assertThat(guard(bytes(0, 1))).isEqualTo(0x0224);
        assertThat(guard(bytes(31, -1))).isEqualTo(0x21b8);
        assertThat(guard("123456789".getBytes(StandardCharsets.US_ASCII))).isEqualTo(0xd0db);
    }

    @Test
    void aGuardGoesOnWhereAnotherEnded() {
        MemorySegment all = MemorySegment.ofArray(bytes(7, 13));
        int front = ProtectionInformation.guard(0, all, 0, 11);
        assertThat(ProtectionInformation.guard(front, all, 11, 21)).isEqualTo(guard(bytes(7, 13)));
    }
}
