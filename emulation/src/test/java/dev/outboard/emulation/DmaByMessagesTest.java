package dev.outboard.emulation;

import static dev.outboard.emulation.TestClient.buffer;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.TestClient.Reply;
import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory that the client maps without a descriptor: the server asks for it, over either socket, in the midst of others. */
@Timeout(60)
class DmaByMessagesTest {
    private static final int BAR = 0;
    private static final long BASE = 0x10_0000;
    private static final long SIZE = 0x40_0000;
    private static final int READ_WRITE = VfioUser.DMA_MAP_READ | VfioUser.DMA_MAP_WRITE;

    @RegisterExtension
    final Served<CopyModel> served = new Served<>(CopyModel::new);

    private final byte[] memory = new byte[(int) SIZE];
    private TestClient client;

    @BeforeEach
    void connect() throws IOException {
        for (int i = 0; i < memory.length; i++) {
            memory[i] = (byte) (i * 31 + (i >> 12));
        }
        client = served.negotiated();
        assertThat(client.map(BASE, SIZE, READ_WRITE, 0)).isZero();
    }

    @AfterEach
    void disconnect() throws IOException {
        client.close();
        served.assertNextClientIsServed();
    }

    private void go(int what, long address, long length) throws IOException {
        client.write(BAR, CopyModel.ADDRESS, 8, address);
        client.write(BAR, CopyModel.LENGTH, 8, length);
        client.send(client.message(VfioUser.REGION_WRITE, 0, goMessage(what)));
    }

    private static ByteBuffer goMessage(int what) {
        return buffer(20).putLong(CopyModel.GO).putInt(BAR).putInt(4).putInt(what);
    }

    /** Answers the server's command from the client's memory, as the protocol has it. */
    private void serve(TestClient over, Reply command) throws IOException {
        assertThat(command.isCommand()).isTrue();
        long address = command.payload().getLong(0);
        int count = (int) command.payload().getLong(8);
        assertThat(command.payload().remaining()).isEqualTo(command.command() == VfioUser.DMA_READ ? 16 : 16 + count);
        int at = (int) (address - BASE);
        byte[] head = Arrays.copyOf(command.payload().array(), 16);
        if (command.command() == VfioUser.DMA_READ) {
            byte[] reply = Arrays.copyOf(head, 16 + count);
            System.arraycopy(memory, at, reply, 16, count);
            over.answer(command, 0, 0, reply);
        } else {
            command.payload().get(16, memory, at, count);
            over.answer(command, 0, 0, head);
        }
    }

