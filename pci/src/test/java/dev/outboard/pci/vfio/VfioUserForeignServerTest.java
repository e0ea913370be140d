package dev.outboard.pci.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.UnixSocket;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.Registers;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a vfio-user function does with servers that keep to the protocol in another way than ours does. */
@Timeout(60)
class VfioUserForeignServerTest {
    private static final int BIG = 2 << 20;

    private ScriptedServer server;
    private UnixSocket client;

    @BeforeEach
    void connect() throws IOException {
        List<UnixSocket> pair = UnixSocket.pair();
        server = new ScriptedServer(pair.getFirst());
        client = pair.getLast();
    }

    @AfterEach
    void disconnect() {
        server.close();
        assertThat(client.fd().isOpen()).as("the client's socket leaks").isFalse();
    }

    private VfioFunction open() throws IOException {
        server.start();
        return new VfioFunction(DeviceAddress.parse("vfio-user:/x"), new VfioUserDevice("vfio-user:/x", client));
    }

    private void announce(String capabilities, Fd... descriptors) {
        server.on(
                VfioUser.VERSION,
                request -> server.sendWithDescriptors(
                        request, ScriptedServer.version(0, 1, capabilities), List.of(descriptors)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"capabilities\":{}}",
                "{ \"capabilities\" : { \"max_msg_fds\" : 8 , \"migration\" : { \"pgsize\" : 4096 } } } ",
                "{\"capabilities\":{\"of_tomorrow\":[1,{\"a\":null}]},\"and\":true}",
                "{\"capabilities\":{\"twin_socket\":{\"supported\":false}}}"
            })
    void capabilitiesComeInManyShapes(String capabilities) throws IOException {
        announce(capabilities);
        open().close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[] | the document is no JSON object",
                "{\"capabilities\":7} | capabilities is no JSON object",
                "{\"capabilities\":{\"max_msg_fds\":\"8\"}} | max_msg_fds is no whole number from 0",
                "{\"capabilities\":{\"max_data_xfer_size\":0}} | max_data_xfer_size is no whole number from 1",
                "{\"capabilities\":{\"max_dma_maps\":1e30}} | max_dma_maps is no whole number from 0",
                "{\"capabilities\":{\"twin_socket\":{\"supported\":1}}} | supported is neither true nor false",
                "{\"capabilities\": | stopped at character 16 of 16",
                "{\"capabilities\":{\"pgsizes\":1073741824}} | there are none larger than 2097152",
            })
    void capabilitiesThatMakeNoSenseAreRefused(String capabilities, String reason) {
        announce(capabilities);
        assertThatThrownBy(this::open)
                .isInstanceOf(DeviceException.class)
                .hasMessageContainingAll("vfio-user:/x", reason);
    }

    @Test
    void theOldestMinorVersionWill() throws IOException {
        server.on(VfioUser.VERSION, request -> server.reply(request, ScriptedServer.version(0, 0, "{}")));
        open().close();
    }

    @Test
    void aMinorVersionThatWasNotProposedIsRefused() {
        server.on(VfioUser.VERSION, request -> server.reply(request, ScriptedServer.version(0, 2, "{}")));
        assertThatThrownBy(this::open).hasMessageContaining("the server speaks vfio-user 0.2, not 0.1");
    }

    @Test
    void repliesMayLeaveTheirCommandOut() throws IOException {
        server.on(
                VfioUser.DEVICE_RESET,
                request -> server.send(request.id(), 0, 16, 1, 0, MemorySegment.NULL, List.of()));
        try (VfioFunction function = open()) {
            function.reset();
            function.checkPresent();
        }
    }

    @Test
    void anErrorIsAReplyEvenIfItSaysThatItIsACommand() throws IOException {
        server.on(
                VfioUser.DEVICE_RESET,
                request -> server.send(
                        request.id(),
                        request.command(),
                        16,
                        VfioUser.FLAGS_ERROR,
                        Errno.EINVAL,
                        MemorySegment.NULL,
                        List.of()));
        try (VfioFunction function = open()) {
            assertThatThrownBy(function::reset).hasMessageContainingAll("refused DEVICE_RESET", "EINVAL");
            function.checkPresent();
        }
    }

    @Test
    void theReplyToAWriteMaySayThatNothingWasTransferred() throws IOException {
        server.on(VfioUser.REGION_WRITE, request -> {
            MemorySegment reply = request.body().asSlice(0, 16);
            reply.set(ValueLayout.JAVA_INT_UNALIGNED, 12, 0);
            server.reply(request, reply);
        });
        try (VfioFunction function = open()) {
            function.bar(0).write32(0, 1);
            function.checkPresent();
        }
    }

