package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.linux.Fd;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** I/O: data goes where the command says, and nowhere else. */
class NvmeDataTest extends NvmeTestBase {
    private static final long SIZE = 5L << 30;
    private static final long BLOCKS = SIZE / BLOCK;
    private static final long COPY = OTHER;

    @Override
    NvmeOptions options() {
        return NvmeOptions.DEFAULT.withSizeBytes(SIZE);
    }

    private MemorySegment random(long address, int size) {
        return random(address, size, address + size);
    }

    /** Writes a PRP list of pages in any order; returns where it is. */
    private long list(long at, long... pages) {
        for (int i = 0; i < pages.length; i++) {
            driver.at(at + i * 8L, 8).set(JAVA_LONG, 0, pages[i]);
        }
        return at;
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 4_194_303, 4_194_304, BLOCKS - 8})
    void aPageIsReadBackAsItWasWritten(long block) throws IOException {
        MemorySegment written = random(DATA, PAGE);
        assertThat(status(TestDriver.write(block, 8).prp1(DATA))).isZero();
        assertThat(status(TestDriver.read(block, 8).prp1(COPY))).isZero();
        assertThat(driver.at(COPY, PAGE).mismatch(written)).isEqualTo(-1);
    }

    @Test
    void transfersMayStartInsideOfAPage() throws IOException {
        MemorySegment written = random(DATA + 0xe04, 3 * BLOCK);
        assertThat(status(TestDriver.write(7, 3).prp1(DATA + 0xe04).prp2(DATA + PAGE)))
                .isZero();
        driver.at(COPY, 3 * PAGE).fill((byte) 0x5a);
        assertThat(status(TestDriver.read(7, 3).prp1(COPY + 0xe04).prp2(COPY + 2 * PAGE)))
                .isZero();
        int first = PAGE - 0xe04;
        assertThat(driver.at(COPY + 0xe04, first).mismatch(written.asSlice(0, first)))
                .isEqualTo(-1);
        int rest = 3 * BLOCK - first;
        assertThat(driver.at(COPY + 2 * PAGE, rest).mismatch(written.asSlice(first)))
                .isEqualTo(-1);
        assertUntouched(COPY, 0xe04);
        assertUntouched(COPY + PAGE, PAGE);
        assertUntouched(COPY + 2 * PAGE + rest, PAGE - rest);
    }

    private void assertUntouched(long address, long size) {
        for (byte b : driver.at(address, size).toArray(JAVA_BYTE)) {
            assertThat(b).isEqualTo((byte) 0x5a);
        }
    }

    @Test
    void aListNamesPagesInAnyOrder() throws IOException {
        MemorySegment written = random(DATA, 5 * PAGE);
        long all = list(LIST, DATA + PAGE, DATA + 2 * PAGE, DATA + 3 * PAGE, DATA + 4 * PAGE);
        assertThat(status(TestDriver.write(0, 40).prp1(DATA).prp2(all))).isZero();
        long reversed = list(LIST, COPY + 3 * PAGE, COPY + 2 * PAGE, COPY + PAGE, COPY);
        assertThat(status(TestDriver.read(0, 40).prp1(COPY + 4 * PAGE).prp2(reversed)))
                .isZero();
        for (int i = 0; i < 5; i++) {
            assertThat(driver.at(COPY + (4L - i) * PAGE, PAGE).mismatch(written.asSlice((long) i * PAGE, PAGE)))
                    .isEqualTo(-1);
        }
    }

    @Test
    void aListMayStartInsideOfAPageAndGoOnInAnother() throws IOException {
        int pages = 256;
        MemorySegment written = random(DATA, pages * PAGE);
        long[] rest = new long[pages - 1];
        for (int i = 0; i < rest.length; i++) {
            rest[i] = DATA + (i + 1L) * PAGE;
        }
        // 15 entries, then the pointer to the rest of the list.
        long start = LIST + PAGE - 16 * 8;
        list(start, Arrays.copyOf(rest, 15));
        list(LIST + PAGE - 8, LIST + 4 * PAGE);
        list(LIST + 4 * PAGE, Arrays.copyOfRange(rest, 15, rest.length));
        assertThat(status(TestDriver.write(100, 2048).prp1(DATA).prp2(start))).isZero();
        for (int i = 0; i < pages; i += 17) {
            assertThat(status(TestDriver.read(100 + i * 8, 8).prp1(COPY))).isZero();
            assertThat(driver.at(COPY, PAGE).mismatch(written.asSlice((long) i * PAGE, PAGE)))
                    .isEqualTo(-1);
        }
    }

    @Test
    void theLastEntryOfAPageIsDataWhenNothingFollows() throws IOException {
        random(DATA, 3 * PAGE);
        long start = list(LIST + PAGE - 16, DATA + PAGE, DATA + 2 * PAGE);
        assertThat(status(TestDriver.write(0, 24).prp1(DATA).prp2(start))).isZero();
        assertThat(status(TestDriver.read(16, 8).prp1(COPY))).isZero();
        assertThat(driver.at(COPY, PAGE).mismatch(driver.at(DATA + 2 * PAGE, PAGE)))
                .isEqualTo(-1);
    }

    @Test
    void aListThatLeadsToItselfEnds() throws IOException {
        list(LIST + PAGE - 8, LIST);
        for (int i = 0; i < 511; i++) {
            list(LIST + i * 8L, DATA);
        }
        assertThat(status(TestDriver.write(0, 2048).prp1(DATA).prp2(LIST + PAGE - 8)))
                .isZero();
        list(LIST + PAGE - 8, LIST + PAGE - 8);
        assertThat(status(TestDriver.write(0, 2048).prp1(DATA).prp2(LIST + PAGE - 8)))
                .isEqualTo(Status.PRP_OFFSET_INVALID);
    }

    @ParameterizedTest
    @CsvSource({
        "0x100100001, 0, 0x013", "0x100100000, 0x100101001, 0x013", "0x1000, 0x100101000, 0x004",
        "0x100100000, 0x1000, 0x004", "0x100100000, 0, 0x004", "-4096, 0x100101000, 0x004"
    })
    void pointersThatLeadNowhereAreRefused(String prp1, String prp2, String expected) throws IOException {
        Command read = TestDriver.read(0, 16).prp1(Long.decode(prp1)).prp2(Long.decode(prp2));
        assertThat(status(read)).isEqualTo(Integer.decode(expected));
    }

    @Test
    void listsThatLeadNowhereAreRefused() throws IOException {
        assertThat(status(TestDriver.read(0, 24).prp1(DATA).prp2(0x1000))).isEqualTo(Status.DATA_TRANSFER_ERROR);
        assertThat(status(TestDriver.read(0, 24).prp1(DATA).prp2(LIST + 4))).isEqualTo(Status.PRP_OFFSET_INVALID);
        long bad = list(LIST, DATA + PAGE, 0x1000);
        assertThat(status(TestDriver.read(0, 24).prp1(DATA).prp2(bad))).isEqualTo(Status.DATA_TRANSFER_ERROR);
        long unaligned = list(LIST, DATA + PAGE, DATA + 8);
        assertThat(status(TestDriver.read(0, 24).prp1(DATA).prp2(unaligned))).isEqualTo(Status.PRP_OFFSET_INVALID);
    }

    @Test
    void pagesOfDifferentMappingsAreBothReached() throws IOException {
        long next = TestDriver.MEMORY + TestDriver.MEMORY_BYTES;
        try (Fd more = Fd.memfd("more", PAGE)) {
            assertThat(driver.client.map(next, PAGE, TestDriver.READ_WRITE, 0, more))
                    .isZero();
            random(next - PAGE, PAGE);
            assertThat(status(TestDriver.write(0, 8).prp1(next - PAGE))).isZero();
            assertThat(status(TestDriver.read(0, 8).prp1(next))).isZero();
            assertThat(status(TestDriver.write(8, 16).prp1(next - PAGE).prp2(next)))
                    .isZero();
            assertThat(status(TestDriver.read(16, 8).prp1(COPY))).isZero();
            assertThat(driver.at(COPY, PAGE).mismatch(driver.at(next - PAGE, PAGE)))
                    .isEqualTo(-1);
        }
    }

    @Test
    void memoryThatMayOnlyBeReadIsNotWritten() throws IOException {
        long address = TestDriver.MEMORY + TestDriver.MEMORY_BYTES;
        try (Fd more = Fd.memfd("more", PAGE)) {
            assertThat(driver.client.map(address, PAGE, VfioUser.DMA_MAP_READ, 0, more))
                    .isZero();
            assertThat(status(TestDriver.write(0, 8).prp1(address))).isZero();
            assertThat(status(TestDriver.read(0, 8).prp1(address))).isEqualTo(Status.DATA_TRANSFER_ERROR);
        }
    }

    @ParameterizedTest
    @CsvSource({"10485760, 1", "10485759, 2", "-1, 1", "9223372036854775807, 2", "-8, 8"})
    void blocksThatAreNotThereAreOutOfRange(long first, int count) throws IOException {
        assertThat(status(TestDriver.read(first, count).prp1(DATA))).isEqualTo(Status.LBA_OUT_OF_RANGE);
        assertThat(status(TestDriver.write(first, count).prp1(DATA))).isEqualTo(Status.LBA_OUT_OF_RANGE);
        assertThat(status(new Command(Opcode.WRITE_ZEROES).blocks(first, count)))
                .isEqualTo(Status.LBA_OUT_OF_RANGE);
    }

    @Test
    void whatIsLargerThanTheMaximumTransferIsRefused() throws IOException {
        assertThat(status(TestDriver.read(0, 2049).prp1(DATA).prp2(LIST))).isEqualTo(Status.INVALID_FIELD);
        assertThat(status(TestDriver.read(0, 65536).prp1(DATA).prp2(LIST))).isEqualTo(Status.INVALID_FIELD);
    }

    @Test
    void anotherNamespaceIsRefused() throws IOException {
        assertThat(status(TestDriver.read(0, 1).namespace(2).prp1(DATA))).isEqualTo(Status.INVALID_FIELD);
        assertThat(status(new Command(Opcode.FLUSH).namespace(0))).isEqualTo(Status.INVALID_NAMESPACE);
        assertThat(status(new Command(Opcode.FLUSH).namespace(-1))).isZero();
    }

    @Test
    void zeroesAreWritten() throws IOException {
        random(DATA, PAGE);
        assertThat(status(TestDriver.write(0, 8).prp1(DATA))).isZero();
        assertThat(status(new Command(Opcode.WRITE_ZEROES).blocks(2, 3))).isZero();
        assertThat(status(TestDriver.read(0, 8).prp1(COPY))).isZero();
        driver.at(DATA + 2 * BLOCK, 3 * BLOCK).fill((byte) 0);
        assertThat(driver.at(COPY, PAGE).mismatch(driver.at(DATA, PAGE))).isEqualTo(-1);
    }

    @Test
    void dataOutlivesItsClient() throws IOException {
        random(DATA, PAGE);
        assertThat(status(TestDriver.write(5, 8).prp1(DATA))).isZero();
        driver.close();
        connectDriver();
        random(COPY, PAGE);
        assertThat(status(TestDriver.read(5, 8).prp1(DATA))).isZero();
        MemorySegment again = driver.at(DATA, PAGE);
        byte[] expected = new byte[PAGE];
        new Random(DATA + PAGE).nextBytes(expected);
        assertThat(again.mismatch(MemorySegment.ofArray(expected))).isEqualTo(-1);
    }

    @Test
    void aFileKeepsTheDataInBlocksOf4096Bytes() throws IOException {
        Path file = directory.resolve("disk");
        serveAgain(NvmeOptions.DEFAULT
                .withSizeBytes(1 << 20)
                .withBlockSizeBytes(4096)
                .withFile(file));
        MemorySegment written = random(DATA, PAGE);
        assertThat(status(TestDriver.write(255, 1).prp1(DATA))).isZero();
        assertThat(status(new Command(Opcode.FLUSH).namespace(1))).isZero();
        assertThat(status(TestDriver.read(256, 1).prp1(DATA))).isEqualTo(Status.LBA_OUT_OF_RANGE);
        byte[] bytes = Files.readAllBytes(file);
        assertThat(bytes).hasSize(1 << 20);
        assertThat(MemorySegment.ofArray(bytes).asSlice(255L * PAGE).mismatch(written))
                .isEqualTo(-1);
    }
}
