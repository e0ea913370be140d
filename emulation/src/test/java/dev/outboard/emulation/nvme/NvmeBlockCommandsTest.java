package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.emulation.nvme.TestDriver.Done;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The I/O commands other than plain reads and writes. */
class NvmeBlockCommandsTest extends NvmeTestBase {
    private static final int DEALLOCATE = 1 << 2;
    private static final int FIRST = 1 << 8;
    private static final int SECOND = 2 << 8;

    private static Command compare(long first, int count) {
        return new Command(Opcode.COMPARE).blocks(first, count);
    }

    @Test
    void whatIsTheSameComparesEqual() throws IOException {
        random(DATA, PAGE, 1);
        assertThat(status(TestDriver.write(8, 8).prp1(DATA))).isZero();
        assertThat(status(compare(8, 8).prp1(DATA))).isZero();
        driver.at(DATA + 4095, 1).set(JAVA_BYTE, 0, (byte) ~bytes(DATA + 4095, 1)[0]);
        Done done = driver.execute(io, compare(8, 8).prp1(DATA));
        assertThat(Status.code(done.status())).isEqualTo(Status.COMPARE_FAILURE);
        assertThat(Status.DNR.isSet(done.status())).isTrue();
    }

    @Test
    void fusedCommandsWriteOnlyIfTheComparisonHeld() throws IOException {
        random(DATA, BLOCK, 1);
        random(OTHER, BLOCK, 2);
        assertThat(status(TestDriver.write(3, 1).prp1(DATA))).isZero();
        assertThat(fused(compare(3, 1).prp1(DATA), TestDriver.write(3, 1).prp1(OTHER)))
                .containsExactly(Status.SUCCESS, Status.SUCCESS);
        assertThat(fused(compare(3, 1).prp1(DATA), TestDriver.write(3, 1).prp1(DATA)))
                .containsExactly(Status.COMPARE_FAILURE, Status.FAILED_FUSED);
        assertThat(status(compare(3, 1).prp1(OTHER))).isZero();
        assertThat(fused(compare(3, 1).prp1(OTHER), TestDriver.write(4, 1).prp1(DATA)))
                .as("different blocks")
                .containsExactly(Status.INVALID_FIELD, Status.FAILED_FUSED);
    }

    private int[] fused(Command first, Command second) throws IOException {
        driver.put(io, first.flags(FIRST));
        driver.submit(io, second.flags(SECOND));
        return new int[] {
            Status.code(driver.await(io).status()), Status.code(driver.await(io).status())
        };
    }

    @Test
    void halfOfAFusedPairIsMissing() throws IOException {
        assertThat(status(compare(0, 1).prp1(DATA).flags(FIRST))).isEqualTo(Status.MISSING_FUSED);
        assertThat(status(TestDriver.write(0, 1).prp1(DATA).flags(SECOND))).isEqualTo(Status.MISSING_FUSED);
        assertThat(status(compare(0, 1).prp1(DATA).flags(FIRST | SECOND))).isEqualTo(Status.INVALID_FIELD);
    }

    @Test
    void uncorrectableBlocksCannotBeReadUntilTheyAreWritten() throws IOException {
        assertThat(status(new Command(Opcode.WRITE_UNCORRECTABLE).blocks(10, 4)))
                .isZero();
        assertThat(status(TestDriver.read(8, 2).prp1(DATA))).isZero();
        assertThat(status(TestDriver.read(9, 2).prp1(DATA))).isEqualTo(Status.UNRECOVERED_READ_ERROR);
        assertThat(status(TestDriver.read(14, 1).prp1(DATA))).isZero();
        assertThat(status(new Command(Opcode.VERIFY).blocks(0, 100))).isEqualTo(Status.UNRECOVERED_READ_ERROR);
        assertThat(smart("media_errors")).isEqualTo(2);
        assertThat(status(TestDriver.write(11, 2).prp1(DATA))).isZero();
        assertThat(status(TestDriver.read(11, 2).prp1(DATA))).isZero();
        assertThat(status(TestDriver.read(10, 1).prp1(DATA))).isEqualTo(Status.UNRECOVERED_READ_ERROR);
        assertThat(status(TestDriver.read(13, 1).prp1(DATA))).isEqualTo(Status.UNRECOVERED_READ_ERROR);
        assertThat(status(new Command(Opcode.WRITE_ZEROES).blocks(0, 100))).isZero();
        assertThat(status(new Command(Opcode.VERIFY).blocks(0, 100))).isZero();
    }

