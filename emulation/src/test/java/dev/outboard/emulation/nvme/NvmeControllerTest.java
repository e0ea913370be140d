package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.emulation.nvme.TestDriver.Done;
import dev.outboard.emulation.nvme.TestDriver.Pair;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The controller: registers, admin commands, resets. */
class NvmeControllerTest extends ServedController {
    private static final int CONTIGUOUS = 1;

    @Test
    void registersSayWhatTheControllerCanDo() throws IOException {
        long capabilities = driver.register(NvmeRegisters.CAP);
        assertThat(NvmeRegisters.CAP_MQES.get(capabilities)).isEqualTo(4095);
        assertThat(NvmeRegisters.CAP_CSS.get(capabilities)).isEqualTo(0x41);
        assertThat(NvmeRegisters.CAP_DSTRD.get(capabilities)).isEqualTo(4);
        assertThat(driver.client.read(0, 4, 4)).as("the upper half alone").isEqualTo(capabilities >>> 32);
        assertThat(driver.register(NvmeRegisters.VS)).isEqualTo(0x20000);
        driver.register(NvmeRegisters.CAP, 0);
        assertThat(driver.register(NvmeRegisters.CAP)).isEqualTo(capabilities);
    }

    @Test
    void theControllerIsEnabledDisabledAndEnabledAgain() throws IOException {
        assertThat(driver.register(NvmeRegisters.CSTS)).isZero();
        for (int i = 0; i < 3; i++) {
            Pair admin = driver.enable();
            assertThat(driver.register(NvmeRegisters.CSTS)).isEqualTo(1);
            assertThat(status(
                            admin,
                            new Command(Opcode.IDENTIFY).prp1(TestDriver.DATA).dwords(1)))
                    .isZero();
            driver.register(NvmeRegisters.CC, 0x460000);
            assertThat(driver.register(NvmeRegisters.CSTS)).isZero();
        }
    }

