package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.BIG_ENDIAN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.nvme.NvmeOptions.Metadata;
import dev.outboard.emulation.nvme.NvmeOptions.ZoneLimits;
import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.ProtectionInformation;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Metadata and end-to-end protection. */
class NvmeProtectionTest extends NvmeTestBase {
    private static final int PRACT = (int) ProtectionInformation.PRACT.mask();
    private static final int GUARD = (int) ProtectionInformation.CHECK_GUARD.mask();
    private static final int APPLICATION = (int) ProtectionInformation.CHECK_APPLICATION_TAG.mask();
    private static final int REFERENCE = (int) ProtectionInformation.CHECK_REFERENCE_TAG.mask();
    private static final int PIREMAP = (int) ProtectionInformation.PIREMAP.mask();
    private static final long METADATA = OTHER + 0x100000;

    private void serve(int bytes, boolean extended, int type) throws IOException {
        serveAgain(options().withMetadata(new Metadata(bytes, extended, type)));
    }

    private static Command flagged(Command command, int flags, int tag, int tags) {
        return command.dword(12, command.words[12] | flags).dword(14, tag).dword(15, tags);
    }

    @Test
    void theGuardIsTheCrcOfT10() {
        byte[] check = "123456789".getBytes(StandardCharsets.US_ASCII);
        assertThat(ProtectionInformation.guard(0, MemorySegment.ofArray(check), 0, check.length))
                .isEqualTo(0xd0db);
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 16, 64})
    void metadataTravelsInItsOwnBuffer(int bytes) throws IOException {
        serve(bytes, false, 0);
        random(DATA, PAGE, 1);
        random(METADATA, 8 * bytes, 2);
        assertThat(status(TestDriver.write(40, 8).prp1(DATA).metadata(METADATA)))
                .isZero();
        assertThat(status(TestDriver.read(43, 2).prp1(OTHER).metadata(METADATA + PAGE)))
                .isZero();
        assertThat(bytes(OTHER, 2 * BLOCK)).isEqualTo(bytes(DATA + 3 * BLOCK, 2 * BLOCK));
        assertThat(bytes(METADATA + PAGE, 2 * bytes)).isEqualTo(bytes(METADATA + 3L * bytes, 2 * bytes));
        assertThat(status(TestDriver.read(43, 1).prp1(OTHER).metadata(METADATA + 2)))
                .isEqualTo(Status.INVALID_FIELD);
        assertThat(status(TestDriver.read(43, 1).prp1(OTHER).metadata(0x1000))).isEqualTo(Status.DATA_TRANSFER_ERROR);
        assertThat(status(new Command(Opcode.COMPARE).blocks(40, 8).prp1(DATA).metadata(METADATA)))
                .isZero();
        driver.at(METADATA + 9, 1).set(JAVA_BYTE, 0, (byte) ~bytes(METADATA + 9, 1)[0]);
        assertThat(status(new Command(Opcode.COMPARE).blocks(40, 8).prp1(DATA).metadata(METADATA)))
                .isEqualTo(Status.COMPARE_FAILURE);
    }

    @Test
    void extendedBlocksCarryTheirMetadataWithThem() throws IOException {
        serve(8, true, 0);
        int extended = BLOCK + 8;
        random(DATA, 3 * extended, 1);
        assertThat(status(TestDriver.write(0, 3).prp1(DATA))).isZero();
        assertThat(status(TestDriver.read(1, 2).prp1(OTHER))).isZero();
        assertThat(bytes(OTHER, 2 * extended)).isEqualTo(bytes(DATA + extended, 2 * extended));
        assertThat(status(TestDriver.read(0, 2048).prp1(OTHER).prp2(LIST)))
                .as("with metadata, 2048 blocks are more than 1 MiB")
                .isEqualTo(Status.INVALID_FIELD);
    }

    @ParameterizedTest
    @CsvSource({"1, 8", "1, 16", "2, 8", "2, 64", "3, 8"})
    void theControllerMakesAndChecksProtectionInformation(int type, int bytes) throws IOException {
        serve(bytes, false, type);
        random(DATA, 2 * BLOCK, 1);
        driver.at(METADATA, 2L * bytes).fill((byte) 0x33);
        int tag = type == 1 ? 5 : 0x12345678;
        int checks = type == 3 ? GUARD | APPLICATION : GUARD | APPLICATION | REFERENCE;
        Command write = TestDriver.write(5, 2).prp1(DATA).metadata(METADATA);
        assertThat(status(flagged(write, PRACT, tag, 0xffff_beef))).isZero();
        Command read = TestDriver.read(5, 2).prp1(OTHER).metadata(METADATA + PAGE);
        assertThat(status(flagged(read, checks, tag, 0xffff_beef))).isZero();
        assertThat(bytes(OTHER, 2 * BLOCK)).isEqualTo(bytes(DATA, 2 * BLOCK));
        for (int i = 0; i < 2; i++) {
            MemorySegment metadata = driver.at(METADATA + PAGE + (long) i * bytes, bytes);
            int tuple = bytes - 8;
            int crc = ProtectionInformation.guard(0, driver.at(DATA + (long) i * BLOCK, BLOCK), 0, BLOCK);
            crc = ProtectionInformation.guard(crc, metadata, 0, tuple);
            assertThat(metadata.get(JAVA_SHORT_UNALIGNED.withOrder(BIG_ENDIAN), tuple))
                    .isEqualTo((short) crc);
            assertThat(metadata.get(JAVA_SHORT_UNALIGNED.withOrder(BIG_ENDIAN), tuple + 2))
                    .isEqualTo((short) 0xbeef);
            assertThat(metadata.get(JAVA_INT_UNALIGNED.withOrder(BIG_ENDIAN), tuple + 4))
                    .isEqualTo(type == 3 ? tag : tag + i);
        }
        assertThat(status(flagged(read.blocks(5, 2), APPLICATION, tag, 0xffff_beee)))
                .isEqualTo(Status.APPLICATION_TAG_CHECK_ERROR);
        assertThat(status(flagged(read.blocks(5, 2), APPLICATION, tag, 0xfff0_beee)))
                .as("masked")
                .isZero();
        assertThat(status(flagged(read.blocks(5, 2), REFERENCE, tag + 1, 0)))
                .isEqualTo(type == 2 ? Status.REFERENCE_TAG_CHECK_ERROR : Status.INVALID_PROTECTION_INFORMATION);
        assertThat(status(flagged(new Command(Opcode.VERIFY).blocks(5, 2), checks, tag, 0xffff_beef)))
                .isZero();
    }

    @Test
    void whatTheHostBringsIsCheckedBeforeItIsWritten() throws IOException {
        serve(8, true, 1);
        random(DATA, BLOCK, 1);
        int crc = ProtectionInformation.guard(0, driver.at(DATA, BLOCK), 0, BLOCK);
        tuple(DATA + BLOCK, crc, 0x77, 9);
        assertThat(status(flagged(TestDriver.write(9, 1).prp1(DATA), GUARD | REFERENCE, 9, 0)))
                .isZero();
        tuple(DATA + BLOCK, crc ^ 1, 0x77, 9);
        assertThat(status(flagged(TestDriver.write(9, 1).prp1(DATA), GUARD, 9, 0)))
                .isEqualTo(Status.GUARD_CHECK_ERROR);
        tuple(DATA + BLOCK, crc, 0x77, 10);
        assertThat(status(flagged(TestDriver.write(9, 1).prp1(DATA), REFERENCE, 9, 0)))
                .isEqualTo(Status.REFERENCE_TAG_CHECK_ERROR);
        tuple(DATA + BLOCK, crc ^ 1, 0xffff, 10);
        assertThat(status(flagged(TestDriver.write(10, 1).prp1(DATA), GUARD | REFERENCE, 10, 0)))
                .as("an application tag of all ones turns the checks off")
                .isZero();
        assertThat(status(flagged(TestDriver.read(9, 1).prp1(OTHER), GUARD | REFERENCE, 9, 0)))
                .as("what failed was not written")
                .isZero();
        assertThat(status(flagged(TestDriver.read(9, 1).prp1(OTHER), PRACT | GUARD | REFERENCE, 9, 0)))
                .isZero();
        assertThat(bytes(OTHER, BLOCK)).as("without metadata").isEqualTo(bytes(DATA, BLOCK));
    }

    private void tuple(long address, int guard, int application, int reference) {
        MemorySegment at = driver.at(address, 8);
        at.set(JAVA_SHORT_UNALIGNED.withOrder(BIG_ENDIAN), 0, (short) guard);
        at.set(JAVA_SHORT_UNALIGNED.withOrder(BIG_ENDIAN), 2, (short) application);
        at.set(JAVA_INT_UNALIGNED.withOrder(BIG_ENDIAN), 4, reference);
    }

    @Test
    void blocksThatWereNeverWrittenAreNotChecked() throws IOException {
        serve(8, false, 1);
        Command read = TestDriver.read(100, 4).prp1(OTHER).metadata(METADATA);
        assertThat(status(flagged(read, GUARD | REFERENCE, 100, 0))).isZero();
        assertThat(bytes(METADATA, 32)).containsOnly(0xff);
        assertThat(status(flagged(new Command(Opcode.WRITE_ZEROES).blocks(100, 4), PRACT, 100, 0)))
                .isZero();
        assertThat(status(flagged(read.blocks(100, 4), GUARD | REFERENCE, 100, 0)))
                .isZero();
        assertThat(bytes(METADATA, 8)).containsExactly(0, 0, 0, 0, 0, 0, 0, 100);
        assertThat(status(new Command(Opcode.WRITE_ZEROES).blocks(100, 1))).isZero();
        assertThat(status(read.blocks(100, 1))).isZero();
        assertThat(bytes(METADATA, 8)).containsOnly(0xff);
    }

    @Test
    void aCopyMakesProtectionInformationForItsPlace() throws IOException {
        serve(8, false, 1);
        random(DATA, BLOCK, 1);
        assertThat(status(flagged(TestDriver.write(3, 1).prp1(DATA), PRACT, 3, 0)))
                .isZero();
        driver.at(OTHER, 32).fill((byte) 0);
        word(OTHER + 8, 3);
        word(OTHER + 24, 3);
        int check = 1 << 12 | 1 << 14;
        Command copy = new Command(Opcode.COPY).namespace(1).prp1(OTHER).dwords(50, 0, PRACT | check, 0, 50, 0);
        assertThat(status(copy)).isZero();
        Command read = TestDriver.read(50, 1).prp1(OTHER).metadata(METADATA);
        assertThat(status(flagged(read, GUARD | REFERENCE, 50, 0))).isZero();
        assertThat(bytes(OTHER, BLOCK)).isEqualTo(bytes(DATA, BLOCK));
    }

    @Test
    void anAppendMovesTheReferenceTagsAlong() throws IOException {
        serveAgain(options().withMetadata(new Metadata(8, false, 1)).withZones(new ZoneLimits(1 << 20, 0, 0)));
        long zone = 2048;
        assertThat(status(flagged(append(zone), PRACT | PIREMAP, (int) zone, 0)))
                .isZero();
        tuple(METADATA, ProtectionInformation.guard(0, driver.at(DATA, BLOCK), 0, BLOCK), 0, (int) zone);
        Command checked = append(zone).metadata(METADATA);
        assertThat(status(flagged(checked, PIREMAP | GUARD | REFERENCE, (int) zone, 0)))
                .isZero();
        Command read = TestDriver.read(zone, 2).prp1(OTHER).metadata(METADATA);
        assertThat(status(flagged(read, GUARD | REFERENCE, (int) zone, 0))).isZero();
        assertThat(status(append(zone))).isEqualTo(Status.INVALID_PROTECTION_INFORMATION);
    }

    private static Command append(long zone) {
        return new Command(Opcode.ZONE_APPEND).blocks(zone, 1).prp1(DATA);
    }

    @Test
    void metadataIsKeptBesideTheFile() throws IOException {
        Path file = directory.resolve("disk");
        NvmeOptions options = options().withFile(file).withMetadata(new Metadata(8, false, 0));
        serveAgain(options);
        random(METADATA, 8, 3);
        assertThat(status(TestDriver.write(77, 1).prp1(DATA).metadata(METADATA)))
                .isZero();
        serveAgain(options);
        random(METADATA, 8, 3);
        assertThat(status(TestDriver.read(77, 1).prp1(DATA).metadata(METADATA + PAGE)))
                .isZero();
        assertThat(bytes(METADATA + PAGE, 8)).isEqualTo(bytes(METADATA, 8));
    }
}