    @Test
    void deallocatedBlocksReadAsZeros() throws IOException {
        random(OTHER, 1 << 20, 7);
        long[] pages = new long[255];
        for (int i = 0; i < pages.length; i++) {
            word(LIST + i * 8L, OTHER + (i + 1L) * PAGE);
        }
        assertThat(status(TestDriver.write(0, 2048).prp1(OTHER).prp2(LIST))).isZero();
        range(0, 1, 1999);
        range(1, 2040, 0);
        range(2, 2047, 1);
        assertThat(status(new Command(Opcode.DATASET_MANAGEMENT)
                        .namespace(1)
                        .prp1(DATA)
                        .dwords(2, DEALLOCATE)))
                .isZero();
        assertThat(status(TestDriver.read(0, 8).prp1(DATA))).isZero();
        assertThat(bytes(DATA, BLOCK)).isEqualTo(bytes(OTHER, BLOCK));
        assertThat(bytes(DATA + BLOCK, 7 * BLOCK)).containsOnly(0);
        assertThat(status(TestDriver.read(1999, 2).prp1(DATA))).isZero();
        assertThat(bytes(DATA, BLOCK)).containsOnly(0);
        assertThat(bytes(DATA + BLOCK, BLOCK)).isEqualTo(bytes(OTHER + 2000 * BLOCK, BLOCK));
        assertThat(status(TestDriver.read(2046, 2).prp1(DATA))).isZero();
        assertThat(bytes(DATA + BLOCK, BLOCK)).containsOnly(0);
        range(0, 8191, 2);
        assertThat(status(new Command(Opcode.DATASET_MANAGEMENT)
                        .namespace(1)
                        .prp1(DATA)
                        .dwords(0, DEALLOCATE)))
                .isEqualTo(Status.LBA_OUT_OF_RANGE);
    }

