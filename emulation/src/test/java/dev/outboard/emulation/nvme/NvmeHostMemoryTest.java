package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.emulation.nvme.NvmeOptions.HostMemoryWish;
import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.emulation.nvme.TestDriver.Done;
import dev.outboard.linux.Fd;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** The host memory buffer: what the controller takes, what it refuses, and that it notices what happens to it. */
class NvmeHostMemoryTest extends NvmeTestBase {
    private static final HostMemoryWish WISH = new HostMemoryWish(64 * PAGE, 16 * PAGE, 2 * PAGE, 3);
    private static final int SIZE = 1 << 20;
    private static final long DESCRIPTORS = TestDriver.MEMORY + 0x8_0000;
    private static final long FIRST = TestDriver.MEMORY + 0x80_0000;
    private static final long SECOND = TestDriver.MEMORY + 0x90_0000;
    /** Where the driver has no memory, until it maps some. */
    private static final long ELSEWHERE = TestDriver.MEMORY + (64L << 20);

    private static final int ENABLE = 1;
    private static final int ENABLE_RETURNED = 3;

    @Override
    NvmeOptions options() {
        return super.options().withSizeBytes(SIZE).withHostMemory(WISH);
    }

    /** Writes the list: addresses and pages, in turn. */
    private void list(long... words) {
        for (int i = 0; i < words.length; i++) {
            driver.at(DESCRIPTORS + i * 8L, 8).set(JAVA_LONG, 0, words[i]);
        }
    }

    private int set(int flags, int pages, long list, int pieces) throws IOException {
        return adminStatus(new Command(Opcode.SET_FEATURES)
                .dwords(Feature.HOST_MEMORY_BUFFER, flags, pages, (int) list, (int) (list >>> 32), pieces));
    }

    private int give(int flags) throws IOException {
        list(FIRST, 12, SECOND, 20);
        return set(flags, 32, DESCRIPTORS, 2);
    }

    private void assertFailed() throws IOException {
        while ((driver.register(NvmeRegisters.CSTS) & NvmeRegisters.CSTS_CFS.mask()) == 0) {
            Thread.onSpinWait();
        }
    }

    /** Reads all of the namespace. */
    private void readAll() throws IOException {
        for (int block = 0; block < SIZE / 512; block += 8) {
            assertThat(status(TestDriver.read(block, 8).prp1(DATA))).isZero();
        }
    }

    @Test
    void whatItWantsIsIdentified() throws IOException {
        assertThat(adminStatus(identify(Identify.CNS_CONTROLLER, 0))).isZero();
        StructView data = Identify.CONTROLLER.view(driver.at(DATA, PAGE));
        assertThat(data.get("hmpre")).isEqualTo(64);
        assertThat(data.get("hmmin")).isEqualTo(16);
        assertThat(data.get("hmminds")).isEqualTo(2);
        assertThat(data.get("hmmaxd")).isEqualTo(3);
    }

    @Test
    void whatItHasIsTold() throws IOException {
        Command get = new Command(Opcode.GET_FEATURES).prp1(DATA).dwords(Feature.HOST_MEMORY_BUFFER);
        driver.at(DATA, PAGE).fill((byte) 0x5a);
        assertThat(driver.execute(admin, get).result()).isZero();
        assertThat(bytes(DATA, PAGE)).containsOnly(0);
        assertThat(give(ENABLE)).isZero();
        Done done = driver.execute(admin, get);
        assertThat(done.result()).isEqualTo(ENABLE);
        StructView told = Feature.HOST_MEMORY_ATTRIBUTES.view(driver.at(DATA, PAGE));
        assertThat(told.get("hsize")).isEqualTo(32);
        assertThat(told.get("hmdlau") << 32 | told.get("hmdlal")).isEqualTo(DESCRIPTORS);
        assertThat(told.get("hmdlec")).isEqualTo(2);
        assertThat(driver.execute(admin, get.dword(10, Feature.HOST_MEMORY_BUFFER | Feature.SELECT_DEFAULT << 8))
                        .result())
                .isZero();
        reset();
        get.dword(10, Feature.HOST_MEMORY_BUFFER);
        assertThat(driver.execute(admin, get).result())
                .as("a reset takes it away")
                .isZero();
    }

