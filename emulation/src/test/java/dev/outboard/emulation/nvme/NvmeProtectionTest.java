package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.BIG_ENDIAN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.nvme.NvmeOptions.Metadata;
import dev.outboard.emulation.nvme.NvmeOptions.ZoneLimits;
import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.Guard;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.ProtectionInformation;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
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
    private static final int STORAGE = (int) ProtectionInformation.CHECK_STORAGE_TAG.mask();
    private static final int PIREMAP = (int) ProtectionInformation.PIREMAP.mask();
    /** Its LBA format has index 10. */
    private static final ProtectionInformation LONG = new ProtectionInformation(Guard.BITS_32, 40);

    private static final long METADATA = OTHER + 0x100000;

    private void serve(int bytes, boolean extended, int type) throws IOException {
        serveAgain(options().withMetadata(new Metadata(bytes, extended, type)));
    }

    private static Command flagged(Command command, int flags, int tag, int tags) {
        return command.dword(12, command.words[12] | flags).dword(14, tag).dword(15, tags);
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
            long crc = Guard.BITS_16.of(0, driver.at(DATA + (long) i * BLOCK, BLOCK), 0, BLOCK);
            crc = Guard.BITS_16.of(crc, metadata, 0, tuple);
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
        long crc = Guard.BITS_16.of(0, driver.at(DATA, BLOCK), 0, BLOCK);
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

    private void tuple(long address, long guard, int application, int reference) {
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
        tuple(METADATA, Guard.BITS_16.of(0, driver.at(DATA, BLOCK), 0, BLOCK), 0, (int) zone);
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

    private void serveLong(int type) throws IOException {
        serveAgain(options().withMetadata(new Metadata(16, false, type, LONG)));
    }

    /** Tags as a command has them: the reference tag of 40 bits in dwords 14 and 3, the storage tag above. */
    private static Command longTags(Command command, int flags, long storageTag, long referenceTag) {
        long low = LONG.low(storageTag, referenceTag);
        return flagged(command, flags, (int) low, 0)
                .dword(3, (int) (low >>> 32))
                .dword(2, LONG.high(storageTag));
    }

    @Test
    void extendedFormatsAreForHostsThatKnowThem() throws IOException {
        serveLong(1);
        Command read = TestDriver.read(5, 1).prp1(OTHER).metadata(METADATA);
        assertThat(status(read)).isEqualTo(Status.INVALID_NAMESPACE);
        assertThat(status(new Command(Opcode.FLUSH).namespace(1))).isEqualTo(Status.INVALID_NAMESPACE);
        Command format = new Command(Opcode.FORMAT_NVM).namespace(1);
        assertThat(adminStatus(format.dwords(9))).isEqualTo(Status.INVALID_NAMESPACE);
        knowExtendedFormats();
        assertThat(status(read.blocks(5, 1))).isZero();
        assertThat(adminStatus(format.dwords(9))).isZero();
        assertThat(adminStatus(format.dwords(1 << 12 | 8)))
                .as("a format that is not there")
                .isEqualTo(Status.INVALID_FORMAT);
        reset();
        assertThat(adminStatus(format.dwords(9))).as("forgotten by a reset").isEqualTo(Status.INVALID_NAMESPACE);
    }

    @Test
    void extendedFormatsAreDescribed() throws IOException {
        serveLong(2);
        knowExtendedFormats();
        assertThat(adminStatus(identify(Identify.CNS_NAMESPACE, 1))).isZero();
        int flbas = Identify.NAMESPACE.view(driver.at(DATA, PAGE)).getInt("flbas");
        assertThat(Identify.NAMESPACE.view(driver.at(DATA, PAGE)).getInt("nlbaf"))
                .isEqualTo(23);
        assertThat(adminStatus(identify(Identify.CNS_COMMAND_SET_NAMESPACE, 1))).isZero();
        StructView nvm = Identify.NVM_NAMESPACE.view(driver.at(DATA, PAGE));
        assertThat(nvm.get("lbstm")).isEqualTo(LONG.storageTagMask());
        assertThat(nvm.get("pic")).isEqualTo(0b101);
        int format = nvm.slice("elbaf").get(JAVA_INT_UNALIGNED, flbas * 4L);
        assertThat(format).isEqualTo(1 << 7 | 40);
        assertThat(nvm.slice("elbaf").get(JAVA_INT_UNALIGNED, 0)).isZero();
    }

    @Test
    void storageTagsAreCheckedWhereTheirMaskSaysSo() throws IOException {
        serveAgain(options());
        knowExtendedFormats();
        assertThat(adminStatus(
                        new Command(Opcode.NAMESPACE_MANAGEMENT).namespace(1).dwords(1)))
                .isZero();
        driver.at(DATA, PAGE).fill((byte) 0);
        Identify.NAMESPACE
                .view(driver.at(DATA, PAGE))
                .set("nsze", 1024)
                .set("ncap", 1024)
                .set("flbas", 10)
                .set("dps", 1);
        word(DATA + Identify.CREATED_STORAGE_TAG_MASK, 0xf0_0000_00ffL);
        assertThat(adminStatus(new Command(Opcode.NAMESPACE_MANAGEMENT).prp1(DATA)))
                .isZero();
        driver.at(DATA, PAGE).fill((byte) 0).set(JAVA_INT_UNALIGNED, 0, 1 << 16 | 1);
        assertThat(adminStatus(
                        new Command(Opcode.NAMESPACE_ATTACHMENT).namespace(1).prp1(DATA)))
                .isZero();
        assertThat(status(longTags(TestDriver.write(7, 1).prp1(DATA), PRACT, 0xab_cdef_1234L, 7)))
                .isZero();
        Command read = TestDriver.read(7, 1).prp1(OTHER).metadata(METADATA);
        assertThat(status(longTags(read, STORAGE, 0xa0_0000_0034L, 7)))
                .as("masked")
                .isZero();
        assertThat(status(longTags(read.blocks(7, 1), STORAGE, 0xa0_0000_0035L, 7)))
                .isEqualTo(Status.STORAGE_TAG_CHECK_ERROR);
        assertThat(status(longTags(read.blocks(7, 1), STORAGE, 0xb0_0000_0034L, 7)))
                .isEqualTo(Status.STORAGE_TAG_CHECK_ERROR);
        assertThat(LONG.storageTag(driver.at(METADATA, 16), 0)).isEqualTo(0xab_cdef_1234L);
        assertThat(LONG.referenceTag(driver.at(METADATA, 16), 0)).isEqualTo(7);
    }

    @Test
    void referenceTagsOf40BitsCountBeyond32() throws IOException {
        serveLong(2);
        knowExtendedFormats();
        long tag = 0x12_ffff_ffffL;
        assertThat(status(longTags(TestDriver.write(5, 2).prp1(DATA), PRACT, 1, tag)))
                .isZero();
        Command read = TestDriver.read(5, 2).prp1(OTHER).metadata(METADATA);
        assertThat(status(longTags(read, GUARD | REFERENCE | STORAGE, 1, tag))).isZero();
        assertThat(LONG.referenceTag(driver.at(METADATA, 32), 16)).isEqualTo(0x13_0000_0000L);
        assertThat(status(longTags(read.blocks(5, 2), REFERENCE, 1, 0x13_ffff_ffffL)))
                .isEqualTo(Status.REFERENCE_TAG_CHECK_ERROR);
        assertThat(status(longTags(TestDriver.write(5, 1).prp1(DATA), PRACT, 1, 0xff_ffff_ffffL)))
                .isZero();
        assertThat(status(longTags(read.blocks(5, 1), REFERENCE, 1, 0xff_ffff_ffffL)))
                .isZero();
    }

    @Test
    void aCopyOfLongTagsNeedsRangesWithRoomForThem() throws IOException {
        serveLong(1);
        knowExtendedFormats();
        random(DATA, BLOCK, 1);
        assertThat(status(longTags(TestDriver.write(3, 1).prp1(DATA), PRACT, 0x77, 3)))
                .isZero();
        driver.at(OTHER, 40).fill((byte) 0);
        word(OTHER + 8, 3);
        driver.at(OTHER, 40).set(JAVA_SHORT_UNALIGNED.withOrder(BIG_ENDIAN), 26, (short) LONG.high(0x77));
        driver.at(OTHER, 40).set(JAVA_LONG_UNALIGNED.withOrder(BIG_ENDIAN), 28, LONG.low(0x77, 3));
        int check = 1 << 12 | 1 << 14 | 1 << 25;
        Command copy = new Command(Opcode.COPY).namespace(1).prp1(OTHER).dwords(50, 0, 1 << 8 | PRACT | check, 0);
        assertThat(status(longTags(copy, 0, 0x88, 50))).isZero();
        Command read = TestDriver.read(50, 1).prp1(OTHER).metadata(METADATA);
        assertThat(status(longTags(read, GUARD | REFERENCE | STORAGE, 0x88, 50)))
                .isZero();
        assertThat(bytes(OTHER, BLOCK)).isEqualTo(bytes(DATA, BLOCK));
        assertThat(status(new Command(Opcode.COPY).namespace(1).prp1(OTHER).dwords(50, 0, PRACT)))
                .as("format 0")
                .isEqualTo(Status.INVALID_FIELD);
    }

    @Test
    void anAppendMovesLongTagsAlong() throws IOException {
        serveAgain(options().withMetadata(new Metadata(16, false, 1, LONG)).withZones(new ZoneLimits(1 << 20, 0, 0)));
        knowExtendedFormats();
        long zone = 2048;
        for (int i = 0; i < 2; i++) {
            LONG.setGuard(driver.at(METADATA, 16), 0, Guard.BITS_32.of(0, driver.at(DATA, BLOCK), 0, BLOCK));
            LONG.setTags(driver.at(METADATA, 16), 0, 5, zone);
            Command append = append(zone).metadata(METADATA);
            assertThat(status(longTags(append, PIREMAP | GUARD | REFERENCE | STORAGE, 5, zone)))
                    .isZero();
        }
        Command read = TestDriver.read(zone, 2).prp1(OTHER).metadata(METADATA);
        assertThat(status(longTags(read, GUARD | REFERENCE | STORAGE, 5, zone))).isZero();
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