    @Test
    void interruptsThatAServerRefusesToTellOfAreNotThere() throws IOException {
        server.on(VfioUser.DEVICE_GET_IRQ_INFO, request -> server.refuse(request, Errno.EINVAL));
        try (VfioFunction function = open()) {
            assertThat(function.interruptVectors()).isZero();
        }
    }

    @Test
    void oneDescriptorAMessageTakesOneMessageAVector() throws Exception {
        announce("{\"capabilities\":{\"max_msg_fds\":1}}");
        try (VfioFunction function = open()) {
            function.enableInterrupts(4);
            for (int vector = 0; vector < 4; vector++) {
                ScriptedServer.Request set = server.awaitCommand(VfioUser.DEVICE_SET_IRQS);
                assertThat(set.u32(12)).isEqualTo(vector);
                assertThat(set.u32(16)).isEqualTo(1);
                assertThat(set.descriptors()).hasSize(1);
            }
        }
    }

    @Test
    void aServerThatTakesNoDescriptorsAsksForMemoryAndCannotInterrupt() throws Exception {
        announce("{\"capabilities\":{\"max_msg_fds\":0}}");
        try (VfioFunction function = open()) {
            DmaMemory memory = function.dma().allocate(4096);
            memory.segment().set(ValueLayout.JAVA_LONG, 0, 42);
            assertThat(server.awaitCommand(VfioUser.DMA_MAP).descriptors()).isEmpty();
            MemorySegment access = MemorySegment.ofArray(new long[] {memory.deviceAddress(), 8});
            server.send(7, VfioUser.DMA_READ, 32, VfioUser.FLAGS_TYPE_COMMAND, 0, access, List.of());
            assertThat(server.awaitCommand(VfioUser.DMA_READ).u64(16)).isEqualTo(42);
            assertThatThrownBy(() -> function.enableInterrupts(1)).hasMessageContaining("poll instead");
        }
    }

    @Test
    void anAccessWiderThanTheServerTransfersIsRefused() throws IOException {
        announce("{\"capabilities\":{\"max_data_xfer_size\":4}}");
        try (VfioFunction function = open()) {
            Registers bar = function.bar(0);
            bar.write32(0, 5);
            assertThat(bar.read32(0)).isEqualTo(5);
            assertThatThrownBy(() -> bar.read64(0))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining("at most 4 bytes at a time");
            function.checkPresent();
        }
    }

    @Test
    void moreMapsThanTheServerTakesAreRefused() throws IOException {
        announce("{\"capabilities\":{\"max_dma_maps\":1}}");
        try (VfioFunction function = open()) {
            DmaMemory first = function.dma().allocate(BIG);
            assertThatThrownBy(() -> function.dma().allocate(BIG)).hasMessageContaining("takes 1 DMA maps");
            first.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"0x800, 0x1000", "0x1001, 0x100"})
    void anAreaThatCannotBeMappedIsReachedByMessages(String offset, String size) throws IOException {
        server.on(VfioUser.DEVICE_GET_REGION_INFO, request -> {
            if (request.u32(8) == 0) {
                MemorySegment info = ScriptedServer.regionInfo(0, 0xf, 0x3000, 32);
                MemorySegment sparse = ScriptedServer.sparse(info, Long.decode(offset), Long.decode(size));
                server.sendWithDescriptors(request, sparse, List.of(server.mappable));
            } else {
                server.behave(request);
            }
        });
        try (VfioFunction function = open()) {
            function.bar(0).write32(Long.decode(offset) & -4, 5);
            assertThat(server.bar.get(ValueLayout.JAVA_INT_UNALIGNED, Long.decode(offset) & -4))
                    .isEqualTo(5);
        }
    }

    @Test
    void aTruncatedDescriptionIsAskedForAgain() throws IOException {
        server.on(VfioUser.DEVICE_GET_REGION_INFO, request -> {
            int needed = 8000;
            if (request.u32(8) == 0 && request.u32(0) < needed) {
                MemorySegment info = ScriptedServer.regionInfo(0, 7, 0x3000, 0);
                info.set(ValueLayout.JAVA_INT_UNALIGNED, 0, needed);
                server.reply(request, info);
            } else {
                server.behave(request);
            }
        });
        try (VfioFunction function = open()) {
            assertThat(function.bar(0)
                            .slice(ScriptedServer.MAPPABLE_OFFSET, 0x1000)
                            .isMapped())
                    .isTrue();
        }
    }

