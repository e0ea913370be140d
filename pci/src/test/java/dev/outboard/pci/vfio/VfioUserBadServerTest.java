package dev.outboard.pci.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a vfio-user function does with a server that lies, refuses, or leaves. */
@Timeout(60)
class VfioUserBadServerTest {
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

    private void refusesToOpen(String... reasons) {
        assertThatThrownBy(this::open)
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("vfio-user:/x")
                .hasMessageContainingAll(reasons);
    }

    /** Opens, then finds that the first access of BAR 0 ends the connection. */
    private void endsTheConnection(String reason) throws IOException {
        try (VfioFunction function = open()) {
            assertThat(function.bar(0).read32(0)).isEqualTo(-1);
            assertThatThrownBy(function::checkPresent)
                    .isInstanceOf(DeviceGoneException.class)
                    .hasMessageContainingAll("vfio-user:/x", reason);
        }
    }

    private ScriptedServer onBarRead(ScriptedServer.Script script) {
        return server.on(VfioUser.REGION_READ, request -> {
            if (request.u32(8) == 0) {
                script.run(request);
            } else {
                server.behave(request);
            }
        });
    }

    private ScriptedServer onBarInfo(ScriptedServer.Script script) {
        return server.on(VfioUser.DEVICE_GET_REGION_INFO, request -> {
            if (request.u32(8) == 0) {
                script.run(request);
            } else {
                server.behave(request);
            }
        });
    }

    @Test
    void anotherMajorVersionIsRefused() {
        server.on(VfioUser.VERSION, request -> server.reply(request, ScriptedServer.version(1, 0, "{}")));
        refusesToOpen("the server speaks vfio-user 1.0, not 0.1");
    }

    @Test
    void aServerThatHangsUpAtOnceIsNone() {
        server.on(VfioUser.VERSION, request -> server.vanish());
        refusesToOpen("no vfio-user server", "closed the connection");
    }

    @Test
    void aServerOfAnotherProtocolIsNone() {
        server.on(VfioUser.VERSION, request -> server.say("220 mail.example ESMTP ready\r\n"));
        refusesToOpen("no vfio-user server", "of 1818845549 bytes");
    }

    @Test
    void aVersionWithoutCapabilitiesWill() throws IOException {
        server.on(VfioUser.VERSION, request -> server.reply(request, ScriptedServer.words(0x0000_0000)));
        open().close();
    }

    @Test
    void aShortVersionIsRefused() {
        server.on(VfioUser.VERSION, request -> server.reply(request, MemorySegment.NULL));
        refusesToOpen("no vfio-user server", "0 bytes");
    }

    @Test
    void aDeviceThatIsNotPciIsRefused() {
        server.on(VfioUser.DEVICE_GET_INFO, request -> server.reply(request, ScriptedServer.words(16, 0, 9, 5)));
        refusesToOpen("no PCI device");
    }

    @Test
    void aTinyConfigurationSpaceIsRefused() {
        server.on(
                VfioUser.DEVICE_GET_REGION_INFO,
                request -> server.reply(request, ScriptedServer.regionInfo((int) request.u32(8), 3, 16, 0)));
        refusesToOpen("its configuration space has only 16 bytes");
    }

    @Test
    void tooManyVectorsAreRefused() {
        server.on(
                VfioUser.DEVICE_GET_IRQ_INFO,
                request -> server.reply(request, ScriptedServer.words(16, 1, (int) request.u32(8), -1)));
        refusesToOpen("cannot have 4294967295 vectors");
    }

    @Test
    void aServerThatRefusesConfigurationSpaceIsRefused() {
        server.on(VfioUser.REGION_READ, request -> server.refuse(request, Errno.EIO));
        refusesToOpen("REGION_READ", "EIO");
    }

    @Test
    void anErrorReplyNamesTheCommandAndTheError() throws IOException {
        server.on(VfioUser.DMA_MAP, request -> server.refuse(request, Errno.ENOMEM));
        try (VfioFunction function = open()) {
            assertThatThrownBy(() -> function.dma().allocate(4096))
                    .isExactlyInstanceOf(DeviceException.class)
                    .hasMessageContainingAll("vfio-user:/x", "DMA_MAP", "Cannot allocate memory (ENOMEM)");
            function.checkPresent();
        }
    }

