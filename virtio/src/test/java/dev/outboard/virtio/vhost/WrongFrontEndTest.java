package dev.outboard.virtio.vhost;

import static dev.outboard.virtio.vhost.TestFrontEnd.GUEST;
import static dev.outboard.virtio.vhost.TestFrontEnd.MEMORY_BYTES;
import static dev.outboard.virtio.vhost.TestFrontEnd.USER;
import static dev.outboard.virtio.vhost.TestFrontEnd.addresses;
import static dev.outboard.virtio.vhost.TestFrontEnd.bytes;
import static dev.outboard.virtio.vhost.TestFrontEnd.number;
import static dev.outboard.virtio.vhost.TestFrontEnd.region;
import static dev.outboard.virtio.vhost.TestFrontEnd.singleRegion;
import static dev.outboard.virtio.vhost.TestFrontEnd.table;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.specs.vhostuser.ProtocolFeature;
import dev.outboard.specs.vhostuser.Request;
import dev.outboard.specs.vhostuser.VhostUser;
import dev.outboard.specs.virtio.VirtioDeviceType;
import dev.outboard.specs.virtio.VirtioFeature;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a back end does with front ends that break the rules. */
class WrongFrontEndTest {
    private static final int PAGE = 4096;

    @RegisterExtension
    final ServedEcho served = new ServedEcho(VirtioDeviceType.BLOCK);

    static Stream<Arguments> lies() {
        byte[] whole = region(GUEST, MEMORY_BYTES, USER, 0);
        long features = VirtioFeature.VERSION_1 | VhostUser.FEATURE_PROTOCOL_FEATURES;
        return Stream.of(
                lie("a feature that was not offered", Request.SET_FEATURES, number(features | 1L << 33), 0),
                lie("a driver for legacy devices", Request.SET_FEATURES, number(0), 0),
                lie("a protocol feature that was not offered", Request.SET_PROTOCOL_FEATURES, number(1L << 40), 0),
                lie(
                        "in-band notifications without a channel",
                        Request.SET_PROTOCOL_FEATURES,
                        number(ProtocolFeature.INBAND_NOTIFICATIONS.mask()),
                        0),
                lie("a number of 4 bytes", Request.SET_FEATURES, bytes(1), 0),
                lie("a number of 12 bytes", Request.SET_FEATURES, bytes(1, 2, 3), 0),
                lie("no memory table", Request.SET_MEM_TABLE, bytes(), 0),
                lie("a memory table without regions", Request.SET_MEM_TABLE, bytes(0, 0), 0),
                lie("a memory table that says it is longer", Request.SET_MEM_TABLE, longer(table(whole)), 2),
                lie("a memory table of nine regions", Request.SET_MEM_TABLE, table(nineRegions()), 8),
                lie("a memory table of 2^32 - 1 regions", Request.SET_MEM_TABLE, bytes(-1, 0), 1),
                lie("a region without a descriptor", Request.SET_MEM_TABLE, table(whole), 0),
                lie("two descriptors for a region", Request.SET_MEM_TABLE, table(whole), 2),
                lie(
                        "a region beyond its file",
                        Request.SET_MEM_TABLE,
                        table(region(GUEST, MEMORY_BYTES, USER, PAGE)),
                        1),
                lie("a region of no size", Request.SET_MEM_TABLE, table(region(GUEST, 0, USER, 0)), 1),
                lie("a region of 2^63 bytes", Request.SET_MEM_TABLE, table(region(0, Long.MIN_VALUE, USER, 0)), 1),
                lie("a region that wraps", Request.SET_MEM_TABLE, table(region(-PAGE, 2 * PAGE, USER, 0)), 1),
                lie(
                        "a region whose user addresses wrap",
                        Request.SET_MEM_TABLE,
                        table(region(GUEST, 2 * PAGE, -PAGE, 0)),
                        1),
                lie("a region of half a page", Request.SET_MEM_TABLE, table(region(GUEST, PAGE / 2, USER, 0)), 1),
                lie("a region at an odd address", Request.SET_MEM_TABLE, table(region(GUEST + 1, PAGE, USER, 0)), 1),
                lie("a negative offset", Request.SET_MEM_TABLE, table(region(GUEST, PAGE, USER, -PAGE)), 1),
                lie(
                        "an offset of nearly 2^63",
                        Request.SET_MEM_TABLE,
                        table(region(GUEST, 2 * PAGE, USER, Long.MAX_VALUE - 4095)),
                        1),
                lie(
                        "regions that overlap",
                        Request.SET_MEM_TABLE,
                        table(region(GUEST, 2 * PAGE, USER, 0), region(GUEST + PAGE, PAGE, USER + 9 * PAGE, 0)),
                        2),
                lie(
                        "regions whose user addresses overlap",
                        Request.SET_MEM_TABLE,
                        table(region(GUEST, 2 * PAGE, USER, 0), region(GUEST + 9 * PAGE, PAGE, USER + PAGE, 0)),
                        2),
                lie("one more region where there is one", Request.ADD_MEM_REG, singleRegion(whole), 1),
                lie(
                        "one more region without a descriptor",
                        Request.ADD_MEM_REG,
                        singleRegion(region(0, PAGE, 0, 0)),
                        0),
                lie(
                        "less of a region than there is",
                        Request.REM_MEM_REG,
                        singleRegion(region(GUEST, PAGE, USER, 0)),
                        0),
                lie("a region that is not there", Request.REM_MEM_REG, singleRegion(region(0, PAGE, USER, 0)), 0),
                lie("a region with two descriptors", Request.REM_MEM_REG, singleRegion(whole), 2),
                lie("a queue that is not there", Request.SET_VRING_BASE, bytes(EchoDevice.QUEUES, 0), 0),
                lie("a queue of 2^32 - 1", Request.SET_VRING_ENABLE, bytes(-1, 1), 0),
                lie("a queue without descriptors", Request.SET_VRING_NUM, bytes(1, 0), 0),
                lie("a queue that is too large", Request.SET_VRING_NUM, bytes(1, EchoDevice.QUEUE_SIZE + 1), 0),
                lie("a queue of 2^32 - 1 descriptors", Request.SET_VRING_NUM, bytes(1, -1), 0),
                lie("the size of a queue in use", Request.SET_VRING_NUM, bytes(0, 4), 0),
                lie("the place in a queue in use", Request.SET_VRING_BASE, bytes(0, 4), 0),
                lie("features of queues in use", Request.SET_FEATURES, number(features), 0),
                lie("a queue in use where no memory is", Request.SET_VRING_ADDR, addresses(0, 0, USER, USER), 0),
                lie(
                        "a queue in use beyond the memory",
                        Request.SET_VRING_ADDR,
                        addresses(0, USER, USER + MEMORY_BYTES, USER),
                        0),
                lie("a queue that is enabled twice over", Request.SET_VRING_ENABLE, bytes(0, 2), 0),
                lie("no descriptor to kick", Request.SET_VRING_KICK, number(1), 0),
                lie("a descriptor and none", Request.SET_VRING_CALL, number(1 | VhostUser.VRING_NO_DESCRIPTOR), 1),
                lie("two descriptors to tell of errors", Request.SET_VRING_ERR, number(1), 2),
                lie("a queue of more bits", Request.SET_VRING_CALL, number(1 << 9), 1),
                lie("no channel", Request.SET_BACKEND_REQ_FD, bytes(), 0),
                lie("a kick to a queue that is not there", Request.VRING_KICK, bytes(77, 0), 0),
                lie("configuration beyond its end", Request.SET_CONFIG, bytes(253, 4, 0, 1), 0),
                lie("configuration far away", Request.SET_CONFIG, bytes(-1, 4, 0, 1), 0),
                lie("more configuration than there is", Request.SET_CONFIG, bytes(0, 5, 0, 1), 0),
                lie("no configuration", Request.SET_CONFIG, bytes(0, 0, 0), 0),
                lie("a descriptor with what has none", Request.SET_OWNER, bytes(), 1),
                lie("a status of nine bits", Request.SET_STATUS, number(0x100), 0),
                lie("an MTU of a disk", Request.NET_SET_MTU, number(1500), 0),
                lie("a log", Request.SET_LOG_FD, bytes(), 1),
                lie("what is in flight", Request.SET_INFLIGHT_FD, number(0, 0, 0), 1));
    }

