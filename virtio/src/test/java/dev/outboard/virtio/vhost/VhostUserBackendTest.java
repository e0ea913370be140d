package dev.outboard.virtio.vhost;

import static dev.outboard.virtio.vhost.TestFrontEnd.GUEST;
import static dev.outboard.virtio.vhost.TestFrontEnd.MEMORY_BYTES;
import static dev.outboard.virtio.vhost.TestFrontEnd.USER;
import static dev.outboard.virtio.vhost.TestFrontEnd.bytes;
import static dev.outboard.virtio.vhost.TestFrontEnd.number;
import static dev.outboard.virtio.vhost.TestFrontEnd.region;
import static dev.outboard.virtio.vhost.TestFrontEnd.singleRegion;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.linux.Fd;
import dev.outboard.linux.Poll;
import dev.outboard.linux.UnixServerSocket;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.vhostuser.BackendRequest;
import dev.outboard.specs.vhostuser.ProtocolFeature;
import dev.outboard.specs.vhostuser.Request;
import dev.outboard.specs.vhostuser.VhostUser;
import dev.outboard.specs.virtio.VirtioDeviceType;
import dev.outboard.specs.virtio.VirtioFeature;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class VhostUserBackendTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    @RegisterExtension
    final ServedEcho served = new ServedEcho(VirtioDeviceType.NETWORK);

    @Test
    void aKickBringsARequestAndACallItsCompletion() throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            frontEnd.startQueue(0);
            for (int i = 0; i < 100; i++) {
                frontEnd.echo("request " + i);
            }
            assertThat(served.device().features)
                    .isEqualTo(VirtioFeature.VERSION_1 | VhostUser.FEATURE_PROTOCOL_FEATURES | EchoDevice.FEATURE);
        }
    }

    @Test
    void requestsThatWereThereBeforeTheQueueAreServed() throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            frontEnd.makeAvailable("early");
            frontEnd.startQueue(3);
            frontEnd.awaitUsed(1);
            assertThat(frontEnd.echoed()).isEqualTo("early");
        }
    }

    @Test
    void aQueueWithoutADescriptorForKicksIsPolled() throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            frontEnd.shareMemory();
            frontEnd.describeQueue(0, 0);
            frontEnd.acknowledged(Request.SET_VRING_KICK, number(VhostUser.VRING_NO_DESCRIPTOR));
            frontEnd.acknowledged(Request.SET_VRING_ENABLE, bytes(0, 1));
            frontEnd.makeAvailable("unsaid");
            frontEnd.awaitUsed(1);
            assertThat(frontEnd.echoed()).isEqualTo("unsaid");
        }
    }

    @Test
    void notificationsCanBeMessages() throws IOException {
        List<UnixSocket> channel = UnixSocket.pair();
        try (TestFrontEnd frontEnd = served.negotiated();
                UnixSocket requests = channel.getFirst()) {
            try (UnixSocket given = channel.getLast()) {
                frontEnd.acknowledged(Request.SET_BACKEND_REQ_FD, bytes(), given.fd());
            }
            frontEnd.shareMemory();
            frontEnd.describeQueue(1, 0);
            frontEnd.acknowledged(Request.SET_VRING_CALL, number(1 | VhostUser.VRING_NO_DESCRIPTOR));
            frontEnd.acknowledged(Request.SET_VRING_ENABLE, bytes(1, 1));
            frontEnd.makeAvailable("in band");
            frontEnd.acknowledged(Request.VRING_KICK, bytes(1, 0));
            assertThat(receive(requests, 20))
                    .isEqualTo(TestFrontEnd.message(
                            BackendRequest.VRING_CALL.number(), VhostUser.FLAGS_VERSION, bytes(1, 0)));
            assertThat(frontEnd.echoed()).isEqualTo("in band");
        }
    }

    private static byte[] receive(UnixSocket socket, int size) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            assertThat(Poll.readable(socket.fd(), TIMEOUT)).isTrue();
            MemorySegment buffer = arena.allocate(4096);
            long count = socket.receive(buffer).bytes();
            assertThat(count).isEqualTo(size);
            return buffer.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    @Test
    void aStoppedQueueGoesOnWhereItWas() throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            frontEnd.startQueue(0);
            frontEnd.echo("one");
            frontEnd.echo("two");
            assertThat(frontEnd.ask(Request.GET_VRING_BASE, bytes(0, 0)).number())
                    .isEqualTo(2L << Integer.SIZE);
            frontEnd.makeAvailable("three");
            frontEnd.kick();
            frontEnd.ask(Request.GET_FEATURES);
            assertThat(frontEnd.usedIndex()).isEqualTo(2);
            frontEnd.describeQueue(0, 2);
            frontEnd.acknowledged(
                    Request.SET_VRING_KICK, number(0), frontEnd.kickEvent().fd());
            frontEnd.awaitUsed(3);
            assertThat(frontEnd.echoed()).isEqualTo("three");
            assertThat(served.device().resets()).isZero();
        }
    }

    @Test
    void aDisabledQueueIsLeftAlone() throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            frontEnd.startQueue(0);
            frontEnd.echo("enabled");
            frontEnd.acknowledged(Request.SET_VRING_ENABLE, bytes(0, 0));
            frontEnd.makeAvailable("disabled");
            frontEnd.kick();
            frontEnd.ask(Request.GET_FEATURES);
            assertThat(frontEnd.usedIndex()).isEqualTo(1);
            frontEnd.acknowledged(Request.SET_VRING_ENABLE, bytes(0, 1));
            frontEnd.awaitUsed(2);
        }
    }

    @Test
    void withoutProtocolFeaturesAQueueIsEnabledFromTheStart() throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            frontEnd.agreeOn(VirtioFeature.VERSION_1);
            frontEnd.shareMemory();
            frontEnd.describeQueue(0, 0);
            frontEnd.acknowledged(
                    Request.SET_VRING_KICK, number(0), frontEnd.kickEvent().fd());
            frontEnd.echo("enabled");
        }
    }

    @Test
    void memoryComesAndGoesByTheRegion() throws IOException {
        byte[] second = region(GUEST + MEMORY_BYTES, MEMORY_BYTES, USER + 2 * MEMORY_BYTES, 0);
        try (TestFrontEnd frontEnd = served.negotiated()) {
            assertThat(frontEnd.ask(Request.GET_MAX_MEM_SLOTS).number()).isEqualTo(512);
            frontEnd.startQueue(0);
            frontEnd.acknowledged(Request.ADD_MEM_REG, singleRegion(second), frontEnd.file());
            // Over the border between the two.
            frontEnd.makeAvailable(GUEST + MEMORY_BYTES - 100, GUEST + 2 * MEMORY_BYTES - 1000);
            frontEnd.kick();
            frontEnd.awaitUsed(1);
            frontEnd.acknowledged(Request.REM_MEM_REG, singleRegion(second), frontEnd.file());
            frontEnd.echo("in the first");
            frontEnd.makeAvailable(GUEST + MEMORY_BYTES, GUEST);
            frontEnd.kick();
            frontEnd.awaitError();
        }
        served.assertNextFrontEndIsServed();
    }

    @Test
    void queuesFollowWhenTheMemoryIsMappedAnew() throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            frontEnd.startQueue(0);
            frontEnd.echo("before");
            frontEnd.shareMemory();
            frontEnd.echo("after");
        }
    }

    @Test
    void configurationSpaceIsReadAndWritten() throws IOException {
        List<UnixSocket> channel = UnixSocket.pair();
        try (TestFrontEnd frontEnd = served.negotiated();
                UnixSocket requests = channel.getFirst()) {
            try (UnixSocket given = channel.getLast()) {
                frontEnd.acknowledged(Request.SET_BACKEND_REQ_FD, bytes(), given.fd());
            }
            frontEnd.startQueue(0);
            frontEnd.acknowledged(Request.SET_CONFIG, bytes(0, 8, 0, EchoDevice.CHANGE, 0x04030201));
            // As of an array of 12 bytes, of which the device has 8.
            assertThat(frontEnd.ask(Request.GET_CONFIG, bytes(0, 12, 0, -1, -1, -1))
                            .payload()
                            .array())
                    .isEqualTo(bytes(0, 12, 0, EchoDevice.CHANGE, 0x05030201, 0));
            assertThat(receive(requests, 12))
                    .isEqualTo(TestFrontEnd.message(
                            BackendRequest.CONFIG_CHANGE_MSG.number(), VhostUser.FLAGS_VERSION, bytes()));
        }
    }

    @Test
    void aResetDeviceHasNothingInUse() throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            frontEnd.startQueue(0);
            frontEnd.echo("before");
            frontEnd.acknowledged(Request.SET_STATUS, number(0xf));
            assertThat(frontEnd.ask(Request.GET_STATUS).number()).isEqualTo(0xf);
            frontEnd.acknowledged(Request.RESET_DEVICE, bytes());
            assertThat(frontEnd.ask(Request.GET_STATUS).number()).isZero();
            assertThat(served.device().resets()).isEqualTo(1);
            assertThat(frontEnd.ask(Request.GET_VRING_BASE, bytes(0, 0)).number())
                    .isZero();
        }
    }

    @Test
    void aNetworkCardCountsPairsAndTakesAnMtu() throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            assertThat(frontEnd.ask(Request.GET_QUEUE_NUM).number()).isEqualTo(EchoDevice.QUEUES / 2);
            assertThat(ProtocolFeature.MTU.isIn(
                            frontEnd.ask(Request.GET_PROTOCOL_FEATURES).number()))
                    .isTrue();
            assertThat(frontEnd.acknowledge(Request.NET_SET_MTU.number(), number(1500)))
                    .isTrue();
            assertThat(frontEnd.acknowledge(Request.NET_SET_MTU.number(), number(67)))
                    .isFalse();
        }
    }

    @Test
    void whenAFrontEndIsGoneTheDeviceIsResetAndTheNextOneIsServed() throws IOException {
        TestFrontEnd first = served.negotiated();
        try (TestFrontEnd waiting = served.connect()) {
            first.startQueue(0);
            first.echo("first");
            first.close();
            waiting.negotiate();
            waiting.startQueue(0);
            waiting.echo("second");
            assertThat(served.device().resets()).isEqualTo(1);
        }
    }

    @Test
    void aFrontEndThatTruncatesItsMemoryIsDisconnected() throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            frontEnd.startQueue(0);
            frontEnd.file().truncate(0);
            frontEnd.kick();
            frontEnd.awaitDisconnect();
        }
        served.assertNextFrontEndIsServed();
    }

    @Test
    void aBackEndConnectsToAFrontEndThatListens(@TempDir Path directory) throws IOException {
        Path path = directory.resolve("s");
        try (UnixServerSocket listener = UnixServerSocket.listen(path);
                EchoDevice device = new EchoDevice();
                VhostUserBackend backend = VhostUserBackend.connect(path, device)) {
            try (TestFrontEnd frontEnd = TestFrontEnd.of(listener.accept())) {
                backend.start();
                frontEnd.negotiate();
                frontEnd.startQueue(0);
                frontEnd.echo("connected");
            }
            // Returns, since its only front end is gone.
            backend.run();
            assertThat(device.resets()).isEqualTo(1);
        }
    }

    @Test
    void eachDescriptorThatCameIsClosedOnceTheFrontEndIsGone() throws IOException {
        try (TestFrontEnd frontEnd = served.negotiated()) {
            frontEnd.startQueue(0);
        }
        served.assertNextFrontEndIsServed();
        int before = openDescriptors();
        for (int i = 0; i < 20; i++) {
            try (TestFrontEnd frontEnd = served.negotiated()) {
                frontEnd.startQueue(0);
                frontEnd.startQueue(1);
                assertThat(frontEnd.acknowledge(
                                Request.SET_VRING_NUM.number(),
                                bytes(2, 4),
                                frontEnd.events().toArray(Fd[]::new)))
                        .isFalse();
            }
        }
        served.assertNextFrontEndIsServed();
        // The last one's may not be closed yet: a dozen at most.
        assertThat(openDescriptors()).isLessThan(before + 20);
    }

    private static int openDescriptors() {
        String[] open = Path.of("/proc/self/fd").toFile().list();
        return open == null ? 0 : open.length;
    }
}
