package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.driver.Waiting;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Opcode;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A controller whose lists, counts and identifiers cannot be: each is one exception that says so. */
class LyingControllerTest {
    private final FakeController fake = new FakeController();
    private NvmeController controller;
    private AdminCommands admin;

    @BeforeEach
    void open() throws IOException {
        controller = Nvme.open(fake);
        admin = controller.admin();
    }

    @AfterEach
    void close() {
        controller.close();
    }

    private void answers(int opcode, int... dwords) {
        fake.answer = (asked, dword10, data) -> {
            if (asked == opcode) {
                MemorySegment.copy(MemorySegment.ofArray(dwords), 0, data, 0, (long) dwords.length * Integer.BYTES);
            }
            return 0;
        };
    }

    private interface Call {
        Object run() throws IOException;
    }

    private static void assertLie(Call call, String says) {
        assertThatThrownBy(call::run).isInstanceOf(DeviceException.class).hasMessageContaining(says);
    }

    @Test
    void namespacesThatDoNotRise() {
        answers(Opcode.IDENTIFY, 7, 3);
        assertLie(() -> admin.namespaces().allocated(), "lists namespace 3 after 7");
        answers(Opcode.GET_LOG_PAGE, 7, 7);
        assertLie(() -> admin.logs().changedNamespaces(), "lists namespace 7 after 7");
    }

    @Test
    void aListOfNamespacesThatNeverEnds() {
        // The same full list again and again, whatever was asked for.
        int[] full = new int[1024];
        for (int i = 0; i < full.length; i++) {
            full[i] = i + 1;
        }
        answers(Opcode.IDENTIFY, full);
        assertLie(() -> admin.namespaces().allocated(), "lists namespace 1 after 1024");
    }

    @Test
    void moreControllersThanAListHas() {
        answers(Opcode.IDENTIFY, 0xffff);
        assertLie(() -> admin.namespaces().controllers(1), "lists 65535 controllers");
    }

    @Test
    void controllersTwice() {
        answers(Opcode.IDENTIFY, 5 << 16 | 2, 5);
        assertLie(() -> admin.namespaces().controllers(1), "lists 2 controllers, [5, 5]");
    }

    @Test
    void aDescriptorBeyondTheEndOfItsList() {
        fake.answer = (opcode, dword10, data) -> {
            for (int at = 0; at < 4096; at += 4 + 200) {
                data.set(ValueLayout.JAVA_INT, at, 200 << 8 | 1);
            }
            return 0;
        };
        assertLie(() -> admin.namespaceDescriptors(1), "beyond the end of the list");
    }

    @Test
    void firmwareThatRunsFromNoSlot() {
        assertLie(() -> admin.logs().firmwareSlots(), "firmware slot 0 runs");
    }

    @Test
    void aNamespaceCreatedWithoutAnIdentifier() {
        assertLie(() -> admin.namespaces().create(8, NamespaceFormat.of(0)), "it created namespace 0");
        fake.answer = (opcode, dword10, data) -> -1;
        assertLie(() -> admin.namespaces().create(8, NamespaceFormat.of(0)), "it created namespace 4294967295");
    }

    @Test
    void aLogOfSelfTestsOfOnesOnlyIsEmpty() throws IOException {
        fake.answer = (opcode, dword10, data) -> {
            data.fill((byte) -1);
            return 0;
        };
        assertThat(admin.logs().selfTests().results()).isEmpty();
        assertThat(admin.logs().selfTests().percent()).isEqualTo(127);
    }

    @Test
    void pagesLargerThanAnyMemoryIsAllocatedIn() {
        FakeController large = new FakeController();
        large.capabilities |= NvmeRegisters.CAP_MPSMIN.of(15);
        assertLie(() -> Nvme.open(large), "needs memory pages of 134217728 bytes or more (CAP.MPSMIN)");
    }

    @Test
    void blocksLargerThanACommandTransfers() throws IOException {
        FakeController large = new FakeController();
        large.blockShift = 24;
        try (NvmeController opened = Nvme.open(large)) {
            assertLie(
                    () -> new NvmeBlockDevice(opened, opened.namespace(1), Waiting.POLL),
                    "has blocks of 16777216 bytes, and one command transfers up to 2097152");
        }
    }

    @Test
    void firmwareInPiecesLargerThanACommandTransfers() throws IOException {
        FakeController greedy = new FakeController();
        greedy.answer = (opcode, dword10, data) -> {
            if (opcode == Opcode.IDENTIFY && dword10 == Identify.CNS_CONTROLLER) {
                Identify.CONTROLLER.view(data).set("fwug", 3).set("mdts", 1);
            }
            return 0;
        };
        try (NvmeController opened = Nvme.open(greedy)) {
            assertLie(
                    () -> {
                        opened.admin().firmware().download(MemorySegment.ofArray(new byte[Long.BYTES]));
                        return 0;
                    },
                    "wants firmware in pieces of 12288 bytes (FWUG), and transfers up to 8192 at once");
        }
    }

    @Test
    void aCommandThatNeverEndsStopsTheQueueUntilAReset() throws IOException {
        fake.silent = Opcode.GET_LOG_PAGE;
        AdminCommands hasty = admin.withTimeout(Duration.ofMillis(20));
        assertThatThrownBy(() -> hasty.logs().smart())
                .isInstanceOf(DeviceTimeoutException.class)
                .hasMessageContaining("get log page on fake:nvme admin queue took longer than 20 ms")
                .hasMessageContaining("reset the controller");
        assertThatThrownBy(() -> admin.features().get(1)).hasMessageContaining("failed before");
        fake.silent = -1;
        controller.reset();
        for (int i = 0; i < 100; i++) {
            // Every slot of the queue is there again.
            assertThat(admin.logs().smart().criticalWarnings()).isZero();
        }
    }
}