    @Test
    void wrongListsAreRefused() throws IOException {
        list(FIRST, 12, SECOND, 20);
        assertThat(set(ENABLE, 0, DESCRIPTORS, 2)).as("no size").isEqualTo(Status.INVALID_FIELD);
        assertThat(set(ENABLE, 15, DESCRIPTORS, 2)).as("below HMMIN").isEqualTo(Status.INVALID_FIELD);
        assertThat(set(ENABLE, 33, DESCRIPTORS, 2)).as("not the sum").isEqualTo(Status.INVALID_FIELD);
        assertThat(set(ENABLE, 32, DESCRIPTORS + 8, 2)).as("list not aligned").isEqualTo(Status.INVALID_FIELD);
        assertThat(set(ENABLE, 32, DESCRIPTORS, 0)).as("no pieces").isEqualTo(Status.INVALID_FIELD);
        assertThat(set(ENABLE, 32, DESCRIPTORS, 4)).as("more than HMMAXD").isEqualTo(Status.INVALID_FIELD);
        assertThat(set(ENABLE, 32, ELSEWHERE, 2)).as("list unmapped").isEqualTo(Status.DATA_TRANSFER_ERROR);
        list(FIRST + 512, 12, SECOND, 20);
        assertThat(set(ENABLE, 32, DESCRIPTORS, 2)).as("piece not aligned").isEqualTo(Status.INVALID_FIELD);
        list(FIRST, 31, SECOND, 1);
        assertThat(set(ENABLE, 32, DESCRIPTORS, 2)).as("piece below HMMINDS").isEqualTo(Status.INVALID_FIELD);
        list(FIRST, 32, SECOND, 0);
        assertThat(set(ENABLE, 32, DESCRIPTORS, 2)).as("empty piece").isEqualTo(Status.INVALID_FIELD);
        list(SECOND, 16, SECOND - 15 * PAGE, 16);
        assertThat(set(ENABLE, 32, DESCRIPTORS, 2)).as("pieces overlap").isEqualTo(Status.INVALID_FIELD);
        list(FIRST, 16, ELSEWHERE, 16);
        assertThat(set(ENABLE, 32, DESCRIPTORS, 2)).as("piece unmapped").isEqualTo(Status.DATA_TRANSFER_ERROR);
        list(FIRST, 16, -16 * PAGE, 16);
        assertThat(set(ENABLE, 32, DESCRIPTORS, 2))
                .as("piece at the end of all")
                .isEqualTo(Status.DATA_TRANSFER_ERROR);
        assertThat(set(1 << 31 | Feature.HOST_MEMORY_BUFFER, ENABLE, DESCRIPTORS, 2))
                .isNotZero();
        assertThat(give(ENABLE)).as("after all that").isZero();
        assertThat(give(ENABLE)).as("while it is enabled").isEqualTo(Status.SEQUENCE_ERROR);
        assertThat(set(0, 0, 0, 0)).isZero();
        assertThat(set(0, 0, 0, 0)).isZero();
        assertThat(give(ENABLE)).as("once it is disabled").isZero();
    }

    @Test
    void itIsNotSaved() throws IOException {
        assertThat(setFeature(1 << 31 | Feature.HOST_MEMORY_BUFFER, ENABLE)).isEqualTo(Status.FEATURE_NOT_SAVEABLE);
    }

    @Test
    void theControllerKeepsThereWhatItNeeds() throws IOException {
        readAll();
        assertThat(bytes(FIRST, 12 * PAGE)).as("before it is given").containsOnly(0);
        assertThat(give(ENABLE)).isZero();
        readAll();
        assertThat(nonZeroWords(FIRST, 12 * PAGE)).isGreaterThan(100);
        assertThat(nonZeroWords(SECOND, 20 * PAGE)).isGreaterThan(100);
        readAll();
        assertThat(set(0, 0, 0, 0)).isZero();
        driver.at(FIRST, 12 * PAGE).fill((byte) 0);
        readAll();
        assertThat(bytes(FIRST, 12 * PAGE)).as("after it was taken back").containsOnly(0);
    }

    private long nonZeroWords(long address, int size) {
        MemorySegment memory = driver.at(address, size);
        long count = 0;
        for (int i = 0; i < size / 8; i++) {
            count += memory.getAtIndex(JAVA_LONG, i) != 0 ? 1 : 0;
        }
        return count;
    }

    @Test
    void aHostThatChangesOneBitIsNoticed() throws IOException {
        assertThat(give(ENABLE)).isZero();
        readAll();
        MemorySegment memory = driver.at(SECOND, 20 * PAGE);
        int at = 0;
        while (memory.get(JAVA_INT, at) == 0) {
            at += 4;
        }
        memory.set(JAVA_BYTE, at, (byte) (memory.get(JAVA_BYTE, at) ^ 1));
        assertThatThrownBy(this::readAll).isInstanceOf(AssertionError.class);
        assertFailed();
        reset();
        assertThat(give(ENABLE_RETURNED)).as("it is not what it was").isEqualTo(Status.INVALID_FIELD);
        assertThat(give(ENABLE)).isZero();
        readAll();
    }

    @Test
    void aHostThatTakesThePiecesAwayIsNoticed() throws IOException {
        try (Fd file = Fd.memfd("pieces", 16 * PAGE)) {
            assertThat(driver.client.map(ELSEWHERE, 16 * PAGE, TestDriver.READ_WRITE, 0, file))
                    .isZero();
        }
        list(ELSEWHERE, 16);
        assertThat(set(ENABLE, 16, DESCRIPTORS, 1)).isZero();
        readAll();
        assertThat(driver.client.unmap(ELSEWHERE, 16 * PAGE, 0)).isZero();
        assertThat(status(TestDriver.read(0, 8).prp1(DATA))).isEqualTo(Status.INTERNAL_ERROR);
        assertFailed();
    }

    @Test
    void whatIsReturnedAfterAResetIsCompared() throws IOException {
        assertThat(give(ENABLE_RETURNED)).as("there was none").isEqualTo(Status.INVALID_FIELD);
        assertThat(give(ENABLE)).isZero();
        readAll();
        reset();
        long before = nonZeroWords(FIRST, 12 * PAGE);
        assertThat(give(ENABLE_RETURNED)).isZero();
        assertThat(nonZeroWords(FIRST, 12 * PAGE)).isEqualTo(before);
        readAll();
        reset();
        list(SECOND, 20, FIRST, 12);
        assertThat(set(ENABLE_RETURNED, 32, DESCRIPTORS, 2))
                .as("in another order")
                .isEqualTo(Status.INVALID_FIELD);
        assertThat(give(ENABLE)).isZero();
        readAll();
    }

    @Test
    void entriesOfAnEarlierTimeAreNone() throws IOException {
        assertThat(give(ENABLE)).isZero();
        readAll();
        reset();
        assertThat(give(ENABLE)).isZero();
        readAll();
        readAll();
    }

    @Test
    void aControllerThatWantsNoneHasNoSuchFeature() throws IOException {
        serveAgain(super.options());
        assertThat(give(ENABLE)).isEqualTo(Status.INVALID_FIELD);
    }
}