    @Test
    void anAccessThatIsRefusedIsAnError() throws IOException {
        onBarRead(request -> server.refuse(request, Errno.EINVAL));
        server.on(VfioUser.REGION_WRITE, request -> {
            if (request.u32(8) == 0) {
                server.refuse(request, 0);
            } else {
                server.behave(request);
            }
        });
        try (VfioFunction function = open()) {
            assertThatThrownBy(() -> function.bar(0).read32(0))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContainingAll("REGION_READ", "EINVAL");
            assertThatThrownBy(() -> function.bar(0).write32(0, 1))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContainingAll("REGION_WRITE", "an error without a number");
            function.checkPresent();
        }
    }

    @Test
    void aServerThatLeavesInTheMiddleOfAReplyIsGone() throws IOException {
        onBarRead(request -> {
            server.send(request.id(), request.command(), 36, 1, 0, ScriptedServer.words(0, 0), List.of());
            server.vanish();
        });
        endsTheConnection("in the middle of a message");
    }

    @Test
    void aReplyThatNobodyAskedForEndsTheConnection() throws IOException {
        onBarRead(request -> server.send(request.id() + 1, request.command(), 16, 1, 0, MemorySegment.NULL, List.of()));
        endsTheConnection("which nobody asked for");
    }

    @Test
    void aReplyToAnotherCommandEndsTheConnection() throws IOException {
        onBarRead(request -> server.send(request.id(), VfioUser.DEVICE_RESET, 16, 1, 0, MemorySegment.NULL, List.of()));
        endsTheConnection("reply to DEVICE_RESET");
    }

    @Test
    void aMessageOfNoTypeEndsTheConnection() throws IOException {
        onBarRead(request -> server.send(request.id(), request.command(), 16, 7, 0, MemorySegment.NULL, List.of()));
        endsTheConnection("neither command nor reply");
    }

    @Test
    void messagesOfImpossibleSizeEndTheConnection() throws IOException {
        onBarRead(request ->
                server.send(request.id(), request.command(), 0xffff_ffffL, 1, 0, MemorySegment.NULL, List.of()));
        endsTheConnection("of 4294967295 bytes");
    }

    @Test
    void aMessageShorterThanItsHeaderEndsTheConnection() throws IOException {
        onBarRead(request -> server.send(request.id(), request.command(), 15, 1, 0, MemorySegment.NULL, List.of()));
        endsTheConnection("of 15 bytes");
    }

    @Test
    void aReplyOfTheWrongLengthEndsTheConnection() throws IOException {
        onBarRead(request -> {
            MemorySegment reply = MemorySegment.ofArray(new byte[16 + 8]);
            reply.copyFrom(request.body().asSlice(0, 16));
            server.reply(request, reply);
        });
        endsTheConnection("8 bytes of data");
    }