    private static Arguments lie(String what, Request request, byte[] payload, int descriptors) {
        return Arguments.argumentSet(what, request, payload, descriptors);
    }

    private static byte[] longer(byte[] table) {
        table[0]++;
        return table;
    }

    private static byte[][] nineRegions() {
        List<byte[]> regions = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            regions.add(region((long) i * PAGE, PAGE, (long) i * PAGE, 0));
        }
        return regions.toArray(byte[][]::new);
    }

    @ParameterizedTest
    @MethodSource("lies")
    void whoWantsToKnowIsToldThatALieIsRefused(Request request, byte[] payload, int descriptors) throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            frontEnd.startQueue(0);
            frontEnd.echo("well");
            assertThat(frontEnd.acknowledge(request.number(), payload, files(frontEnd, descriptors)))
                    .isFalse();
            frontEnd.ask(Request.GET_FEATURES);
        }
        served.assertNextFrontEndIsServed();
    }

    @ParameterizedTest
    @MethodSource("lies")
    void whoDoesNotWantToKnowIsDisconnectedForALie(Request request, byte[] payload, int descriptors)
            throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            frontEnd.startQueue(0);
            frontEnd.send(request, payload, files(frontEnd, descriptors));
            frontEnd.awaitDisconnect();
        }
        served.assertNextFrontEndIsServed();
    }

    private static Fd[] files(TestFrontEnd frontEnd, int count) {
        return Collections.nCopies(count, frontEnd.file()).toArray(Fd[]::new);
    }

    @ParameterizedTest
    @MethodSource("notNegotiated")
    void whatTakesAProtocolFeatureIsRefusedWithoutIt(Request request, byte[] payload, int descriptors)
            throws IOException {
        try (TestFrontEnd frontEnd = served.connect()) {
            frontEnd.send(request, payload, files(frontEnd, descriptors));
            if (request == Request.GET_CONFIG) {
                // Tells of failures by an empty reply.
                assertThat(frontEnd.ask(Request.GET_CONFIG, payload).payload().capacity())
                        .isZero();
            } else {
                frontEnd.awaitDisconnect();
            }
        }
        served.assertNextFrontEndIsServed();
    }

    static Stream<Arguments> notNegotiated() {
        return Stream.of(
                lie("configuration", Request.SET_CONFIG, bytes(0, 4, 0, 1), 0),
                lie("a region", Request.ADD_MEM_REG, singleRegion(region(GUEST, PAGE, USER, 0)), 1),
                lie("a channel", Request.SET_BACKEND_REQ_FD, bytes(), 1),
                lie("a kick", Request.VRING_KICK, bytes(0, 0), 0),
                lie("a reset", Request.RESET_DEVICE, bytes(), 0),
                lie("a status", Request.SET_STATUS, number(0), 0));
    }

    @Test
    void anUnknownRequestIsRefused() throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            for (int request : new int[] {0, 41, 1000, -1}) {
                assertThat(frontEnd.acknowledge(request, bytes(1, 2, 3, 4))).isFalse();
            }
            frontEnd.send(TestFrontEnd.message(41, VhostUser.FLAGS_VERSION, bytes()));
            frontEnd.awaitDisconnect();
        }
    }

    @Test
    void configurationThatCannotBeReadIsAnEmptyReply() throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            assertThat(frontEnd.ask(Request.GET_CONFIG, bytes(300, 4, 0, 0))
                            .payload()
                            .capacity())
                    .isZero();
            assertThat(frontEnd.ask(Request.GET_CONFIG, bytes(0, 4)).payload().capacity())
                    .isZero();
            assertThat(frontEnd.ask(Request.GET_CONFIG, bytes(0, 4, 0, 0))
                            .payload()
                            .capacity())
                    .isEqualTo(16);
        }
    }

    @Test
    void anotherVersionIsNoMessage() throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            frontEnd.send(TestFrontEnd.message(Request.GET_FEATURES.number(), 2, bytes()));
            frontEnd.awaitDisconnect();
        }
        served.assertNextFrontEndIsServed();
    }

    @Test
    void aMessageOfFourGigabytesIsNoMessage() throws IOException {
        try (TestFrontEnd frontEnd = served.connect()) {
            frontEnd.send(bytes(Request.SET_OWNER.number(), VhostUser.FLAGS_VERSION, -1));
            frontEnd.awaitDisconnect();
        }
        served.assertNextFrontEndIsServed();
    }

    @Test
    void aMessageThatComesByTheByteIsOne() throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            byte[] message = TestFrontEnd.message(Request.SET_STATUS.number(), VhostUser.FLAGS_VERSION, number(3));
            for (byte each : message) {
                frontEnd.send(new byte[] {each});
            }
            assertThat(frontEnd.ask(Request.GET_STATUS).number()).isEqualTo(3);
        }
    }

    @Test
    void aFrontEndThatDiesInAMessageLeavesNothing() throws IOException {
        for (int length = 1; length < 24; length++) {
            try (TestFrontEnd frontEnd = served.connect()) {
                byte[] message = TestFrontEnd.message(
                        Request.SET_MEM_TABLE.number(), VhostUser.FLAGS_VERSION, table(region(GUEST, PAGE, USER, 0)));
                frontEnd.send(Arrays.copyOf(message, length), frontEnd.file());
            }
        }
        served.assertNextFrontEndIsServed();
    }

    @Test
    void anyMessagesLeaveABackEndThatServesTheNextOne() throws IOException {
        long seed = System.nanoTime();
        System.out.println("seed of random messages: " + seed);
        Random random = new Random(seed);
        for (int i = 0; i < 60; i++) {
            try (TestFrontEnd frontEnd = served.negotiated()) {
                frontEnd.startQueue(0);
                for (int j = 0; j < 30; j++) {
                    frontEnd.send(randomMessage(random), randomDescriptors(random, frontEnd));
                    frontEnd.kick();
                }
            } catch (LinuxException disconnected) {
                // As it deserves.
            }
        }
        served.assertNextFrontEndIsServed();
    }

    private static byte[] randomMessage(Random random) {
        int[] words = new int[random.nextInt(12)];
        for (int i = 0; i < words.length; i++) {
            words[i] = switch (random.nextInt(6)) {
                case 0 -> (int) GUEST;
                case 1 -> (int) USER;
                case 2 -> (int) (USER >>> 32);
                case 3 -> random.nextInt();
                default -> random.nextInt(3);
            };
        }
        // Each is refused with an answer, or the connection would end with the first of them.
        return TestFrontEnd.message(
                random.nextInt(42), VhostUser.FLAGS_VERSION | VhostUser.FLAGS_NEED_REPLY, bytes(words));
    }

    private static Fd[] randomDescriptors(Random random, TestFrontEnd frontEnd) {
        List<Fd> all = frontEnd.events();
        all.add(frontEnd.file());
        Collections.shuffle(all, random);
        return all.subList(0, random.nextBoolean() ? 0 : random.nextInt(all.size()))
                .toArray(Fd[]::new);
    }
}