    private void assertBufferHolds(long address, long length) {
        MemorySegment expected = MemorySegment.ofArray(memory).asSlice(address - BASE, length);
        assertThat(served.model().buffer().asSlice(0, length).mismatch(expected))
                .isEqualTo(-1);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 8, 4096, (1 << 20) + 5})
    void aReadWaitsForTheClientsAnswers(long length) throws IOException {
        go(CopyModel.READ, BASE + 3, length);
        int commands = (int) ((length + VfioUser.DEFAULT_MAX_DATA_XFER_SIZE - 1) / VfioUser.DEFAULT_MAX_DATA_XFER_SIZE);
        for (int i = 0; i < commands; i++) {
            Reply command = client.receive();
            assertThat(command.command()).isEqualTo(VfioUser.DMA_READ);
            serve(client, command);
        }
        assertThat(client.receive().command()).isEqualTo(VfioUser.REGION_WRITE);
        assertThat(client.read(BAR, CopyModel.STATUS, 4)).isEqualTo(CopyModel.DONE);
        assertBufferHolds(BASE + 3, length);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 12, 16})
    void aWriteIsAnsweredInDifferentWays(int replyBytes) throws IOException {
        served.model().buffer().set(ValueLayout.JAVA_LONG_UNALIGNED, 0, 0x1122334455667788L);
        go(CopyModel.WRITE, BASE, 8);
        Reply command = client.receive();
        assertThat(command.command()).isEqualTo(VfioUser.DMA_WRITE);
        assertThat(command.payload().getLong(16)).isEqualTo(0x1122334455667788L);
        client.answer(command, 0, 0, new byte[replyBytes]);
        assertThat(client.receive().isError()).isFalse();
        assertThat(client.read(BAR, CopyModel.STATUS, 4)).isEqualTo(CopyModel.DONE);
    }

    @Test
    void aSmallLimitMakesManyMessages() throws IOException {
        client.close();
        client = served.connect();
        client.negotiate(0, 1, "{\"capabilities\":{\"max_data_xfer_size\":16}}");
        assertThat(client.map(BASE, SIZE, READ_WRITE, 0)).isZero();
        go(CopyModel.READ, BASE, 40);
        for (int expected : new int[] {16, 16, 8}) {
            Reply command = client.receive();
            assertThat(command.payload().getLong(8)).isEqualTo(expected);
            serve(client, command);
        }
        client.receive();
        assertBufferHolds(BASE, 40);
    }

    @Test
    void theClientsRefusalIsAFailureOfTheTransferAlone() throws IOException {
        go(CopyModel.READ, BASE, 8);
        client.answer(client.receive(), VfioUser.FLAGS_ERROR, Errno.EFAULT, new byte[0]);
        assertThat(client.receive().isError()).isFalse();
        assertThat(client.read(BAR, CopyModel.STATUS, 4)).isEqualTo(CopyModel.FAILED);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, BASE - 1, BASE + SIZE - 7, BASE + SIZE, -4, Long.MIN_VALUE})
    void nothingIsAskedForOutsideOfWhatIsMapped(long address) throws IOException {
        for (int what : new int[] {CopyModel.READ, CopyModel.WRITE}) {
            go(what, address, 8);
            // A range that begins inside fails where it leaves.
            Reply next = client.receive();
            if (next.isCommand()) {
                assertThat(address).isEqualTo(BASE + SIZE - 7);
                serve(client, next);
                next = client.receive();
            }
            assertThat(next.command()).isEqualTo(VfioUser.REGION_WRITE);
            assertThat(client.read(BAR, CopyModel.STATUS, 4)).isEqualTo(CopyModel.FAILED);
        }
    }

    @Test
    void whatIsMappedForReadingIsNotWritten() throws IOException {
        assertThat(client.map(BASE + SIZE, 4096, VfioUser.DMA_MAP_READ, 0)).isZero();
        go(CopyModel.WRITE, BASE + SIZE, 8);
        assertThat(client.receive().command()).isEqualTo(VfioUser.REGION_WRITE);
        assertThat(client.read(BAR, CopyModel.STATUS, 4)).isEqualTo(CopyModel.FAILED);
    }

    @Test
    void aTransferGoesOverFromSharedMemoryToMessages() throws IOException {
        try (Fd file = Fd.memfd("test", 4096)) {
            assertThat(client.map(BASE - 4096, 4096, READ_WRITE, 0, file)).isZero();
            served.model().buffer().fill((byte) 7);
            go(CopyModel.WRITE, BASE - 8, 16);
            Reply command = client.receive();
            assertThat(command.payload().getLong(0)).isEqualTo(BASE);
            assertThat(command.payload().getLong(8)).isEqualTo(8);
            serve(client, command);
            client.receive();
            served.model().buffer().fill((byte) 0);
            go(CopyModel.READ, BASE - 8, 16);
            serve(client, client.receive());
            client.receive();
            assertThat(served.model().buffer().asSlice(0, 16).toArray(ValueLayout.JAVA_BYTE))
                    .containsOnly(7);
        }
    }

    @Test
    void commandsThatComeMeanwhileAreCarriedOutAfterwardsInOrder() throws IOException {
        go(CopyModel.READ, BASE, 8);
        Reply command = client.receive();
        for (int i = 0; i < 100; i++) {
            client.send(client.message(
                    VfioUser.REGION_READ,
                    0,
                    buffer(16).putLong(CopyModel.STATUS).putInt(BAR).putInt(4)));
        }
        // Half a command before the answer.
        byte[] last = client.message(
                VfioUser.REGION_READ,
                0,
                buffer(16).putLong(CopyModel.STATUS).putInt(BAR).putInt(4));
        serve(client, command);
        client.send(Arrays.copyOf(last, 20));
        int id = client.receive().id();
        for (int i = 1; i <= 100; i++) {
            Reply reply = client.receive();
            assertThat(reply.id()).isEqualTo(id + i);
            assertThat(reply.payload().getInt(16)).isEqualTo(CopyModel.DONE);
        }
        client.send(Arrays.copyOfRange(last, 20, last.length));
        assertThat(client.receive().id()).isEqualTo(id + 101);
    }

    @Test
    void aTransferThatBeginsByItselfFindsItsAnswerAmongCommands() throws IOException {
        go(CopyModel.READ | CopyModel.LATER, BASE, 8);
        // The reply to the write and the command come in this order, whatever is sent now.
        assertThat(client.receive().command()).isEqualTo(VfioUser.REGION_WRITE);
        Reply command = client.receive();
        assertThat(command.command()).isEqualTo(VfioUser.DMA_READ);
        try (Fd file = Fd.memfd("test", 4096)) {
            byte[] map = client.message(
                    VfioUser.DMA_MAP,
                    0,
                    buffer(32)
                            .putInt(32)
                            .putInt(3)
                            .putLong(0)
                            .putLong(BASE - 4096)
                            .putLong(4096));
            client.send(map, file);
        }
        serve(client, command);
        // The descriptor came along.
        assertThat(client.receive().isError()).isFalse();
        assertThat(served.model().dma().regions().getFirst().isShared()).isTrue();
        assertThat(client.read(BAR, CopyModel.STATUS, 4)).isEqualTo(CopyModel.DONE);
    }

    /** Ways to answer wrong. */
    enum Lie {
        ANOTHER_ID,
        ANOTHER_COMMAND,
        TOO_LITTLE,
        TOO_MUCH,
        NO_TYPE,
        NO_SIZE,
        GONE
    }

    @ParameterizedTest
    @EnumSource
    void aWrongAnswerEndsTheConnection(Lie lie) throws IOException {
        go(CopyModel.READ, BASE, 8);
        Reply command = client.receive();
        byte[] right = new byte[24];
        switch (lie) {
            case ANOTHER_ID -> client.answer(with(command, command.id() + 1, command.command()), 0, 0, right);
            case ANOTHER_COMMAND -> client.answer(with(command, command.id(), VfioUser.DMA_WRITE), 0, 0, right);
            case TOO_LITTLE -> client.answer(command, 0, 0, new byte[23]);
            case TOO_MUCH -> client.answer(command, 0, 0, new byte[25]);
            case NO_TYPE -> client.answer(command, 2, 0, right);
            case NO_SIZE -> client.send(buffer(16).putInt(4, 3).array());
            case GONE -> client.close();
        }
        if (lie != Lie.GONE) {
            client.awaitDisconnect();
        }
    }

    private static Reply with(Reply command, int id, int number) {
        return new Reply(id, number, command.flags(), 0, command.payload(), command.descriptors());
    }

    @Test
    void aClientThatFloodsInsteadOfAnsweringIsDisconnected() throws IOException {
        go(CopyModel.READ, BASE, 8);
        client.receive();
        byte[] reset = client.message(VfioUser.DEVICE_RESET, VfioUser.FLAGS_NO_REPLY, buffer(0));
        try {
            for (int i = 0; i < 100_000; i++) {
                client.send(reset);
            }
            client.awaitDisconnect();
        } catch (IOException gone) {
            assertThat(gone).hasMessageContaining("sendmsg");
        }
    }

    @Test
    void withATwinSocketCommandsGoOverThat() throws IOException {
        client.close();
        client = served.connect();
        Reply version =
                client.negotiate(0, 1, "{\"capabilities\":{\"max_msg_fds\":4,\"twin_socket\":{\"supported\":true}}}");
        assertThat(version.descriptors()).hasSize(1);
        try (TestClient twin = TestClient.of(UnixSocket.of(version.descriptors().getFirst()))) {
            assertThat(client.map(BASE, SIZE, READ_WRITE, 0)).isZero();
            go(CopyModel.READ, BASE, 8);
            // Not even a command on the main socket is in its way.
            client.send(client.message(VfioUser.DEVICE_RESET, 0, buffer(0)));
            serve(twin, twin.receive());
            assertThat(client.receive().command()).isEqualTo(VfioUser.REGION_WRITE);
            assertThat(client.receive().command()).isEqualTo(VfioUser.DEVICE_RESET);
            assertBufferHolds(BASE, 8);
        }
        // Without it there is nobody to ask.
        go(CopyModel.READ, BASE, 8);
        client.awaitDisconnect();
    }
}
