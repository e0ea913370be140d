package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.emulation.nvme.TestDriver.Done;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.AsynchronousEvent;
import dev.outboard.specs.nvme.CommandEffects;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Firmware;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.Maintenance;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Features, log pages, events, firmware, sanitize and self-tests. */
class NvmeAdminTest extends NvmeTestBase {
    private static final int SAVE = 1 << 31;

    @Test
    void savedFeaturesOutliveResets() throws IOException {
        assertThat(setFeature(Feature.ARBITRATION | SAVE, 0x01020303)).isZero();
        assertThat(setFeature(Feature.ARBITRATION, 0x04050600)).isZero();
        assertThat(feature(Feature.ARBITRATION, 0)).isEqualTo(0x04050600);
        assertThat(feature(Feature.ARBITRATION | Feature.SELECT_SAVED << 8, 0)).isEqualTo(0x01020303);
        assertThat(feature(Feature.ARBITRATION | Feature.SELECT_DEFAULT << 8, 0))
                .isEqualTo(7);
        assertThat(feature(Feature.ARBITRATION | Feature.SELECT_CAPABILITIES << 8, 0))
                .isEqualTo(Feature.CAN_BE_SAVED | Feature.CAN_BE_CHANGED);
        assertThat(adminStatus(new Command(Opcode.GET_FEATURES).dwords(Feature.ARBITRATION | 4 << 8)))
                .isEqualTo(Status.INVALID_FIELD);
        reset();
        assertThat(feature(Feature.ARBITRATION, 0)).isEqualTo(0x01020303);
    }

    @ParameterizedTest
    @ValueSource(ints = {Feature.HOST_MEMORY_BUFFER, 0x03, 0x10, 0xc0})
    void featuresThatAreNotThereAreRefused(int feature) throws IOException {
        assertThat(setFeature(feature, 0)).isEqualTo(Status.INVALID_FIELD);
        assertThat(adminStatus(new Command(Opcode.GET_FEATURES).dwords(feature)))
                .isEqualTo(Status.INVALID_FIELD);
    }

    @Test
    void featuresAreSetWhereTheyBelong() throws IOException {
        assertThat(adminStatus(new Command(Opcode.SET_FEATURES).namespace(1).dwords(Feature.ARBITRATION)))
                .isEqualTo(Status.FEATURE_NOT_NAMESPACE_SPECIFIC);
        Command recovery = new Command(Opcode.SET_FEATURES).namespace(1).dwords(Feature.ERROR_RECOVERY, 7);
        assertThat(adminStatus(recovery)).isZero();
        assertThat(adminStatus(recovery.namespace(2))).isEqualTo(Status.INVALID_FIELD);
        assertThat(setFeature(Feature.NUMBER_OF_QUEUES, 0x10001))
                .as("there are I/O queues")
                .isEqualTo(Status.SEQUENCE_ERROR);
        assertThat(setFeature(Feature.COMMAND_SET_PROFILE, 1)).isEqualTo(Status.COMMAND_SET_COMBINATION_REJECTED);
        assertThat(setFeature(Feature.POWER_MANAGEMENT, 3)).isEqualTo(Status.INVALID_FIELD);
        assertThat(setFeature(Feature.POWER_MANAGEMENT, 2)).isZero();
        assertThat(setFeature(Feature.INTERRUPT_VECTOR_CONFIGURATION, 33)).isEqualTo(Status.INVALID_FIELD);
        assertThat(feature(Feature.INTERRUPT_VECTOR_CONFIGURATION, 5)).isEqualTo(5);
    }

    @Test
    void featuresWithDataKeepIt() throws IOException {
        word(DATA, 1_700_000_000_000L);
        assertThat(adminStatus(new Command(Opcode.SET_FEATURES).prp1(DATA).dwords(Feature.TIMESTAMP)))
                .isZero();
        assertThat(adminStatus(new Command(Opcode.GET_FEATURES).prp1(OTHER).dwords(Feature.TIMESTAMP)))
                .isZero();
        assertThat(word(OTHER) & (1L << 48) - 1).isBetween(1_700_000_000_000L, 1_700_000_100_000L);
        assertThat(word(OTHER) >>> 48).as("set by the host").isEqualTo(2);
        random(DATA, 256, 1);
        assertThat(adminStatus(new Command(Opcode.SET_FEATURES).prp1(DATA).dwords(Feature.AUTONOMOUS_POWER_STATE, 1)))
                .isZero();
        Done got = driver.execute(
                admin, new Command(Opcode.GET_FEATURES).prp1(OTHER).dwords(Feature.AUTONOMOUS_POWER_STATE));
        assertThat(got.result()).isEqualTo(1);
        assertThat(bytes(OTHER, 256)).isEqualTo(bytes(DATA, 256));
        assertThat(adminStatus(new Command(Opcode.SET_FEATURES).prp1(0x1000).dwords(Feature.TIMESTAMP)))
                .isEqualTo(Status.DATA_TRANSFER_ERROR);
    }