    private void range(int index, long first, long blocks) {
        word(DATA + index * 16L, blocks << 32);
        word(DATA + index * 16L + 8, first);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void rangesAreCopiedOneAfterTheOther(int format) throws IOException {
        random(OTHER, PAGE, 5);
        assertThat(status(TestDriver.write(100, 8).prp1(OTHER))).isZero();
        source(0, format, 106, 2);
        source(1, format, 100, 3);
        Command copy = new Command(Opcode.COPY).namespace(1).prp1(DATA).dwords(200, 0, format << 8 | 1);
        assertThat(status(copy)).isZero();
        assertThat(status(TestDriver.read(200, 5).prp1(DATA))).isZero();
        assertThat(bytes(DATA, 2 * BLOCK)).isEqualTo(bytes(OTHER + 6 * BLOCK, 2 * BLOCK));
        assertThat(bytes(DATA + 2 * BLOCK, 3 * BLOCK)).isEqualTo(bytes(OTHER, 3 * BLOCK));
    }

    private void source(int index, int format, long first, int blocks) {
        long at = DATA + index * (format == 0 ? 32L : 40L);
        driver.at(at, 40).fill((byte) 0);
        word(at + 8, first);
        word(at + 16, blocks - 1);
    }

    @Test
    void aCopyThatCannotBeSaysWhichRange() throws IOException {
        source(0, 0, 0, 1);
        source(1, 0, 8192, 1);
        Done done = driver.execute(
                io, new Command(Opcode.COPY).namespace(1).prp1(DATA).dwords(200, 0, 1));
        assertThat(Status.code(done.status())).isEqualTo(Status.LBA_OUT_OF_RANGE);
        assertThat(done.result()).isEqualTo(1);
        source(0, 0, 0, 2049);
        assertThat(status(new Command(Opcode.COPY).namespace(1).prp1(DATA).dwords(200)))
                .isEqualTo(Status.COMMAND_SIZE_LIMIT_EXCEEDED);
        source(0, 0, 0, 2);
        assertThat(status(new Command(Opcode.COPY).namespace(1).prp1(DATA).dwords(8191)))
                .isEqualTo(Status.LBA_OUT_OF_RANGE);
        assertThat(status(new Command(Opcode.COPY).namespace(1).prp1(DATA).dwords(0, 0, 2 << 8)))
                .isEqualTo(Status.INVALID_FIELD);
    }

    @Test
    void aWriteProtectedNamespaceIsOnlyRead() throws IOException {
        Command protect = new Command(Opcode.SET_FEATURES).namespace(1).dwords(Feature.WRITE_PROTECTION, 1);
        assertThat(adminStatus(protect)).isZero();
        assertThat(status(TestDriver.write(0, 1).prp1(DATA))).isEqualTo(Status.WRITE_PROTECTED);
        assertThat(status(new Command(Opcode.WRITE_ZEROES).blocks(0, 1))).isEqualTo(Status.WRITE_PROTECTED);
        assertThat(status(TestDriver.read(0, 1).prp1(DATA))).isZero();
        assertThat(adminStatus(new Command(Opcode.FORMAT_NVM).namespace(1))).isEqualTo(Status.WRITE_PROTECTED);
        assertThat(adminStatus(new Command(Opcode.SANITIZE).dwords(2))).isEqualTo(Status.WRITE_PROTECTED);
        assertThat(adminStatus(
                        new Command(Opcode.NAMESPACE_MANAGEMENT).namespace(-1).dwords(1)))
                .isEqualTo(Status.WRITE_PROTECTED);
        reset();
        assertThat(status(TestDriver.write(0, 1).prp1(DATA))).isEqualTo(Status.WRITE_PROTECTED);
        Command get = new Command(Opcode.GET_FEATURES).namespace(1).dwords(Feature.WRITE_PROTECTION);
        assertThat(driver.execute(admin, get).result()).isEqualTo(1);
        assertThat(adminStatus(protect.dwords(Feature.WRITE_PROTECTION, 0))).isZero();
        assertThat(status(TestDriver.write(0, 1).prp1(DATA))).isZero();
    }

    @Test
    void failuresAreLoggedNewestFirst() throws IOException {
        status(TestDriver.read(1 << 20, 1).prp1(DATA));
        Done last = driver.execute(io, new Command(0x7f).namespace(1));
        assertThat(Status.MORE.isSet(last.status())).isTrue();
        var newest = LogPage.ERROR_ENTRY.view(log(LogPage.ERROR_INFORMATION));
        assertThat(newest.get("error_count")).isEqualTo(2);
        assertThat(newest.get("sqid")).isEqualTo(1);
        assertThat(newest.get("cmdid")).isEqualTo(last.commandId());
        assertThat(newest.get("status_field") >>> 1).isEqualTo(last.status());
        assertThat(newest.get("parm_error_location")).isZero();
        var older = LogPage.ERROR_ENTRY.view(driver.at(DATA + 64, 64));
        assertThat(Status.code((int) older.get("status_field") >>> 1)).isEqualTo(Status.LBA_OUT_OF_RANGE);
        assertThat(older.get("lba")).isEqualTo(1 << 20);
        assertThat(older.get("nsid")).isEqualTo(1);
        assertThat(older.get("parm_error_location")).isEqualTo(SubmissionEntry.CDW10);
        assertThat(smart("num_err_log_entries")).isEqualTo(2);
    }

    @Test
    void readsAndWritesAreCounted() throws IOException {
        for (int i = 0; i < 3; i++) {
            assertThat(status(TestDriver.write(0, 8).prp1(DATA))).isZero();
        }
        assertThat(status(TestDriver.read(0, 8).prp1(DATA))).isZero();
        assertThat(smart("host_writes")).isEqualTo(3);
        assertThat(smart("host_reads")).isEqualTo(1);
        assertThat(smart("data_units_written")).isEqualTo(1);
    }

    @Test
    void namespacesThatAreNotActiveAreAnInvalidField() throws IOException {
        assertThat(status(TestDriver.read(0, 1).namespace(2).prp1(DATA))).isEqualTo(Status.INVALID_FIELD);
        assertThat(status(TestDriver.read(0, 1).namespace(17).prp1(DATA))).isEqualTo(Status.INVALID_NAMESPACE);
        assertThat(status(TestDriver.read(0, 1).namespace(-1).prp1(DATA))).isEqualTo(Status.INVALID_NAMESPACE);
        assertThat(status(new Command(Opcode.ZONE_APPEND).blocks(0, 1).prp1(DATA)))
                .isEqualTo(Status.INVALID_OPCODE);
    }

    @Test
    void severalNamespacesHoldTheirOwnBlocks() throws IOException {
        serveAgain(options().withNamespaces(3));
        for (int id = 1; id <= 3; id++) {
            random(DATA, BLOCK, id);
            assertThat(status(TestDriver.write(5, 1).namespace(id).prp1(DATA))).isZero();
        }
        for (int id = 1; id <= 3; id++) {
            random(DATA, BLOCK, id);
            assertThat(status(TestDriver.read(5, 1).namespace(id).prp1(OTHER))).isZero();
            assertThat(bytes(OTHER, BLOCK)).isEqualTo(bytes(DATA, BLOCK));
        }
        assertThat(driver.at(OTHER, 8).get(JAVA_LONG_UNALIGNED, 0)).isNotZero();
    }
}
