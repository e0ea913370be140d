package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.nvme.NvmeOptions.Metadata;
import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Sgl;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Scatter gather lists. */
class NvmeScatterGatherTest extends NvmeTestBase {
    private static final int SGL = 1 << 14;
    private static final int SGL_METADATA = 2 << 14;

    @BeforeEach
    void writeBlocks() throws IOException {
        random(OTHER, PAGE, 1);
        assertThat(status(TestDriver.write(0, 8).prp1(OTHER))).isZero();
    }

    /** Writes a descriptor; returns the address after it. */
    private long descriptor(long at, int type, long address, int length) {
        word(at, address);
        word(at + 8, Integer.toUnsignedLong(length) | (long) type << 60);
        return at + 16;
    }

    private static Command described(Command command, int type, long address, int length) {
        command.prp1(address).prp2(0);
        return command.flags(SGL).dword(8, length).dword(9, type << 28);
    }

    @Test
    void oneDescriptorIsEnough() throws IOException {
        assertThat(status(described(TestDriver.read(0, 8), Sgl.DATA_BLOCK, DATA + 3, PAGE)))
                .isZero();
        assertThat(bytes(DATA + 3, PAGE)).isEqualTo(bytes(OTHER, PAGE));
        assertThat(status(described(TestDriver.write(100, 8), Sgl.DATA_BLOCK, DATA + 3, 2 * PAGE)))
                .as("longer than the data")
                .isZero();
        assertThat(status(TestDriver.read(100, 8).prp1(DATA))).isZero();
        assertThat(bytes(DATA, PAGE)).isEqualTo(bytes(OTHER, PAGE));
        assertThat(status(described(TestDriver.read(0, 8), Sgl.DATA_BLOCK, DATA, PAGE - 1)))
                .isEqualTo(Status.DATA_SGL_LENGTH_INVALID);
    }

    @Test
    void segmentsLeadToMoreSegments() throws IOException {
        long at = descriptor(LIST, Sgl.DATA_BLOCK, DATA, 100);
        at = descriptor(at, Sgl.DATA_BLOCK, DATA + 0x1000, 0);
        descriptor(at, Sgl.SEGMENT, LIST + PAGE, 32);
        at = descriptor(LIST + PAGE, Sgl.DATA_BLOCK, DATA + 0x2000, 1000);
        descriptor(at, Sgl.LAST_SEGMENT, LIST + 2 * PAGE, 16);
        descriptor(LIST + 2 * PAGE, Sgl.DATA_BLOCK, DATA + 0x3001, PAGE - 1100);
        assertThat(status(described(TestDriver.read(0, 8), Sgl.SEGMENT, LIST, 48)))
                .isZero();
        assertThat(bytes(DATA, 100)).isEqualTo(bytes(OTHER, 100));
        assertThat(bytes(DATA + 0x2000, 1000)).isEqualTo(bytes(OTHER + 100, 1000));
        assertThat(bytes(DATA + 0x3001, PAGE - 1100)).isEqualTo(bytes(OTHER + 1100, PAGE - 1100));
        assertThat(status(described(new Command(Opcode.COMPARE).blocks(0, 8), Sgl.SEGMENT, LIST, 48)))
                .isZero();
    }

    @Test
    void bitBucketsTakeWhatIsRead() throws IOException {
        driver.at(DATA, PAGE).fill((byte) 0x5a);
        long at = descriptor(LIST, Sgl.BIT_BUCKET, 0, 3 * BLOCK);
        at = descriptor(at, Sgl.DATA_BLOCK, DATA, BLOCK);
        descriptor(at, Sgl.BIT_BUCKET, 0, 4 * BLOCK);
        assertThat(status(described(TestDriver.read(0, 8), Sgl.LAST_SEGMENT, LIST, 48)))
                .isZero();
        assertThat(bytes(DATA, BLOCK)).isEqualTo(bytes(OTHER + 3 * BLOCK, BLOCK));
        assertThat(bytes(DATA + BLOCK, BLOCK)).containsOnly(0x5a);
    }

