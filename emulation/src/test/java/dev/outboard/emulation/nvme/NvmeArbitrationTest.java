package dev.outboard.emulation.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.emulation.nvme.TestDriver.Pair;
import dev.outboard.linux.EventFd;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which queue comes first, when interrupts come, and where doorbells are. */
class NvmeArbitrationTest extends NvmeTestBase {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final int WEIGHTED = 1 << 11;
    private static final int WITH_INTERRUPTS = 3;
    private static final int ENTRIES = 64;

    private static Command flush() {
        return new Command(Opcode.FLUSH).namespace(1);
    }

    /** Creates submission queues of all priorities that share completion queue 1; returns them. */
    private List<Pair> queuesOfAllPriorities() throws IOException {
        List<Pair> queues = new ArrayList<>();
        Pair shared = new Pair(1, ENTRIES);
        driver.at(DATA, 0x10000).fill((byte) 0);
        assertThat(adminStatus(new Command(Opcode.CREATE_IO_COMPLETION_QUEUE)
                        .prp1(shared.completion)
                        .dwords((ENTRIES - 1) << 16 | 1, 1)))
                .isZero();
        queues.add(shared);
        for (int priority = 0; priority < 4; priority++) {
            Pair pair = new Pair(2 + priority, 16);
            assertThat(adminStatus(new Command(Opcode.CREATE_IO_SUBMISSION_QUEUE)
                            .prp1(pair.submission)
                            .dwords(15 << 16 | pair.id, 1 << 16 | priority << 1 | 1)))
                    .isZero();
            queues.add(pair);
        }
        return queues;
    }

    @Test
    void weightsDecideHowOftenAQueueIsServed() throws IOException {
        driver.disable();
        admin = driver.enable(ALL_COMMAND_SETS | WEIGHTED);
        // Bursts of 1; low 1, medium 2, high 4.
        assertThat(setFeature(Feature.ARBITRATION, 3 << 24 | 1 << 16)).isZero();
        List<Pair> queues = queuesOfAllPriorities();
        driver.busMaster(false);
        for (int i = 1; i <= 4; i++) {
            for (int command = 0; command < 7; command++) {
                driver.submit(queues.get(i), flush());
            }
        }
        driver.busMaster(true);
        StringBuilder order = new StringBuilder();
        for (int i = 0; i < 28; i++) {
            order.append(driver.await(queues.getFirst()).submissionId() - 2);
        }
        assertThat(order.toString())
                .as("urgent first, then rounds of 4 of high, 2 of medium and 1 of low priority")
                .isEqualTo("0000000" + "1111223" + "111223" + "223" + "23" + "333");
    }

    @Test
    void roundRobinTakesBurstsInTurn() throws IOException {
        driver.disable();
        admin = driver.enable(ALL_COMMAND_SETS);
        assertThat(setFeature(Feature.ARBITRATION, 1)).isZero();
        List<Pair> queues = queuesOfAllPriorities();
        driver.busMaster(false);
        for (int i = 1; i <= 4; i++) {
            for (int command = 0; command < 3; command++) {
                driver.submit(queues.get(i), flush());
            }
        }
        driver.busMaster(true);
        StringBuilder order = new StringBuilder();
        for (int i = 0; i < 12; i++) {
            order.append(driver.await(queues.getFirst()).submissionId() - 2);
        }
        assertThat(order.toString()).isEqualTo("00112233" + "0123");
    }

    @Test
    void interruptsAreCoalesced() throws IOException {
        // 3 completions, or 25.5 ms.
        assertThat(setFeature(Feature.INTERRUPT_COALESCING, 255 << 8 | 2)).isZero();
        try (EventFd event = EventFd.create()) {
            driver.connect(2, event);
            Pair pair = driver.createPair(admin, 2, WITH_INTERRUPTS | 2 << 16);
            driver.submit(pair, flush());
            assertThat(event.await(TIMEOUT)).as("when its time is over").isEqualTo(1);
            assertThat(driver.await(pair).status()).isZero();
            driver.put(pair, flush());
            driver.put(pair, flush());
            driver.submit(pair, flush());
            assertThat(event.await(TIMEOUT)).as("one for three").isEqualTo(1);
            for (int i = 0; i < 3; i++) {
                assertThat(driver.await(pair).status()).isZero();
            }
            assertThat(setFeature(Feature.INTERRUPT_VECTOR_CONFIGURATION, 1 << 16 | 2))
                    .isZero();
            driver.submit(pair, flush());
            assertThat(event.await(TIMEOUT)).as("not this vector").isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 6})
    void doorbellsLieAsFarApartAsTheControllerSays(int stride) throws IOException {
        serveAgain(options().withDoorbellStride(stride));
        assertThat(NvmeRegisters.CAP_DSTRD.get(driver.register(NvmeRegisters.CAP)))
                .isEqualTo(stride);
        Pair last = driver.createPair(admin, 31, 1);
        for (int i = 0; i < 9; i++) {
            assertThat(driver.execute(last, flush()).status()).isZero();
        }
    }

    @Test
    void shadowDoorbellsTakeTheirPlace() throws IOException {
        assertThat(status(flush())).isZero();
        driver.at(LIST, 0x4000).fill((byte) 0);
        Command configure = new Command(Opcode.DOORBELL_BUFFER_CONFIG);
        assertThat(adminStatus(configure.prp1(LIST + 4).prp2(LIST + 0x2000))).isEqualTo(Status.INVALID_FIELD);
        assertThat(adminStatus(configure.prp1(0x1000).prp2(LIST + 0x2000))).isEqualTo(Status.INVALID_FIELD);
        assertThat(adminStatus(configure.prp1(LIST).prp2(0x1000))).isEqualTo(Status.INVALID_FIELD);
        assertThat(adminStatus(configure.prp1(LIST).prp2(LIST + 0x2000))).isZero();
        driver.shadow(LIST);
        for (int i = 0; i < 9; i++) {
            assertThat(status(flush())).isZero();
        }
        Pair another = driver.createPair(admin, 2, 1);
        for (int i = 0; i < 9; i++) {
            assertThat(driver.execute(another, flush()).status()).isZero();
        }
        driver.shadow(0);
        reset();
        assertThat(status(flush())).as("after a reset they are where they were").isZero();
    }
}