    @Test
    void aTemperatureBeyondItsThresholdIsAnEvent() throws IOException {
        int request = driver.submit(admin, new Command(Opcode.ASYNCHRONOUS_EVENT_REQUEST));
        assertThat(setFeature(Feature.TEMPERATURE_THRESHOLD, 290)).isZero();
        Done event = driver.await(admin);
        assertThat(event.commandId()).isEqualTo(request);
        assertThat(event.result()).isEqualTo(AsynchronousEvent.TEMPERATURE);
        StructView smart = LogPage.SMART_INFORMATION.view(log(LogPage.SMART));
        assertThat(smart.get("critical_warning")).isEqualTo(AsynchronousEvent.WARNING_TEMPERATURE);
        assertThat(setFeature(Feature.TEMPERATURE_THRESHOLD, 343)).isZero();
        assertThat(LogPage.SMART_INFORMATION.view(log(LogPage.SMART)).get("critical_warning"))
                .isZero();
        assertThat(setFeature(Feature.ASYNCHRONOUS_EVENT_CONFIGURATION, 0)).isZero();
        request = driver.submit(admin, new Command(Opcode.ASYNCHRONOUS_EVENT_REQUEST));
        assertThat(setFeature(Feature.TEMPERATURE_THRESHOLD, 1 << 20 | 310))
                .as("too cold, but not wanted")
                .isZero();
        Done aborted = abort(request);
        assertThat(Status.code(aborted.status())).isEqualTo(Status.ABORT_REQUESTED);
    }

    private Done abort(int commandId) throws IOException {
        driver.submit(admin, new Command(Opcode.ABORT).dwords(commandId << 16));
        Done first = driver.await(admin);
        assertThat(first.commandId()).as("the aborted command first").isEqualTo(commandId);
        Done abort = driver.await(admin);
        assertThat(abort.status()).isZero();
        assertThat(abort.result()).as("it was aborted").isZero();
        return first;
    }

    @Test
    void whatIsNotThereIsNotAborted() throws IOException {
        Done done = driver.execute(admin, new Command(Opcode.ABORT).dwords(77 << 16 | 1));
        assertThat(done.status()).isZero();
        assertThat(done.result()).isEqualTo(1);
    }

    @Test
    void theLogOfEffectsSaysWhatThereIs() throws IOException {
        MemorySegment effects = log(LogPage.COMMAND_EFFECTS);
        for (int opcode = 0; opcode < 256; opcode++) {
            if (opcode == Opcode.ASYNCHRONOUS_EVENT_REQUEST) {
                continue;
            }
            boolean listed = (effects.get(JAVA_INT, opcode * 4L) & CommandEffects.SUPPORTED) != 0;
            // Nothing of it is valid, so that nothing happens.
            int status = adminStatus(new Command(opcode).namespace(0x7f).dwords(-1, -1, -1, -1, -1, -1));
            assertThat(status != Status.INVALID_OPCODE).as("opcode %x", opcode).isEqualTo(listed);
            effects = log(LogPage.COMMAND_EFFECTS);
        }
        assertThat(effects.get(JAVA_INT, 1024 + Opcode.WRITE * 4L)).isEqualTo(3);
        assertThat(effects.get(JAVA_INT, 1024 + Opcode.ZONE_APPEND * 4L)).isZero();
        assertThat(effects.get(JAVA_INT, Opcode.DIRECTIVE_SEND * 4L)).isZero();
        assertThat(effects.get(JAVA_INT, Opcode.VIRTUALIZATION_MANAGEMENT * 4L)).isZero();
    }

