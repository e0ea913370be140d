package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.nvme.NvmeOptions.Metadata;
import dev.outboard.emulation.nvme.NvmeOptions.ZoneLimits;
import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.emulation.nvme.TestDriver.Pair;
import dev.outboard.linux.Fd;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Guard;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.ProtectionInformation;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Commands of random bytes, with PRP lists and SGLs of random bytes: each ends in a status, and what the device may only
 * read it does not write. The seed of a failure is in its message.
 */
class NvmeRandomCommandsTest extends NvmeTestBase {
    private static final int COMMANDS = 6_000;
    private static final int LIST_PAGES = 8;
    private static final long READ_ONLY = TestDriver.MEMORY + TestDriver.MEMORY_BYTES;
    private static final int READ_ONLY_BYTES = 4 * PAGE;
    private static final int[] IO_OPCODES = {
        Opcode.FLUSH,
        Opcode.WRITE,
        Opcode.READ,
        Opcode.WRITE_UNCORRECTABLE,
        Opcode.COMPARE,
        Opcode.WRITE_ZEROES,
        Opcode.DATASET_MANAGEMENT,
        Opcode.VERIFY,
        Opcode.RESERVATION_REGISTER,
        Opcode.RESERVATION_REPORT,
        Opcode.RESERVATION_ACQUIRE,
        Opcode.RESERVATION_RELEASE,
        Opcode.COPY,
        Opcode.ZONE_MANAGEMENT_SEND,
        Opcode.ZONE_MANAGEMENT_RECEIVE,
        Opcode.ZONE_APPEND
    };

    private static final int[] ADMIN_OPCODES = {
        Opcode.DELETE_IO_SUBMISSION_QUEUE,
        Opcode.CREATE_IO_SUBMISSION_QUEUE,
        Opcode.GET_LOG_PAGE,
        Opcode.DELETE_IO_COMPLETION_QUEUE,
        Opcode.CREATE_IO_COMPLETION_QUEUE,
        Opcode.IDENTIFY,
        Opcode.ABORT,
        Opcode.SET_FEATURES,
        Opcode.GET_FEATURES,
        Opcode.NAMESPACE_MANAGEMENT,
        Opcode.FIRMWARE_COMMIT,
        Opcode.FIRMWARE_DOWNLOAD,
        Opcode.DEVICE_SELF_TEST,
        Opcode.NAMESPACE_ATTACHMENT,
        Opcode.KEEP_ALIVE,
        Opcode.FORMAT_NVM,
        Opcode.SECURITY_SEND,
        Opcode.SECURITY_RECEIVE,
        Opcode.SANITIZE
    };

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    private void serve(Metadata metadata, ZoneLimits zones) throws IOException {
        serveAgain(options()
                .withSizeBytes(1 << 20)
                .withNamespaces(2)
                .withMetadata(metadata)
                .withZones(zones));
        try (var file = Fd.memfd("read-only", READ_ONLY_BYTES)) {
            assertThat(driver.client.map(READ_ONLY, READ_ONLY_BYTES, VfioUser.DMA_MAP_READ, 0, file))
                    .isZero();
        }
    }

    /** An address that makes sense more often than not. */
    private long address() {
        return switch (random.nextInt(10)) {
            case 0 -> random.nextLong();
            case 1 -> READ_ONLY + random.nextInt(READ_ONLY_BYTES);
            case 2 -> READ_ONLY - random.nextInt(PAGE);
            case 3 -> LIST + (long) random.nextInt(LIST_PAGES) * PAGE + random.nextInt(PAGE / 8) * 8L;
            case 4 -> DATA + random.nextInt(1 << 20);
            case 5, 6 -> LIST + (long) random.nextInt(LIST_PAGES) * PAGE;
            default -> DATA + (long) random.nextInt(256) * PAGE;
        };
    }

    private void scramble() {
        MemorySegment lists = driver.at(LIST, (long) LIST_PAGES * PAGE);
        for (int i = 0; i < LIST_PAGES * PAGE / 16; i++) {
            if (random.nextInt(4) == 0) {
                lists.setAtIndex(JAVA_LONG, 2L * i, address() & -PAGE);
                lists.setAtIndex(JAVA_LONG, 2L * i + 1, address() & -PAGE);
            } else {
                long type = random.nextInt(8) == 0 ? random.nextInt(16) : random.nextInt(4);
                long length = random.nextInt(4) == 0 ? random.nextInt(1 << 20) : random.nextInt(64) * 16L;
                lists.setAtIndex(JAVA_LONG, 2L * i, address());
                lists.setAtIndex(JAVA_LONG, 2L * i + 1, type << 60 | length);
            }
        }
    }