    @Test
    void aShutdownIsCompleted() throws IOException {
        driver.enable();
        driver.register(NvmeRegisters.CC, 0x464001);
        assertThat(NvmeRegisters.CSTS_SHST.get(driver.register(NvmeRegisters.CSTS)))
                .isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"0, 0x460001", "0x1000, 0x460001", "-1, 0x460001", "0x100000000, 0x460081", "0x100000000, 0x460011"})
    void aControllerThatCannotBeEnabledIsFatal(String queue, String configuration) throws IOException {
        driver.register(NvmeRegisters.AQA, 0x70007);
        driver.register(NvmeRegisters.ASQ, Long.decode(queue));
        driver.register(NvmeRegisters.ACQ, TestDriver.MEMORY + 0x1000);
        driver.register(NvmeRegisters.CC, Long.decode(configuration));
        assertThat(driver.register(NvmeRegisters.CSTS)).isEqualTo(NvmeRegisters.CSTS_CFS.mask());
        driver.register(NvmeRegisters.CC, 0);
        driver.enable();
        assertThat(driver.register(NvmeRegisters.CSTS)).isEqualTo(1);
    }

    @Test
    void theControllerSaysWhatItIs() throws IOException {
        Pair admin = driver.enable();
        assertThat(status(
                        admin,
                        new Command(Opcode.IDENTIFY).prp1(TestDriver.DATA).dwords(1)))
                .isZero();
        var controller = Identify.CONTROLLER.view(driver.at(TestDriver.DATA, 4096));
        assertThat(text(controller.slice("sn"))).isEqualTo("OB0001              ");
        assertThat(text(controller.slice("mn"))).isEqualTo("Outboard Emulated NVMe                  ");
        assertThat(text(controller.slice("fr"))).isEqualTo("0.1     ");
        assertThat(text(controller.slice("subnqn"))).startsWith("nqn.2014-08.org.nvmexpress:uuid:");
        assertThat(controller.get("mdts")).isEqualTo(8);
        assertThat(controller.get("sqes")).isEqualTo(0x66);
        assertThat(controller.get("cqes")).isEqualTo(0x44);
        assertThat(controller.get("nn")).isEqualTo(16);
        assertThat(controller.get("cntrltype")).isEqualTo(1);
    }

    private static String text(MemorySegment bytes) {
        return new String(bytes.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.US_ASCII);
    }

    @Test
    void theNamespaceSaysWhatItIs() throws IOException {
        Pair admin = driver.enable();
        Command identify = new Command(Opcode.IDENTIFY).prp1(TestDriver.DATA);
        assertThat(status(admin, identify.namespace(1).dwords(0))).isZero();
        var namespace = Identify.NAMESPACE.view(driver.at(TestDriver.DATA, 4096));
        assertThat(namespace.get("nsze")).isEqualTo(2048);
        int format = namespace.slice("lbaf").get(JAVA_INT, 0);
        assertThat(Identify.LBA_FORMAT_LBADS.get(format)).isEqualTo(9);
        assertThat(status(admin, identify.namespace(17).dwords(0))).isEqualTo(Status.INVALID_NAMESPACE);
        assertThat(status(admin, identify.namespace(0).dwords(2))).isZero();
        assertThat(driver.at(TestDriver.DATA, 8).get(JAVA_LONG, 0)).isEqualTo(1);
        assertThat(status(admin, identify.namespace(1).dwords(2))).isZero();
        assertThat(driver.at(TestDriver.DATA, 8).get(JAVA_LONG, 0)).isZero();
        assertThat(status(admin, identify.namespace(1).dwords(3))).isZero();
        assertThat(driver.at(TestDriver.DATA, 4).get(JAVA_INT, 0)).isEqualTo(0x1003);
        assertThat(status(admin, identify.namespace(1).dwords(0x55))).isEqualTo(Status.INVALID_FIELD);
    }

    @Test
    void whatTheControllerDoesNotKnowIsAnInvalidOpcode() throws IOException {
        Pair admin = driver.enable();
        Done done = driver.execute(admin, new Command(0x7f));
        assertThat(Status.code(done.status())).isEqualTo(Status.INVALID_OPCODE);
        assertThat(Status.DNR.isSet(done.status())).isTrue();
        Pair io = driver.createPair(admin, 1, CONTIGUOUS);
        assertThat(status(io, new Command(0x7f).namespace(1))).isEqualTo(Status.INVALID_OPCODE);
    }

    @Test
    void featuresAreKept() throws IOException {
        Pair admin = driver.enable();
        Done queues =
                driver.execute(admin, new Command(Opcode.SET_FEATURES).dwords(Feature.NUMBER_OF_QUEUES, 0x7f007f));
        assertThat(queues.status()).isZero();
        assertThat(queues.result()).isEqualTo(0x1f001f);
        Command cache = new Command(Opcode.GET_FEATURES).dwords(Feature.VOLATILE_WRITE_CACHE);
        assertThat(driver.execute(admin, cache).result()).isEqualTo(1);
        assertThat(status(admin, new Command(Opcode.SET_FEATURES).dwords(Feature.VOLATILE_WRITE_CACHE, 0)))
                .isZero();
        assertThat(driver.execute(admin, cache).result()).isZero();
        assertThat(driver.execute(admin, new Command(Opcode.GET_FEATURES).dwords(Feature.VOLATILE_WRITE_CACHE | 0x100))
                        .result())
                .as("the default")
                .isEqualTo(1);
        assertThat(status(admin, new Command(Opcode.GET_FEATURES).dwords(0xc0))).isEqualTo(Status.INVALID_FIELD);
        assertThat(status(admin, new Command(Opcode.SET_FEATURES).dwords(Feature.NUMBER_OF_QUEUES | 1 << 31)))
                .isEqualTo(Status.FEATURE_NOT_SAVEABLE);
    }

    @Test
    void logPagesAreReadInParts() throws IOException {
        Pair admin = driver.enable();
        Command smart = new Command(Opcode.GET_LOG_PAGE).prp1(TestDriver.DATA).dwords(127 << 16 | 2, 0, 0, 0);
        assertThat(status(admin, smart)).isZero();
        assertThat(driver.at(TestDriver.DATA + 1, 2).get(ValueLayout.JAVA_SHORT_UNALIGNED, 0))
                .isEqualTo((short) 300);
        Command slots = new Command(Opcode.GET_LOG_PAGE).prp1(TestDriver.DATA).dwords(1 << 16 | 3, 0, 8, 0);
        assertThat(status(admin, slots)).isZero();
        assertThat(text(driver.at(TestDriver.DATA, 8))).isEqualTo("0.1     ");
        assertThat(status(
                        admin,
                        new Command(Opcode.GET_LOG_PAGE).prp1(TestDriver.DATA).dwords(0xc0)))
                .isEqualTo(Status.INVALID_LOG_PAGE);
        assertThat(status(
                        admin,
                        new Command(Opcode.GET_LOG_PAGE).prp1(TestDriver.DATA).dwords(2, 0, 516)))
                .isEqualTo(Status.INVALID_FIELD);
    }

    @Test
    void aClientThatTruncatesItsMemoryLosesTheConnectionAndNothingElse() throws IOException {
        Pair admin = driver.enable();
        driver.file().truncate(0x2000);
        driver.submit(admin, new Command(Opcode.IDENTIFY).prp1(TestDriver.DATA).dwords(1));
        assertThatThrownBy(() -> {
                    while (true) {
                        driver.register(NvmeRegisters.CSTS);
                    }
                })
                .hasMessageMatching(".*(closed|ECONNRESET|EPIPE).*");
        try (TestDriver next = new TestDriver(server.path())) {
            next.enable();
            assertThat(next.register(NvmeRegisters.CSTS)).isEqualTo(1);
        }
    }

    @Test
    void aResetEndsEverythingButTheMaps() throws IOException {
        Pair admin = driver.enable();
        driver.createPair(admin, 1, CONTIGUOUS);
        assertThat(driver.client
                        .call(VfioUser.DEVICE_RESET, dev.outboard.emulation.TestClient.buffer(0))
                        .errno())
                .isZero();
        assertThat(driver.register(NvmeRegisters.CSTS)).isZero();
        assertThat(driver.register(NvmeRegisters.ASQ)).isZero();
        driver.client.write(Vfio.VFIO_PCI_CONFIG_REGION_INDEX, 4, 2, 6);
        driver.createPair(driver.enable(), 1, CONTIGUOUS);
        assertThat(driver.at(TestDriver.DATA, 8).get(JAVA_LONG_UNALIGNED, 0)).isZero();
    }
}