    @Test
    void theListOfLogPagesIsTrue() throws IOException {
        byte[] supported = log(LogPage.SUPPORTED_LOG_PAGES).asSlice(0, 1024).toArray(JAVA_BYTE);
        for (int id = 0; id < 256; id++) {
            Command get = new Command(Opcode.GET_LOG_PAGE).prp1(DATA).dwords(id);
            assertThat(adminStatus(get)).isEqualTo(supported[id * 4] == 1 ? 0 : Status.INVALID_LOG_PAGE);
        }
        Command get = new Command(Opcode.GET_LOG_PAGE).prp1(DATA);
        assertThat(adminStatus(get.dwords(LogPage.SMART).namespace(1))).isEqualTo(Status.INVALID_FIELD);
        assertThat(adminStatus(get.dwords(LogPage.SMART, 0, 0, 0, 1 << 23).namespace(-1)))
                .isEqualTo(Status.INVALID_FIELD);
        assertThat(log(LogPage.FEATURE_EFFECTS).get(JAVA_INT, Feature.TIMESTAMP * 4L) & 1)
                .isEqualTo(1);
    }

    private void image(String revision, int bytes) {
        random(DATA, bytes, 1);
        CRC32 crc = new CRC32();
        crc.update(bytes(DATA + FirmwareSlots.HEAD_BYTES, bytes - FirmwareSlots.HEAD_BYTES));
        byte[] text = (FirmwareSlots.MAGIC + revision).getBytes(StandardCharsets.US_ASCII);
        driver.at(DATA, text.length).copyFrom(MemorySegment.ofArray(text));
        driver.at(DATA + text.length, 4).set(JAVA_INT, 0, (int) crc.getValue());
    }

    private int download(long offset, int bytes) throws IOException {
        return adminStatus(new Command(Opcode.FIRMWARE_DOWNLOAD)
                .prp1(DATA + offset)
                .prp2(DATA + offset + PAGE)
                .dwords(bytes / 4 - 1, (int) offset / 4));
    }

    private int commit(int action, int slot) throws IOException {
        return adminStatus(new Command(Opcode.FIRMWARE_COMMIT).dwords(action << 3 | slot));
    }

    private String revision() throws IOException {
        assertThat(adminStatus(identify(Identify.CNS_CONTROLLER, 0))).isZero();
        MemorySegment field = Identify.CONTROLLER.view(driver.at(DATA, PAGE)).slice("fr");
        return new String(field.toArray(JAVA_BYTE), StandardCharsets.US_ASCII);
    }

    @Test
    void firmwareIsDownloadedStoredAndRun() throws IOException {
        image("2.0 beta", 3 * PAGE);
        assertThat(download(0, 2 * PAGE)).isZero();
        assertThat(download(PAGE, PAGE)).isEqualTo(Status.OVERLAPPING_RANGE);
        assertThat(download(2 * PAGE, PAGE)).isZero();
        assertThat(commit(Firmware.REPLACE, 1)).as("read only").isEqualTo(Status.INVALID_FIRMWARE_SLOT);
        assertThat(commit(Firmware.REPLACE_AND_ACTIVATE, 2)).isZero();
        assertThat(revision()).isEqualTo("0.1     ");
        assertThat(log(LogPage.FIRMWARE_SLOT).get(JAVA_BYTE, 0)).isEqualTo((byte) 0x21);
        reset();
        assertThat(revision()).isEqualTo("2.0 beta");
        assertThat(log(LogPage.FIRMWARE_SLOT).get(JAVA_BYTE, 0)).isEqualTo((byte) 2);
        assertThat(commit(Firmware.ACTIVATE_NOW, 1)).isZero();
        assertThat(revision()).isEqualTo("0.1     ");
        assertThat(commit(Firmware.ACTIVATE, 3)).isEqualTo(Status.INVALID_FIRMWARE_IMAGE);
        assertThat(commit(Firmware.ACTIVATE, 4)).isEqualTo(Status.INVALID_FIRMWARE_SLOT);
        assertThat(commit(6, 1)).isEqualTo(Status.INVALID_FIELD);
    }

    @Test
    void whatIsNoFirmwareIsNotStored() throws IOException {
        assertThat(commit(Firmware.REPLACE, 2)).as("nothing came").isEqualTo(Status.INVALID_FIRMWARE_IMAGE);
        image("2.0 beta", PAGE);
        driver.at(DATA + 100, 1).set(JAVA_BYTE, 0, (byte) ~bytes(DATA + 100, 1)[0]);
        assertThat(download(0, PAGE)).isZero();
        assertThat(commit(Firmware.REPLACE, 2)).isEqualTo(Status.INVALID_FIRMWARE_IMAGE);
        assertThat(download(0, PAGE / 2)).isEqualTo(Status.INVALID_FIELD);
        assertThat(download(1 << 20, PAGE)).isEqualTo(Status.INVALID_FIELD);
    }