    /** A command that could be meant, in which one word or more may be anything. */
    private Command command(int opcode) {
        Command command = new Command(opcode);
        for (int i = 10; i < command.words.length; i++) {
            command.words[i] = random.nextInt(64);
        }
        int pointerKind = random.nextInt(3);
        command.flags(pointerKind << 14).prp1(address()).metadata(address());
        if (pointerKind == 0) {
            command.prp2(random.nextBoolean() ? address() & -PAGE : address());
        } else {
            command.words[8] = random.nextBoolean() ? random.nextInt(64) * 16 : random.nextInt(1 << 20);
            command.words[9] = random.nextInt(4) << 28;
        }
        command.namespace(1 + random.nextInt(2));
        if (random.nextInt(2) == 0) {
            // A block, where the command names one; a zone's first, where there are zones.
            command.words[10] = random.nextInt(16) * 128;
        }
        command.words[11] = random.nextInt(4) == 0 ? command.words[11] : 0;
        command.words[12] |= random.nextInt(8) == 0 ? random.nextInt() : 0;
        while (random.nextInt(3) == 0) {
            command.words[random.nextInt(15) + 1] = random.nextInt();
        }
        return command;
    }

    @ParameterizedTest
    @CsvSource({"0, false, 0, 0", "8, true, 1, 0", "64, false, 3, 0", "16, false, 2, 65536"})
    void anyIoCommandEndsInAStatus(int metadataBytes, boolean extended, int protection, long zoneBytes)
            throws IOException {
        ZoneLimits zones = zoneBytes == 0 ? ZoneLimits.NONE : new ZoneLimits(zoneBytes, 4, 6);
        serve(new Metadata(metadataBytes, extended, protection), zones);
        int succeeded = 0;
        for (int i = 0; i < COMMANDS; i++) {
            if (i % 64 == 0) {
                scramble();
            }
            int opcode = random.nextInt(8) == 0 ? random.nextInt(256) : IO_OPCODES[random.nextInt(IO_OPCODES.length)];
            Command command = command(opcode);
            if (random.nextInt(16) == 0) {
                command.flags(random.nextInt(256) << 8);
            }
            succeeded += status(io, command) == 0 ? 1 : 0;
        }
        assertThat(succeeded)
                .as("a test whose commands all fail shows little; seed %d", seed)
                .isPositive();
        assertAlive();
    }

    @Test
    void anyIoCommandOnLongGuardsEndsInAStatus() throws IOException {
        serve(new Metadata(16, true, 2, new ProtectionInformation(Guard.BITS_32, 40)), ZoneLimits.NONE);
        driver.at(TestDriver.DATA, PAGE).fill((byte) 0).set(JAVA_BYTE, Feature.LBAFEE, (byte) 1);
        Command knows = new Command(Opcode.SET_FEATURES).prp1(TestDriver.DATA).dwords(Feature.HOST_BEHAVIOR_SUPPORT);
        assertThat(status(admin, knows)).isZero();
        int[] opcodes = {Opcode.READ, Opcode.WRITE, Opcode.COMPARE, Opcode.VERIFY, Opcode.WRITE_ZEROES, Opcode.COPY};
        int succeeded = 0;
        for (int i = 0; i < COMMANDS; i++) {
            if (i % 64 == 0) {
                scramble();
            }
            succeeded += status(io, command(opcodes[random.nextInt(opcodes.length)])) == 0 ? 1 : 0;
        }
        assertThat(succeeded).as("seed %d", seed).isPositive();
        assertAlive();
    }

    @Test
    void anyAdminCommandEndsInAStatus() throws IOException {
        serve(Metadata.NONE, ZoneLimits.NONE);
        for (int i = 0; i < COMMANDS; i++) {
            if (i % 64 == 0) {
                scramble();
            }
            int opcode =
                    random.nextInt(8) == 0 ? random.nextInt(256) : ADMIN_OPCODES[random.nextInt(ADMIN_OPCODES.length)];
            // Requests for events stay without a completion; shadow doorbells would be rung by nobody.
            if (opcode == Opcode.ASYNCHRONOUS_EVENT_REQUEST || opcode == Opcode.DOORBELL_BUFFER_CONFIG) {
                continue;
            }
            Command command = command(opcode);
            if (random.nextInt(8) != 0) {
                command.words[0] = opcode;
                Arrays.fill(command.words, 12, 16, 0);
            }
            if (opcode == Opcode.SET_FEATURES && (command.words[10] & 0xff) == 0x0f) {
                continue;
            }
            // The queue pair in use stays.
            if (opcode <= Opcode.CREATE_IO_COMPLETION_QUEUE && opcode != Opcode.GET_LOG_PAGE) {
                command.words[10] |= 2;
            }
            status(admin, command);
        }
        assertAlive();
    }

    @Override
    int status(Pair pair, Command command) throws IOException {
        try {
            return super.status(pair, command);
        } catch (IOException e) {
            throw new IOException("seed " + seed + ", command " + Arrays.toString(command.words), e);
        }
    }

    private void assertAlive() throws IOException {
        assertThat(status(admin, identify(Identify.CNS_CONTROLLER, 0))).isZero();
        reset();
        assertThat(status(admin, identify(Identify.CNS_CONTROLLER, 0))).isZero();
    }
}