    @Test
    void listsThatMakeNoSenseAreRefused() throws IOException {
        assertThat(status(described(TestDriver.read(0, 1), 5, DATA, BLOCK))).isEqualTo(Status.SGL_TYPE_INVALID);
        assertThat(status(described(TestDriver.read(0, 1), Sgl.DATA_BLOCK, DATA, BLOCK)
                        .dword(9, 1 << 24)))
                .as("a subtype")
                .isEqualTo(Status.SGL_TYPE_INVALID);
        assertThat(status(described(TestDriver.read(0, 1), Sgl.SEGMENT, LIST, 8)))
                .isEqualTo(Status.INVALID_SGL_SEGMENT);
        assertThat(status(described(TestDriver.read(0, 1), Sgl.LAST_SEGMENT, LIST, 0)))
                .isEqualTo(Status.INVALID_SGL_SEGMENT);
        assertThat(status(described(TestDriver.read(0, 1), Sgl.DATA_BLOCK, 0x1000, BLOCK)))
                .isEqualTo(Status.DATA_TRANSFER_ERROR);
        assertThat(status(described(TestDriver.read(0, 1), Sgl.LAST_SEGMENT, 0x1000, 16)))
                .isEqualTo(Status.DATA_TRANSFER_ERROR);
        descriptor(LIST, Sgl.LAST_SEGMENT, LIST, 16);
        assertThat(status(described(TestDriver.read(0, 1), Sgl.LAST_SEGMENT, LIST, 16)))
                .as("a segment in the last segment")
                .isEqualTo(Status.INVALID_SGL_SEGMENT);
        descriptor(LIST, Sgl.DATA_BLOCK, DATA, 100);
        assertThat(status(described(TestDriver.read(0, 1), Sgl.SEGMENT, LIST, 16)))
                .as("no next segment")
                .isEqualTo(Status.INVALID_SGL_SEGMENT);
        assertThat(status(described(TestDriver.read(0, 1), Sgl.LAST_SEGMENT, LIST, 16)))
                .isEqualTo(Status.DATA_SGL_LENGTH_INVALID);
        assertThat(status(TestDriver.read(0, 1).flags(3 << 14))).isEqualTo(Status.INVALID_FIELD);
        assertThat(adminStatus(identify(1, 0).flags(SGL))).isEqualTo(Status.INVALID_FIELD);
    }

    @Test
    void segmentsThatLeadInACircleEnd() throws IOException {
        descriptor(LIST, Sgl.SEGMENT, LIST, 16);
        assertThat(status(described(TestDriver.read(0, 1), Sgl.SEGMENT, LIST, 16)))
                .isEqualTo(Status.INVALID_SGL_COUNT);
    }

    @Test
    void metadataMayBeScatteredToo() throws IOException {
        serveAgain(options().withMetadata(new Metadata(8, false, 0)));
        random(OTHER, BLOCK + 16, 1);
        long at = descriptor(LIST + PAGE, Sgl.DATA_BLOCK, OTHER + BLOCK, 3);
        descriptor(at, Sgl.DATA_BLOCK, OTHER + BLOCK + 8, 5);
        descriptor(LIST, Sgl.LAST_SEGMENT, LIST + PAGE, 32);
        Command write = described(TestDriver.write(0, 1), Sgl.DATA_BLOCK, OTHER, BLOCK);
        write.words[0] &= ~SGL;
        assertThat(status(write.flags(SGL_METADATA).metadata(LIST))).isZero();
        assertThat(status(described(TestDriver.read(0, 1), Sgl.DATA_BLOCK, DATA, BLOCK)
                        .metadata(DATA + BLOCK + 1)))
                .as("a buffer for metadata at any address")
                .isZero();
        assertThat(bytes(DATA + BLOCK + 1, 3)).isEqualTo(bytes(OTHER + BLOCK, 3));
        assertThat(bytes(DATA + BLOCK + 4, 5)).isEqualTo(bytes(OTHER + BLOCK + 8, 5));
        descriptor(LIST, Sgl.DATA_BLOCK, OTHER, 7);
        assertThat(status(write.metadata(LIST))).isEqualTo(Status.METADATA_SGL_LENGTH_INVALID);
        assertThat(driver.at(DATA, 1).get(JAVA_BYTE, 0)).isEqualTo(bytes(OTHER, 1)[0]);
    }
}
