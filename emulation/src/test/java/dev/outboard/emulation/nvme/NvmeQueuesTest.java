package dev.outboard.emulation.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.emulation.nvme.TestDriver.Done;
import dev.outboard.emulation.nvme.TestDriver.Pair;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.specs.nvme.AsynchronousEvent;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Queues, doorbells and interrupts. */
class NvmeQueuesTest extends ServedController {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final int CONTIGUOUS = 1;
    private static final int CONTIGUOUS_WITH_INTERRUPTS = 3;

    @ParameterizedTest
    @CsvSource({
        "0x30000, 1, 0x101",
        "0x30021, 1, 0x101",
        "0x1, 1, 0x102",
        "0x10000001, 1, 0x102",
        "0x30001, 0, 0x002",
        "0x30001, 0x210001, 0x108"
    })
    void aCompletionQueueThatCannotBeIsRefused(String dword10, String dword11, String expected) throws IOException {
        Pair admin = driver.enable();
        Command create = new Command(Opcode.CREATE_IO_COMPLETION_QUEUE)
                .prp1(TestDriver.DATA)
                .dwords(Integer.decode(dword10), Integer.decode(dword11));
        assertThat(status(admin, create)).isEqualTo(Integer.decode(expected));
    }

    @Test
    void queuesAreDeletedInOrder() throws IOException {
        Pair admin = driver.enable();
        driver.createPair(admin, 1, CONTIGUOUS);
        Command again = new Command(Opcode.CREATE_IO_COMPLETION_QUEUE)
                .prp1(TestDriver.DATA)
                .dwords(0x30001, 1);
        assertThat(status(admin, again)).isEqualTo(Status.INVALID_QUEUE_ID);
        assertThat(status(admin, new Command(Opcode.DELETE_IO_COMPLETION_QUEUE).dwords(1)))
                .isEqualTo(Status.INVALID_QUEUE_DELETION);
        assertThat(status(admin, new Command(Opcode.DELETE_IO_SUBMISSION_QUEUE).dwords(2)))
                .isEqualTo(Status.INVALID_QUEUE_ID);
        assertThat(status(admin, new Command(Opcode.DELETE_IO_SUBMISSION_QUEUE).dwords(1)))
                .isZero();
        assertThat(status(admin, new Command(Opcode.DELETE_IO_COMPLETION_QUEUE).dwords(1)))
                .isZero();
        Command orphan = new Command(Opcode.CREATE_IO_SUBMISSION_QUEUE)
                .prp1(TestDriver.DATA)
                .dwords(0x30001, 0x10001);
        assertThat(status(admin, orphan)).isEqualTo(Status.COMPLETION_QUEUE_INVALID);
    }

    @Test
    void aQueueOutsideOfTheMemoryIsRefused() throws IOException {
        Pair admin = driver.enable();
        long last = TestDriver.MEMORY + TestDriver.MEMORY_BYTES - 4096;
        Command create =
                new Command(Opcode.CREATE_IO_COMPLETION_QUEUE).prp1(last).dwords(256 << 16 | 1, 1);
        assertThat(status(admin, create)).isEqualTo(Status.INVALID_FIELD);
        create.prp1(last + 8);
        assertThat(status(admin, create)).isEqualTo(Status.PRP_OFFSET_INVALID);
    }

    @Test
    void anEventRequestWaitsForAnEvent() throws IOException {
        Pair admin = driver.enable();
        int request = driver.submit(admin, new Command(Opcode.ASYNCHRONOUS_EVENT_REQUEST));
        assertThat(status(admin, new Command(Opcode.ABORT))).isZero();
        driver.ringTail(0, TestDriver.ADMIN_ENTRIES);
        Done event = driver.await(admin);
        assertThat(event.commandId()).isEqualTo(request);
        assertThat(event.result()).isEqualTo(AsynchronousEvent.INVALID_DOORBELL_VALUE);
        driver.ringTail(0, admin.tail);
        for (int i = 0; i < 4; i++) {
            driver.submit(admin, new Command(Opcode.ASYNCHRONOUS_EVENT_REQUEST));
        }
        assertThat(status(admin, new Command(Opcode.ASYNCHRONOUS_EVENT_REQUEST)))
                .isEqualTo(Status.EVENT_REQUEST_LIMIT_EXCEEDED);
    }

    @ParameterizedTest
    @ValueSource(ints = {TestDriver.QUEUE_ENTRIES, -1, Integer.MIN_VALUE, 0x10001})
    void impossibleDoorbellsAreIgnored(int value) throws IOException {
        Pair admin = driver.enable();
        Pair io = driver.createPair(admin, 1, CONTIGUOUS);
        driver.ringTail(1, value);
        driver.ringHead(1, value);
        driver.ringTail(31, 1);
        assertThat(status(admin, new Command(Opcode.ABORT))).isZero();
        for (int i = 0; i < 10; i++) {
            assertThat(status(io, new Command(Opcode.FLUSH).namespace(1))).isZero();
        }
    }