    @Test
    void commandsOfTheServerMayComeOverASocketOfTheirOwn() throws Exception {
        List<UnixSocket> pair = UnixSocket.pair();
        announce(
                "{\"capabilities\":{\"twin_socket\":{\"supported\":true,\"fd_index\":1}}}",
                server.mappable,
                pair.getLast().fd());
        try (ScriptedServer twin = new ScriptedServer(pair.getFirst()).start();
                VfioFunction function = open()) {
            pair.getLast().close();
            DmaMemory memory = function.dma().allocate(4096);
            memory.segment().set(ValueLayout.JAVA_LONG, 0, 42);
            MemorySegment access = MemorySegment.ofArray(new long[] {memory.deviceAddress(), 8});
            // While the main socket's thread waits for a reply that comes later.
            server.on(VfioUser.DEVICE_RESET, request -> {
                twin.send(7, VfioUser.DMA_READ, 32, VfioUser.FLAGS_TYPE_COMMAND, 0, access, List.of());
                try {
                    assertThat(twin.awaitCommand(VfioUser.DMA_READ).u64(16)).isEqualTo(42);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                server.reply(request, MemorySegment.NULL);
            });
            function.reset();
            twin.vanish();
            assertThatThrownBy(() -> {
                        while (true) {
                            function.checkPresent();
                        }
                    })
                    .isInstanceOf(DeviceGoneException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"true", "true,\"fd_index\":0", "true,\"fd_index\":9007199254740993"})
    void aSocketForCommandsThatDoesNotComeIsMissed(String supported) {
        announce("{\"capabilities\":{\"twin_socket\":{\"supported\":" + supported + "}}}");
        assertThatThrownBy(this::open).hasMessageContaining("commands over a socket of their own, and sent none");
    }

    @Test
    void aServerMayCloseTheSocketAtAnyMessage() throws IOException {
        server.close();
        client.close();
        for (int last = 0; ; last++) {
            connect();
            int[] left = {last};
            for (int command = VfioUser.VERSION; command <= VfioUser.REGION_WRITE; command++) {
                server.on(command, request -> {
                    if (left[0]-- == 0) {
                        server.vanish();
                    } else {
                        server.behave(request);
                    }
                });
            }
            boolean whole = false;
            try (VfioFunction function = open()) {
                function.dma().allocate(4096);
                function.enableInterrupts(2);
                function.bar(0).write32(0, 1);
                whole = left[0] >= 0;
            } catch (DeviceException gone) {
                assertThat(gone).hasMessageContaining("vfio-user:/x");
            }
            if (whole) {
                assertThat(last).isGreaterThan(8);
                return;
            }
            disconnect();
        }
    }

    @Test
    void randomRepliesDoNoHarm() throws IOException {
        server.close();
        client.close();
        long seed = System.nanoTime();
        System.out.println("seed of random replies: " + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 100; round++) {
            connect();
            for (int command = VfioUser.VERSION; command <= VfioUser.REGION_WRITE; command++) {
                server.on(command, request -> answerAtRandom(request, random));
            }
            try (VfioFunction function = open()) {
                function.enableInterrupts(function.interruptVectors() > 0 ? 1 : 0);
                function.dma().allocate(4096);
                function.bar(0).write32(0, function.bar(0).read32(4));
            } catch (DeviceException | UncheckedIOException refused) {
                // That is one way to deal with it.
            }
            disconnect();
        }
        connect();
        open().close();
    }

    private void answerAtRandom(ScriptedServer.Request request, Random random) throws IOException {
        switch (random.nextInt(8)) {
            case 0 -> {
                byte[] body = new byte[random.nextInt(80)];
                random.nextBytes(body);
                server.reply(request, MemorySegment.ofArray(body));
            }
            case 1 -> server.refuse(request, random.nextInt());
            case 2 -> {
                MemorySegment access = MemorySegment.ofArray(new long[] {random.nextLong(), random.nextInt(64)});
                int command = random.nextBoolean() ? VfioUser.DMA_READ : VfioUser.DMA_WRITE;
                server.send(1, command, 32, random.nextBoolean() ? 0x10 : 0, 0, access, List.of(server.mappable));
                server.behave(request);
            }
            default -> server.behave(request);
        }
    }

    @Test
    void theUnknownIndexIsNotAskedFor() throws IOException {
        server.on(
                VfioUser.DEVICE_GET_INFO,
                request -> server.reply(request, ScriptedServer.words(16, Vfio.VFIO_DEVICE_FLAGS_PCI, 8, 1)));
        try (VfioFunction function = open()) {
            assertThat(function.interruptVectors()).isZero();
            assertThatThrownBy(function::reset).hasMessageContaining("cannot be reset");
        }
    }
}
