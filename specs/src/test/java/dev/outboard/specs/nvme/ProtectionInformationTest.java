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

    /** The codewords of T10's Simplified End-to-End Data Protection (2003), 4.5.6, and the usual check value. */
    @Test
    void guardsAreThoseOfT10() {
        assertThat(guard(bytes(0, 0))).isZero();
        assertThat(guard(bytes(0xff, 0))).isEqualTo(0xa293);
        assertThat(guard(bytes(0, 1))).isEqualTo(0x0224);
        assertThat(guard(bytes(0xff, -1))).isEqualTo(0xa0b7);
        byte[] onesFirst = new byte[32];
        onesFirst[0] = -1;
        onesFirst[1] = -1;
        assertThat(guard(onesFirst)).isEqualTo(0x21b8);
        assertThat(guard("123456789".getBytes(StandardCharsets.US_ASCII))).isEqualTo(0xd0db);
    }

    @Test
    void aGuardGoesOnWhereAnotherEnded() {
        MemorySegment all = MemorySegment.ofArray(bytes(7, 13));
        int front = ProtectionInformation.guard(0, all, 0, 11);
        assertThat(ProtectionInformation.guard(front, all, 11, 21)).isEqualTo(guard(bytes(7, 13)));
    }
}