    @Test
    void queuesWrapAndReportWhatTheyHaveRead() throws IOException {
        Pair admin = driver.enable();
        Pair io = driver.createPair(admin, 3, CONTIGUOUS);
        for (int i = 1; i <= 50; i++) {
            Done done = driver.execute(io, new Command(Opcode.FLUSH).namespace(1));
            assertThat(done.status()).isZero();
            assertThat(done.submissionHead()).isEqualTo(i % TestDriver.QUEUE_ENTRIES);
            assertThat(done.submissionId()).isEqualTo(3);
        }
    }

    @Test
    void aFullCompletionQueueIsNotOverrun() throws IOException {
        Pair admin = driver.enable();
        Pair io = driver.createPair(admin, 1, CONTIGUOUS);
        // The driver is slow: it submits as many as fit, twice, before it looks at the completions.
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < TestDriver.QUEUE_ENTRIES - 1; i++) {
                driver.submit(io, new Command(Opcode.FLUSH).namespace(1));
            }
            assertThat(status(admin, new Command(Opcode.ABORT))).isZero();
        }
        for (int i = 0; i < 2 * (TestDriver.QUEUE_ENTRIES - 1); i++) {
            assertThat(driver.await(io).status()).isZero();
        }
    }

    @Test
    void aVectorFiresOnlyForAQueueWithInterrupts() throws IOException {
        Pair admin = driver.enable();
        try (EventFd silent = EventFd.create();
                EventFd loud = EventFd.create()) {
            driver.connect(1, silent);
            driver.connect(2, loud);
            Pair polled = driver.createPair(admin, 1, CONTIGUOUS | 1 << 16);
            Pair interrupting = driver.createPair(admin, 2, CONTIGUOUS_WITH_INTERRUPTS | 2 << 16);
            driver.execute(polled, new Command(Opcode.FLUSH).namespace(1));
            driver.execute(interrupting, new Command(Opcode.FLUSH).namespace(1));
            assertThat(loud.await(TIMEOUT)).isEqualTo(1);
            assertThat(silent.read()).isZero();
        }
    }

    @Test
    void withoutMsixTheControllerUsesIntx() throws IOException {
        Pair admin = driver.enable();
        int connect = Vfio.VFIO_IRQ_SET_DATA_EVENTFD | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER;
        int unmask = Vfio.VFIO_IRQ_SET_DATA_NONE | Vfio.VFIO_IRQ_SET_ACTION_UNMASK;
        try (EventFd intx = EventFd.create()) {
            driver.client.setIrqs(connect, Vfio.VFIO_PCI_INTX_IRQ_INDEX, 0, 1, new byte[0], intx.fd());
            driver.submit(admin, new Command(Opcode.ABORT));
            assertThat(intx.await(TIMEOUT)).isEqualTo(1);
            driver.client.setIrqs(unmask, Vfio.VFIO_PCI_INTX_IRQ_INDEX, 0, 1, new byte[0]);
            assertThat(intx.await(TIMEOUT)).as("still asserted").isEqualTo(1);
            driver.await(admin);
            driver.submit(admin, new Command(Opcode.ABORT));
            driver.client.setIrqs(unmask, Vfio.VFIO_PCI_INTX_IRQ_INDEX, 0, 1, new byte[0]);
            assertThat(intx.await(TIMEOUT)).isEqualTo(1);
        }
    }

    @Test
    void doorbellsMayComeAsMessages() throws IOException {
        driver.ringByMessage();
        Pair admin = driver.enable();
        Pair io = driver.createPair(admin, 1, CONTIGUOUS);
        for (int i = 0; i < 10; i++) {
            assertThat(status(io, new Command(Opcode.FLUSH).namespace(1))).isZero();
        }
    }

    @Test
    void withoutBusMasteringNothingIsRead() throws IOException {
        Pair admin = driver.enable();
        driver.client.write(Vfio.VFIO_PCI_CONFIG_REGION_INDEX, 4, 2, 2);
        int id = driver.submit(admin, new Command(Opcode.ABORT));
        assertThat(driver.register(NvmeRegisters.CSTS)).isEqualTo(1);
        assertThat(driver.isDone(admin)).isFalse();
        driver.client.write(Vfio.VFIO_PCI_CONFIG_REGION_INDEX, 4, 2, 6);
        assertThat(driver.await(admin).commandId()).isEqualTo(id);
    }

    @Test
    void memoryThatIsUnmappedIsNotTouchedUntilItIsMappedAgain() throws IOException {
        Pair admin = driver.enable();
        Pair io = driver.createPair(admin, 1, CONTIGUOUS);
        assertThat(driver.client.unmap(TestDriver.MEMORY, TestDriver.MEMORY_BYTES, 0))
                .isZero();
        int id = driver.submit(io, new Command(Opcode.FLUSH).namespace(1));
        assertThat(driver.register(NvmeRegisters.CSTS)).isEqualTo(1);
        assertThat(driver.isDone(io)).isFalse();
        assertThat(driver.client.map(
                        TestDriver.MEMORY, TestDriver.MEMORY_BYTES, TestDriver.READ_WRITE, 0, driver.file()))
                .isZero();
        assertThat(driver.await(io).commandId()).isEqualTo(id);
    }
}
