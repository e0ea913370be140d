package dev.outboard.emulation;

import static dev.outboard.emulation.TestClient.buffer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.emulation.TestClient.Reply;
import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the server does with clients that break the rules. */
class WrongMessagesTest {
    private static final int CONFIG = Vfio.VFIO_PCI_CONFIG_REGION_INDEX;
    private static final int BAR = 0;
    private static final String CAPABILITIES =
            "{\"capabilities\":{\"max_msg_fds\":8,\"twin_socket\":{\"supported\":true}}}";

    @RegisterExtension
    final Served<RegisterModel> served = new Served<>(RegisterModel::new);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{",
                "{]",
                "{}x",
                "[[[[[[[[[[[[[[[[[[[[",
                "\"",
                "-",
                "7",
                "[]",
                "{\"capabilities\":\"23\"}",
                "{\"capabilities\":null}",
                "{\"capabilities\":{\"max_msg_fds\":-1}}",
                "{\"capabilities\":{\"max_msg_fds\":\"foo\"}}",
                "{\"capabilities\":{\"max_msg_fds\":1.5}}",
                "{\"capabilities\":{\"max_data_xfer_size\":0}}",
                "{\"capabilities\":{\"migration\":\"23\"}}",
                "{\"capabilities\":{\"migration\":{\"pgsize\":\"foo\"}}}",
                "{\"capabilities\":{\"write_multiple\":1}}",
                "{\"capabilities\":{\"twin_socket\":true}}"
            })
    void malformedCapabilitiesAreRefused(String json) throws IOException {
        try (TestClient client = served.connect()) {
            assertThat(client.negotiate(0, 1, json).errno()).isEqualTo(Errno.EINVAL);
            client.awaitDisconnect();
        }
        served.assertNextClientIsServed();
    }

    @Test
    void anotherMajorVersionIsRefused() throws IOException {
        try (TestClient client = served.connect()) {
            assertThat(client.negotiate(1, 0, CAPABILITIES).errno()).isEqualTo(Errno.EINVAL);
            client.awaitDisconnect();
        }
    }

    @Test
    void capabilitiesThatFillMemoryAreRefused() throws IOException {
        try (TestClient client = served.connect()) {
            assertThat(client.negotiate(0, 1, "{\"" + "a".repeat(20_000) + "\":1}")
                            .errno())
                    .isEqualTo(Errno.EINVAL);
        }
    }

    @Test
    void theVersionIsNegotiatedOnce() throws IOException {
        try (TestClient client = served.negotiated()) {
            assertThat(client.negotiate(0, 1, CAPABILITIES).errno()).isEqualTo(Errno.EINVAL);
            client.awaitDisconnect();
        }
        served.assertNextClientIsServed();
    }

    @Test
    void nothingIsAnsweredBeforeTheVersionIsNegotiated() throws IOException {
        try (TestClient client = served.connect()) {
            assertThat(client.call(VfioUser.DEVICE_RESET, buffer(0)).errno()).isEqualTo(Errno.EINVAL);
        }
    }

    @Test
    void anUnknownCommandIsAnsweredWithAnErrorAndTheConnectionGoesOn() throws IOException {
        try (TestClient client = served.negotiated()) {
            Reply reply = client.call(999, buffer(8));
            assertThat(reply.command()).isEqualTo(999);
            assertThat(reply.isError()).isTrue();
            assertThat(reply.errno()).isEqualTo(Errno.EOPNOTSUPP);
            assertThat(client.read(CONFIG, 0, 2)).isEqualTo(0x1234);
        }
    }

    private static ByteBuffer regionInfo(int argsz, int index) {
        return buffer(32).putInt(argsz).putInt(0).putInt(index);
    }

    @ParameterizedTest
    @ValueSource(ints = {9, -1, Integer.MIN_VALUE})
    void aRegionThatIsNotThereIsRefused(int index) throws IOException {
        try (TestClient client = served.negotiated()) {
            assertThat(client.call(VfioUser.DEVICE_GET_REGION_INFO, regionInfo(64, index))
                            .errno())
                    .isEqualTo(Errno.EINVAL);
            assertThat(client.readRegion(index, 0, 4).errno()).isEqualTo(Errno.EINVAL);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0, 4096, 4",
        "0, 4093, 4",
        "0, -4, 4",
        "0, 4097, 0",
        "0, 0, 4097",
        "0, 0, -1",
        "0, 9223372036854775807, 4",
        "5, 0, 1",
        "6, 0, 4",
        "7, 4094, 4",
        "7, 0, 2147483647"
    })
    void anAccessOutsideOfARegionIsRefused(int region, long offset, int count) throws IOException {
        try (TestClient client = served.negotiated()) {
            assertThat(client.readRegion(region, offset, count).errno()).isEqualTo(Errno.EINVAL);
            ByteBuffer write = buffer(24).putLong(offset).putInt(region).putInt(count);
            assertThat(client.call(VfioUser.REGION_WRITE, write).errno()).isEqualTo(Errno.EINVAL);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {18, 21})
    void aWriteWithOtherDataThanItSaysIsRefused(int size) throws IOException {
        try (TestClient client = served.negotiated()) {
            ByteBuffer write = buffer(size).putLong(0).putInt(BAR).putInt(4);
            assertThat(client.call(VfioUser.REGION_WRITE, write).errno()).isEqualTo(Errno.EINVAL);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 15, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, (1 << 20) + 33})
    void aClientWhoseMessageHasAnImpossibleSizeIsDisconnected(int size) throws IOException {
        try (TestClient client = served.negotiated()) {
            client.send(buffer(16)
                    .putShort((short) 1)
                    .putShort((short) 4)
                    .putInt(size)
                    .array());
            client.awaitDisconnect();
        }
        served.assertNextClientIsServed();
    }

    @Test
    void aClientThatSendsAReplyIsDisconnected() throws IOException {
        try (TestClient client = served.negotiated()) {
            client.send(client.message(VfioUser.DMA_READ, VfioUser.FLAGS_TYPE_REPLY, buffer(0)));
            client.awaitDisconnect();
        }
        served.assertNextClientIsServed();
    }

    @Test
    void aClientMayDieInTheMiddleOfAMessage() throws IOException {
        try (TestClient client = served.negotiated()) {
            client.send(buffer(20)
                    .putShort((short) 1)
                    .putShort((short) 4)
                    .putInt(64)
                    .array());
        }
        served.assertNextClientIsServed();
    }

    @Test
    void aModelThatThrowsCostsItsClientTheConnectionAndNobodyElse() throws IOException {
        try (TestClient client = served.negotiated()) {
            assertThatThrownBy(() -> client.write(BAR, RegisterModel.BROKEN_REGISTER, 4, 1))
                    .hasMessageContaining("closed");
        }
        served.assertNextClientIsServed();
    }

    @Test
    void randomMessagesDoNoHarm() throws IOException {
        long seed = System.nanoTime();
        System.out.println("seed of random messages: " + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 50; round++) {
            try (TestClient client = served.negotiated();
                    Fd file = Fd.memfd("test", 8192)) {
                for (int i = 0; i < 20; i++) {
                    byte[] payload = new byte[random.nextInt(64)];
                    random.nextBytes(payload);
                    if (random.nextBoolean()) {
                        // Small numbers come further than large ones.
                        for (int at = 0; at < payload.length; at++) {
                            payload[at] = (byte) (at % 4 == 0 ? payload[at] & 0x2f : 0);
                        }
                    }
                    byte[] message =
                            client.message(random.nextInt(20), random.nextInt(4) << 4, ByteBuffer.wrap(payload));
                    client.send(message, random.nextInt(4) == 0 ? new Fd[] {file} : new Fd[0]);
                }
            } catch (IOException disconnected) {
                // That is one way to deal with it.
            }
        }
        served.assertNextClientIsServed();
    }
}