    @Test
    void aReplyForAnotherRegisterEndsTheConnection() throws IOException {
        onBarRead(request -> {
            MemorySegment reply = MemorySegment.ofArray(new byte[16 + 4]);
            reply.copyFrom(request.body().asSlice(0, 16));
            reply.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, 4);
            server.reply(request, reply);
        });
        endsTheConnection("answered with 4 bytes at 0x4");
    }

    @Test
    void aCommandThatServersDoNotSendEndsTheConnection() throws IOException {
        onBarRead(request -> server.send(1, VfioUser.DMA_MAP, 16, 0, 0, MemorySegment.NULL, List.of()));
        endsTheConnection("which is none of a server's");
    }

    @Test
    void aDmaAccessThatIsTooLongEndsTheConnection() throws IOException {
        MemorySegment access = MemorySegment.ofArray(new long[] {0x20_0000, -1});
        onBarRead(request -> server.send(1, VfioUser.DMA_READ, 32, 0, 0, access, List.of()));
        endsTheConnection("18446744073709551615 bytes");
    }

    @Test
    void descriptorsThatNobodyWantsAreClosed() throws IOException {
        server.on(VfioUser.DEVICE_RESET, request -> {
            List<Fd> many = List.of(server.mappable, server.mappable, server.mappable);
            server.sendWithDescriptors(request, MemorySegment.NULL, many);
        });
        try (VfioFunction function = open()) {
            function.reset();
            long before = descriptors();
            for (int i = 0; i < 10; i++) {
                function.reset();
            }
            assertThat(descriptors()).isEqualTo(before);
        }
    }

    private static long descriptors() {
        return new File("/proc/self/fd").list().length;
    }

    @Test
    void aLoopOfCapabilitiesIsFound() throws IOException {
        onBarInfo(request -> {
            MemorySegment info = ScriptedServer.sparse(ScriptedServer.regionInfo(0, 0xf, 0x3000, 32), 0, 0x1000);
            // A capability that nobody knows, whose next is itself.
            info.asSlice(32).copyFrom(ScriptedServer.words(99, 32));
            server.sendWithDescriptors(request, info, List.of(server.mappable));
        });
        barIsRefused("chain of capabilities never ends");
    }

    @Test
    void aCapabilityOutsideOfTheReplyIsFound() throws IOException {
        onBarInfo(request -> server.sendWithDescriptors(
                request, ScriptedServer.regionInfo(0, 0xf, 0x3000, -8), List.of(server.mappable)));
        barIsRefused("leads to offset 4294967288 of 32 bytes");
    }

    @Test
    void aMappableAreaOutsideOfItsRegionIsFound() throws IOException {
        onBarInfo(request -> {
            MemorySegment info = ScriptedServer.regionInfo(0, 0xf, 0x3000, 32);
            server.sendWithDescriptors(request, ScriptedServer.sparse(info, 0x2000, 0x2000), List.of(server.mappable));
        });
        barIsRefused("outside of its 0x3000 bytes");
    }

    @Test
    void aListOfAreasThatIsCutOffIsFound() throws IOException {
        onBarInfo(request -> {
            MemorySegment info = ScriptedServer.sparse(ScriptedServer.regionInfo(0, 0xf, 0x3000, 32), 0, 0x1000);
            info.set(ValueLayout.JAVA_INT_UNALIGNED, 40, -1);
            server.sendWithDescriptors(request, info, List.of(server.mappable));
        });
        barIsRefused("cut off");
    }

    @Test
    void aRegionLargerThanItsFileIsFound() throws IOException {
        onBarInfo(request -> server.sendWithDescriptors(
                request, ScriptedServer.regionInfo(0, 7, 0x10_0000, 0), List.of(server.mappable)));
        barIsRefused("beyond the end of its file of 12288 bytes");
    }

    @Test
    void aNegativeRegionIsFound() throws IOException {
        onBarInfo(request -> server.reply(request, ScriptedServer.regionInfo(0, 3, -1, 0)));
        barIsRefused("cannot be 0xffffffffffffffff bytes");
    }

    @Test
    void aDescriptionThatNeedsEndlessRoomIsFound() throws IOException {
        onBarInfo(request -> {
            MemorySegment info = ScriptedServer.regionInfo(0, 3, 0x3000, 0);
            info.set(ValueLayout.JAVA_INT_UNALIGNED, 0, -1);
            server.reply(request, info);
        });
        barIsRefused("cannot need 4294967295 bytes");
    }

    private void barIsRefused(String reason) throws IOException {
        try (VfioFunction function = open()) {
            assertThatThrownBy(() -> function.bar(0))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("vfio-user:/x")
                    .hasMessageContaining(reason);
        }
    }

    @Test
    void aMappableRegionWithoutADescriptorIsReachedByMessages() throws IOException {
        onBarInfo(request -> server.reply(request, ScriptedServer.regionInfo(0, 7, 0x3000, 0)));
        try (VfioFunction function = open()) {
            assertThat(function.bar(0).isMapped()).isFalse();
            assertThat(function.bar(0).slice(0x1000, 0x1000).isMapped()).isFalse();
            function.bar(0).write32(0, 5);
            assertThat(function.bar(0).read32(0)).isEqualTo(5);
        }
    }

    @Test
    void aServerThatDoesNotAnswerIsGivenUp() throws IOException {
        onBarRead(request -> {});
        try (VfioFunction function = open()) {
            var bar = function.bar(0);
            long start = System.nanoTime();
            assertThat(bar.read32(0)).isEqualTo(-1);
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(VfioUserConnection.REPLY_TIMEOUT.toNanos());
            // Once is enough: nobody waits for it again.
            assertThatThrownBy(function::checkPresent)
                    .hasMessageContaining("did not answer REGION_READ within 5000 ms");
            assertThat(bar.read32(0)).isEqualTo(-1);
            assertThatThrownBy(() -> function.enableInterrupts(1)).isInstanceOf(DeviceGoneException.class);
        }
    }
}