    @ParameterizedTest
    @CsvSource({"2, 0", "3, 0", "4, 0", "0x223, 0x5aa5c33c"})
    void sanitizeLeavesNothing(String dword10, String pattern) throws IOException {
        random(DATA, PAGE, 1);
        assertThat(status(TestDriver.write(0, 8).prp1(DATA))).isZero();
        assertThat(LogPage.SANITIZE_STATUS.view(log(LogPage.SANITIZE)).get("sstat"))
                .isZero();
        driver.submit(admin, new Command(Opcode.ASYNCHRONOUS_EVENT_REQUEST));
        Command sanitize = new Command(Opcode.SANITIZE)
                .dwords(Integer.decode(dword10), Long.decode(pattern).intValue());
        driver.submit(admin, sanitize);
        assertThat(driver.await(admin).status()).isZero();
        assertThat(driver.await(admin).result()).isEqualTo(AsynchronousEvent.SANITIZE_COMPLETED);
        StructView status = LogPage.SANITIZE_STATUS.view(log(LogPage.SANITIZE));
        assertThat(status.get("sprog")).isEqualTo(Maintenance.SANITIZE_IDLE);
        assertThat(status.get("sstat") & 7).isEqualTo(Maintenance.SANITIZED);
        assertThat(status.get("sstat") & Maintenance.GLOBAL_DATA_ERASED).isNotZero();
        assertThat(status.get("scdw10")).isEqualTo(Long.decode(dword10));
        assertThat(status(TestDriver.read(0, 8).prp1(DATA))).isZero();
        for (int i = 0; i < PAGE; i += 4) {
            assertThat(driver.at(DATA + i, 4).get(JAVA_INT, 0))
                    .isEqualTo(Long.decode(pattern).intValue());
        }
        assertThat(status(TestDriver.write(0, 8).prp1(DATA))).isZero();
        assertThat(LogPage.SANITIZE_STATUS.view(log(LogPage.SANITIZE)).get("sstat") & Maintenance.GLOBAL_DATA_ERASED)
                .isZero();
    }

    @Test
    void whileSanitizingBlocksAreOutOfReach() throws IOException {
        serveAgain(options().withSizeBytes(64L << 20));
        // 16 passes, which take their time.
        int[] statuses = together(
                new Command(Opcode.SANITIZE).dwords(Maintenance.OVERWRITE),
                new Command(Opcode.SANITIZE).dwords(Maintenance.BLOCK_ERASE),
                new Command(Opcode.FORMAT_NVM).namespace(1));
        assertThat(statuses).containsExactly(0, Status.SANITIZE_IN_PROGRESS, Status.SANITIZE_IN_PROGRESS);
        Done refused = driver.execute(io, TestDriver.read(0, 1).prp1(DATA));
        assertThat(Status.code(refused.status())).isEqualTo(Status.SANITIZE_IN_PROGRESS);
        assertThat(Status.DNR.isSet(refused.status())).isFalse();
        long progress = 0;
        long now = LogPage.SANITIZE_STATUS.view(log(LogPage.SANITIZE)).get("sprog");
        while (now != Maintenance.SANITIZE_IDLE) {
            assertThat(now).isGreaterThanOrEqualTo(progress);
            progress = now;
            now = LogPage.SANITIZE_STATUS.view(log(LogPage.SANITIZE)).get("sprog");
        }
        assertThat(status(TestDriver.read(0, 1).prp1(DATA))).isZero();
        assertThat(adminStatus(new Command(Opcode.SANITIZE).dwords(5))).isEqualTo(Status.INVALID_FIELD);
    }

    /** Submits admin commands with one ring, so that nothing happens between them; returns their statuses. */
    private int[] together(Command... commands) throws IOException {
        for (Command command : commands) {
            driver.put(admin, command);
        }
        driver.ringTail(0, admin.tail);
        int[] statuses = new int[commands.length];
        for (int i = 0; i < commands.length; i++) {
            statuses[i] = Status.code(driver.await(admin).status());
        }
        return statuses;
    }

