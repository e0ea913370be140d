package dev.outboard.specs.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ProtectionInformationTest {
    private static final byte[] CHECK = "123456789".getBytes(StandardCharsets.US_ASCII);

    private static long guard(Guard guard, byte[] bytes) {
        return guard.of(0, MemorySegment.ofArray(bytes), 0, bytes.length);
    }

    private static byte[] bytes(int length, int first, int step) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (first + step * i);
        }
        return bytes;
    }

    /** The codewords of T10's Simplified End-to-End Data Protection (2003), 4.5.6, and the usual check value. */
    @Test
    void guardsOf16BitsAreThoseOfT10() {
        assertThat(guard(Guard.BITS_16, bytes(32, 0, 0))).isZero();
        assertThat(guard(Guard.BITS_16, bytes(32, 0xff, 0))).isEqualTo(0xa293);
        assertThat(guard(Guard.BITS_16, bytes(32, 0, 1))).isEqualTo(0x0224);
        assertThat(guard(Guard.BITS_16, bytes(32, 0xff, -1))).isEqualTo(0xa0b7);
        byte[] onesFirst = new byte[32];
        onesFirst[0] = -1;
        onesFirst[1] = -1;
        assertThat(guard(Guard.BITS_16, onesFirst)).isEqualTo(0x21b8);
        assertThat(guard(Guard.BITS_16, CHECK)).isEqualTo(0xd0db);
    }

    /** The examples of the NVM command set specification 1.0, 5.2.1.2: blocks of 4096 bytes. */
    @Test
    void guardsOf32BitsAreThoseOfTheSpecification() {
        assertThat(guard(Guard.BITS_32, bytes(4096, 0, 0))).isEqualTo(0x98f9_4189L);
        assertThat(guard(Guard.BITS_32, bytes(4096, 0xff, 0))).isEqualTo(0x25c1_fe13L);
        assertThat(guard(Guard.BITS_32, bytes(4096, 0, 1))).isEqualTo(0x9c71_fe32L);
        assertThat(guard(Guard.BITS_32, bytes(4096, 0xff, -1))).isEqualTo(0x2149_41a8L);
        assertThat(guard(Guard.BITS_32, CHECK)).isEqualTo(0xe306_9283L);
        byte[] random = new byte[519];
        new Random(1).nextBytes(random);
        CRC32C peer = new CRC32C();
        peer.update(random);
        assertThat(guard(Guard.BITS_32, random)).isEqualTo(peer.getValue());
    }

    /** The examples of the NVM command set specification 1.0, 5.2.1.3.5: blocks of 4096 bytes. */
    @Test
    void guardsOf64BitsAreThoseOfTheSpecification() {
        assertThat(guard(Guard.BITS_64, bytes(4096, 0, 0))).isEqualTo(0x6482_d367_eb22_b64eL);
        assertThat(guard(Guard.BITS_64, bytes(4096, 0xff, 0))).isEqualTo(0xc0dd_ba73_02ec_a3acL);
        assertThat(guard(Guard.BITS_64, bytes(4096, 0, 1))).isEqualTo(0x3e72_9f5f_6750_449cL);
        assertThat(guard(Guard.BITS_64, bytes(4096, 0xff, -1))).isEqualTo(0x9a2d_f64b_8e9e_517eL);
        assertThat(guard(Guard.BITS_64, CHECK)).isEqualTo(0xae8b_1486_0a79_9888L);
    }

    @ParameterizedTest
    @EnumSource
    void aGuardGoesOnWhereAnotherEnded(Guard guard) {
        byte[] bytes = bytes(32, 7, 13);
        MemorySegment all = MemorySegment.ofArray(bytes);
        long front = guard.of(0, all, 0, 11);
        assertThat(guard.of(front, all, 11, 21)).isEqualTo(guard(guard, bytes));
        assertThat(guard.of(0, all, 0, 0)).isZero();
        assertThat(Guard.of(guard.format())).isEqualTo(guard);
    }

    @ParameterizedTest
    @CsvSource({
        "16, 0, 8, abcd 1234 89abcdef",
        "16, 12, 8, abcd 1234 210bcdef",
        "16, 32, 8, abcd 1234 76543210",
        "32, 16, 16, 0000abcd 1234 32100123456789abcdef",
        "32, 40, 16, 0000abcd 1234 98765432106789abcdef",
        "32, 64, 16, 0000abcd 1234 fedcba9876543210cdef",
        "64, 0, 16, 000000000000abcd 1234 456789abcdef",
        "64, 16, 16, 000000000000abcd 1234 321089abcdef",
        "64, 48, 16, 000000000000abcd 1234 ba9876543210"
    })
    void tagsShareTheirSpaceInBigEndianOrder(int bits, int storageTagBits, int sizeBytes, String expected) {
        ProtectionInformation format = format(bits, storageTagBits);
        assertThat(format.sizeBytes()).isEqualTo(sizeBytes);
        MemorySegment metadata = MemorySegment.ofArray(new byte[sizeBytes + 3]);
        long storageTag = 0xfedc_ba98_7654_3210L;
        long referenceTag = 0x0123_4567_89ab_cdefL;
        format.setGuard(metadata, 3, 0xabcd);
        format.setApplicationTag(metadata, 3, 0x1234);
        format.setTags(metadata, 3, storageTag, referenceTag);
        assertThat(format.guard(metadata, 3)).isEqualTo(0xabcd);
        assertThat(format.applicationTag(metadata, 3)).isEqualTo(0x1234);
        assertThat(format.storageTag(metadata, 3)).isEqualTo(storageTag & format.storageTagMask());
        assertThat(format.referenceTag(metadata, 3)).isEqualTo(referenceTag & format.referenceTagMask());
        assertThat(HexFormat.of().formatHex(metadata.asSlice(3).toArray(ValueLayout.JAVA_BYTE)))
                .isEqualTo(expected.replace(" ", ""));
    }

    private static ProtectionInformation format(int bits, int storageTagBits) {
        return new ProtectionInformation(Guard.valueOf("BITS_" + bits), storageTagBits);
    }

    @ParameterizedTest
    @CsvSource({"16, 33", "16, -1", "32, 0", "32, 15", "32, 65", "64, 49"})
    void aStorageTagThatCannotBeIsRefused(int bits, int storageTagBits) {
        assertThatThrownBy(() -> format(bits, storageTagBits))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("guards of " + bits + " bits")
                .hasMessageContaining("storage tags of " + storageTagBits);
    }

    @Test
    void commandsCarryTagsInThreeWords() {
        ProtectionInformation format = format(32, 40);
        long low = format.low(0x98_7654_3210L, 0x67_89ab_cdefL);
        assertThat(low).isEqualTo(0x5432_1067_89ab_cdefL);
        assertThat(format.high(0x98_7654_3210L)).isEqualTo(0x9876);
        assertThat(format.storageTag(0x9876, low)).isEqualTo(0x98_7654_3210L);
        assertThat(format.referenceTag(low)).isEqualTo(0x67_89ab_cdefL);
        assertThat(format(32, 16).high(0x4711)).isEqualTo(0x4711);
        assertThat(format(64, 0).high(-1)).isZero();
        assertThat(format(16, 0).low(-1, -1)).isEqualTo(0xffff_ffffL);
    }
}
