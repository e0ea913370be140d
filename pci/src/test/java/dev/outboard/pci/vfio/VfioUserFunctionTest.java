package dev.outboard.pci.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Interrupt;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.Mman;
import dev.outboard.linux.UnixSocket;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.Registers;
import dev.outboard.specs.pci.PciConfiguration;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a vfio-user function does with a server that keeps to the protocol. */
@Timeout(60)
class VfioUserFunctionTest {
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
    }

    private VfioFunction open() throws IOException {
        server.start();
        return new VfioFunction(DeviceAddress.parse("vfio-user:/x"), new VfioUserDevice("vfio-user:/x", client));
    }

    @Test
    void configurationSpaceIsReadAndWrittenByMessage() throws IOException {
        try (VfioFunction function = open()) {
            assertThat(function.configuration().read(PciConfiguration.VENDOR_ID))
                    .isEqualTo(0x1b36);
            assertThat(function.configuration().isMapped()).isFalse();
            function.configuration().write8(PciConfiguration.INTERRUPT_LINE.offset(), (byte) 7);
            assertThat(server.configuration.get(ValueLayout.JAVA_BYTE, PciConfiguration.INTERRUPT_LINE.offset()))
                    .isEqualTo((byte) 7);
        }
    }

    @Test
    void anOpenFunctionDecodesMemoryAndIsNoBusMaster() throws IOException {
        long command = PciConfiguration.COMMAND.offset();
        server.configuration.set(ValueLayout.JAVA_SHORT_UNALIGNED, command, (short) 0x404);
        try (VfioFunction function = open()) {
            assertThat(function.configuration().read16(command)).isEqualTo((short) 0x003);
            function.setBusMaster(true);
            assertThat(function.configuration().read16(command)).isEqualTo((short) 0x007);
            function.reset();
            assertThat(function.configuration().read16(command)).isEqualTo((short) 0x003);
        }
    }

    @Test
    void aSparseBarIsMappedWhereItCanBe() throws IOException {
        try (VfioFunction function = open();
                Arena arena = Arena.ofConfined()) {
            Registers bar = function.bar(0);
            assertThat(bar).isSameAs(function.bar(0));
            assertThat(bar.sizeBytes()).isEqualTo(ScriptedServer.BAR_BYTES);
            Registers doorbells = bar.slice(ScriptedServer.MAPPABLE_OFFSET, 0x1000);
            assertThat(doorbells.isMapped()).isTrue();
            doorbells.write32(4, 77);
            MemorySegment seen = server.mappable.mmap(0x1000, 0x1000, Mman.PROT_READ, Mman.MAP_SHARED, arena);
            assertThat(seen.get(ValueLayout.JAVA_INT, 4)).isEqualTo(77);
        }
    }

    @Test
    void anAccessHasExactlyItsWidth() throws IOException {
        try (VfioFunction function = open()) {
            Registers bar = function.bar(0);
            bar.write64(8, -1);
            bar.write8(8, (byte) 1);
            assertThat(bar.read64(8)).isEqualTo(0xffff_ffff_ffff_ff01L);
            bar.write16(8, (short) 2);
            assertThat(bar.read64(8)).isEqualTo(0xffff_ffff_ffff_0002L);
            bar.write32(8, 3);
            assertThat(bar.read64(8)).isEqualTo(0xffff_ffff_0000_0003L);
            assertThat(bar.read32(12)).isEqualTo(-1);
            assertThat(bar.read16(8)).isEqualTo((short) 3);
            assertThat(bar.read8(9)).isZero();
        }
    }

    @Test
    void aBarThatIsNotThereIsRefused() throws IOException {
        try (VfioFunction function = open()) {
            assertThatThrownBy(() -> function.bar(3)).hasMessageContaining("vfio-user:/x has no BAR 3");
            assertThatThrownBy(() -> function.bar(6)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void aServerReachesDmaMemoryThroughItsDescriptor() throws Exception {
        try (VfioFunction function = open();
                Arena arena = Arena.ofConfined()) {
            DmaMemory memory = function.dma().allocate(4096);
            memory.segment().set(ValueLayout.JAVA_LONG, 0, 42);
            ScriptedServer.Request map = server.awaitCommand(VfioUser.DMA_MAP);
            long address = map.u64(16);
            long size = map.u64(24);
            assertThat(address % (2 << 20)).isZero();
            assertThat(size).isEqualTo(2 << 20);
            assertThat(memory.deviceAddress()).isBetween(address, address + size - 1);
            MemorySegment seen = map.descriptors().getFirst().mmap(0, size, Mman.PROT_READ, Mman.MAP_SHARED, arena);
            assertThat(seen.get(ValueLayout.JAVA_LONG, memory.deviceAddress() - address))
                    .isEqualTo(42);
        }
        assertThat(server.awaitCommand(VfioUser.DMA_UNMAP).u64(8)).isPositive();
    }

    @Test
    void aServerReachesDmaMemoryByMessages() throws Exception {
        try (VfioFunction function = open()) {
            DmaMemory memory = function.dma().allocate(4096);
            memory.segment().set(ValueLayout.JAVA_LONG, 8, 42);
            MemorySegment access = MemorySegment.ofArray(new long[] {memory.deviceAddress() + 8, 8});
            server.send(500, VfioUser.DMA_READ, 32, VfioUser.FLAGS_TYPE_COMMAND, 0, access, List.of());
            ScriptedServer.Request read = server.awaitCommand(VfioUser.DMA_READ);
            assertThat(read.id()).isEqualTo(500);
            assertThat(read.u64(16)).isEqualTo(42);

            MemorySegment write = MemorySegment.ofArray(new long[] {memory.deviceAddress() + 16, 8, 43});
            server.send(501, VfioUser.DMA_WRITE, 40, VfioUser.FLAGS_TYPE_COMMAND, 0, write, List.of());
            assertThat(server.awaitCommand(VfioUser.DMA_WRITE).flags()).isEqualTo(VfioUser.FLAGS_TYPE_REPLY);
            assertThat(memory.segment().get(ValueLayout.JAVA_LONG, 16)).isEqualTo(43);
        }
    }

    @Test
    void aDmaAccessOutsideOfTheMappedMemoryIsRefused() throws Exception {
        try (VfioFunction function = open()) {
            long end = function.dma().allocate(2 << 20).deviceAddress() + (2 << 20);
            for (long address : new long[] {0, end, end - 4, -8}) {
                MemorySegment access = MemorySegment.ofArray(new long[] {address, 8});
                server.send(1, VfioUser.DMA_READ, 32, VfioUser.FLAGS_TYPE_COMMAND, 0, access, List.of());
                assertThat(server.awaitCommand(VfioUser.DMA_READ).flags())
                        .isEqualTo(VfioUser.FLAGS_TYPE_REPLY | VfioUser.FLAGS_ERROR);
            }
            function.checkPresent();
        }
    }

    @Test
    void interruptsArriveByTheEventFdsThatTheServerGot() throws Exception {
        try (VfioFunction function = open()) {
            assertThat(function.interruptVectors()).isEqualTo(4);
            List<Interrupt> interrupts = function.enableInterrupts(4);
            List<Fd> got = new ArrayList<>();
            // The server said that it takes three descriptors a message.
            for (int start = 0; start < 4; start += 3) {
                ScriptedServer.Request set = server.awaitCommand(VfioUser.DEVICE_SET_IRQS);
                assertThat(set.u32(8)).isEqualTo(Vfio.VFIO_PCI_MSIX_IRQ_INDEX);
                assertThat(set.u32(12)).isEqualTo(start);
                assertThat(set.u32(16)).isEqualTo(set.descriptors().size());
                got.addAll(set.descriptors());
            }
            assertThat(interrupts.get(3).poll()).isZero();
            EventFd signalled = EventFd.of(got.get(3));
            signalled.signal();
            signalled.signal();
            assertThat(interrupts.get(3).await(Duration.ofSeconds(5))).isEqualTo(2);
            assertThat(interrupts.get(0).poll()).isZero();

            assertThat(function.enableInterrupts(0)).isEmpty();
            ScriptedServer.Request off = server.awaitCommand(VfioUser.DEVICE_SET_IRQS);
            assertThat(off.u32(4)).isEqualTo(Vfio.VFIO_IRQ_SET_DATA_NONE | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER);
            assertThat(off.u32(16)).isZero();
            assertThatThrownBy(() -> function.enableInterrupts(5)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void inTxIsRearmedByUnmasking() throws Exception {
        int intx = Vfio.VFIO_IRQ_INFO_EVENTFD | Vfio.VFIO_IRQ_INFO_AUTOMASKED;
        server.on(VfioUser.DEVICE_GET_IRQ_INFO, request -> {
            int index = (int) request.u32(8);
            server.reply(request, ScriptedServer.words(16, intx, index, index == 0 ? 1 : 0));
        });
        try (VfioFunction function = open()) {
            Interrupt interrupt = function.enableInterrupts(1).getFirst();
            server.awaitCommand(VfioUser.DEVICE_SET_IRQS);
            interrupt.rearm();
            ScriptedServer.Request unmask = server.awaitCommand(VfioUser.DEVICE_SET_IRQS);
            assertThat(unmask.u32(4)).isEqualTo(Vfio.VFIO_IRQ_SET_DATA_NONE | Vfio.VFIO_IRQ_SET_ACTION_UNMASK);
            assertThat(unmask.u32(16)).isEqualTo(1);
        }
    }

    @Test
    void aServerThatVanishesIsSeenByEverybody() throws Exception {
        try (VfioFunction function = open()) {
            Interrupt interrupt = function.enableInterrupts(1).getFirst();
            Registers bar = function.bar(0);
            server.vanish();
            // Wakes at once, not after a minute.
            assertThatThrownBy(() -> interrupt.await(Duration.ofMinutes(1)))
                    .isInstanceOf(DeviceGoneException.class)
                    .hasMessageContaining("vfio-user:/x: the server closed the connection");
            assertThatThrownBy(function::checkPresent).isInstanceOf(DeviceGoneException.class);
            assertThat(bar.read32(0)).isEqualTo(-1);
            bar.write32(0, 1);
            assertThatThrownBy(() -> function.dma().allocate(4096)).isInstanceOf(DeviceGoneException.class);
            assertThatThrownBy(() -> function.enableInterrupts(1)).isInstanceOf(DeviceGoneException.class);
        }
    }

    @Test
    void closingWakesWhoWaitsForAnInterrupt() throws Exception {
        VfioFunction function = open();
        Interrupt interrupt = function.enableInterrupts(1).getFirst();
        CompletableFuture<Long> waiting = CompletableFuture.supplyAsync(() -> {
            try {
                return interrupt.await(Duration.ofMinutes(1));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        function.close();
        assertThatThrownBy(() -> waiting.get(30, TimeUnit.SECONDS)).hasRootCauseInstanceOf(IOException.class);
    }

    @Test
    void closingQuietensTheDeviceAndTwiceIsHarmless() throws Exception {
        VfioFunction function = open();
        function.setBusMaster(true);
        function.enableInterrupts(1);
        server.awaitCommand(VfioUser.DEVICE_SET_IRQS);
        function.close();
        function.close();
        assertThat(server.awaitCommand(VfioUser.DEVICE_SET_IRQS).u32(16)).isZero();
        assertThat(server.configuration.get(ValueLayout.JAVA_SHORT_UNALIGNED, PciConfiguration.COMMAND.offset()))
                .isEqualTo((short) 0x003);
        assertThatThrownBy(() -> function.bar(0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(function::checkPresent).isInstanceOf(DeviceGoneException.class);
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.getName().equals("vfio-user:/x"));
    }
}