    @ParameterizedTest
    @ValueSource(ints = {Maintenance.SHORT_TEST, Maintenance.EXTENDED_TEST})
    void selfTestsPass(int test) throws IOException {
        assertThat(adminStatus(new Command(Opcode.DEVICE_SELF_TEST).namespace(1).dwords(test)))
                .isZero();
        while (log(LogPage.SELF_TEST).get(JAVA_BYTE, 0) != 0) {
            assertThat(driver.at(DATA + 1, 1).get(JAVA_BYTE, 0)).isBetween((byte) 0, (byte) 100);
        }
        StructView result = LogPage.SELF_TEST_RESULT.view(driver.at(DATA + 4, 28));
        assertThat(result.get("dsts")).isEqualTo(test << 4 | Maintenance.TEST_PASSED);
        assertThat(result.get("nsid")).isEqualTo(1);
        assertThat(LogPage.SELF_TEST_RESULT.view(driver.at(DATA + 32, 28)).get("dsts"))
                .isEqualTo(Maintenance.TEST_UNUSED);
    }

    @Test
    void selfTestsAreAborted() throws IOException {
        Command extended = new Command(Opcode.DEVICE_SELF_TEST).dwords(Maintenance.EXTENDED_TEST);
        Command abort = new Command(Opcode.DEVICE_SELF_TEST).dwords(Maintenance.ABORT_TEST);
        assertThat(together(extended, extended, abort)).containsExactly(0, Status.SELF_TEST_IN_PROGRESS, 0);
        assertThat(log(LogPage.SELF_TEST).get(JAVA_BYTE, 4))
                .isEqualTo((byte) (Maintenance.EXTENDED_TEST << 4 | Maintenance.TEST_ABORTED));
        assertThat(adminStatus(new Command(Opcode.DEVICE_SELF_TEST).dwords(3))).isEqualTo(Status.INVALID_FIELD);
        assertThat(adminStatus(new Command(Opcode.DEVICE_SELF_TEST).namespace(3).dwords(1)))
                .isEqualTo(Status.INVALID_FIELD);
    }

    @Test
    void securityKnowsTheProtocolThatListsProtocols() throws IOException {
        driver.at(DATA, 512).fill((byte) 0x5a);
        assertThat(adminStatus(new Command(Opcode.SECURITY_RECEIVE).prp1(DATA).dwords(0, 512)))
                .isZero();
        assertThat(bytes(DATA, 9)).containsExactly(0, 0, 0, 0, 0, 0, 0, 1, 0);
        assertThat(adminStatus(new Command(Opcode.SECURITY_RECEIVE).prp1(DATA).dwords(1 << 24, 512)))
                .isEqualTo(Status.INVALID_FIELD);
        assertThat(adminStatus(new Command(Opcode.SECURITY_SEND).prp1(DATA).dwords(0, 512)))
                .isEqualTo(Status.INVALID_FIELD);
    }

    @Test
    void aSubsystemResetIsSeenAfterwards() throws IOException {
        driver.register(NvmeRegisters.NSSR, 1);
        assertThat(driver.register(NvmeRegisters.CSTS))
                .as("another value does nothing")
                .isEqualTo(1);
        driver.register(NvmeRegisters.NSSR, NvmeRegisters.NSSR_RESET);
        assertThat(driver.register(NvmeRegisters.CSTS)).isEqualTo(NvmeRegisters.CSTS_NSSRO.mask());
        assertThat(driver.register(NvmeRegisters.CC)).isZero();
        admin = driver.enable(ALL_COMMAND_SETS);
        assertThat(driver.register(NvmeRegisters.CSTS)).isEqualTo(NvmeRegisters.CSTS_NSSRO.mask() | 1);
        driver.register(NvmeRegisters.CSTS, NvmeRegisters.CSTS_NSSRO.mask());
        assertThat(driver.register(NvmeRegisters.CSTS)).isEqualTo(1);
    }

    @Test
    void aHostThatIsNotHeardOfIsGone() throws IOException {
        assertThat(adminStatus(new Command(Opcode.KEEP_ALIVE))).isZero();
        assertThat(setFeature(Feature.KEEP_ALIVE_TIMER, 1)).isZero();
        long fatal = NvmeRegisters.CSTS_CFS.mask();
        while ((driver.register(NvmeRegisters.CSTS) & fatal) == 0) {
            Thread.onSpinWait();
        }
        reset();
        assertThat(driver.register(NvmeRegisters.CSTS)).isEqualTo(1);
    }

    @Test
    void aDisabledControllerWithoutShutdownIsCounted() throws IOException {
        assertThat(smart("unsafe_shutdowns")).isZero();
        reset();
        assertThat(smart("unsafe_shutdowns")).isEqualTo(1);
        driver.register(NvmeRegisters.CC, 0x464001 | ALL_COMMAND_SETS);
        reset();
        assertThat(smart("unsafe_shutdowns")).isEqualTo(1);
    }
}
