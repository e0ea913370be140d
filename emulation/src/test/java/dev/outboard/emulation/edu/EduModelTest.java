package dev.outboard.emulation.edu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.driver.Interrupt;
import dev.outboard.emulation.VfioUserServer;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.Registers;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.edu.EduRegisters;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What QEMU's docs/specs/edu.rst says, and what its device does where that says nothing. */
@Timeout(60)
class EduModelTest {
    private static final Duration HOURS = Duration.ofHours(10);
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    private EduModel model;
    private VfioUserServer server;
    private PciFunction function;
    private Registers bar;

    @BeforeEach
    void serve() throws IOException {
        serve(EduOptions.DEFAULT);
    }

    private void serve(EduOptions options) throws IOException {
        stop();
        model = new EduModel(options);
        server = VfioUserServer.start(model, directory.resolve("edu.sock"));
        function = Pci.open("vfio-user:" + server.path());
        bar = function.bar(0);
    }

    @AfterEach
    void stop() {
        if (function != null) {
            function.close();
            server.close();
            model.close();
        }
    }

    @Test
    void accessesOfAnotherWidthAreRefused() {
        assertThat(bar.read16(EduRegisters.IDENTIFICATION.offset())).isEqualTo((short) -1);
        assertThat(bar.read64(EduRegisters.IDENTIFICATION.offset())).isEqualTo(-1);
        assertThat(bar.read32(EduRegisters.INTERRUPT_RAISE.offset())).isEqualTo(-1);
        assertThat(bar.read32(EduRegisters.DMA_SOURCE.offset())).isZero();
        assertThat(bar.read32(0x1000)).isEqualTo(-1);
    }

    @Test
    void whileItComputesItTakesNoOtherNumber() throws IOException {
        serve(EduOptions.DEFAULT.withDelay(HOURS));
        bar.write(EduRegisters.FACTORIAL, 5);
        assertThat(EduRegisters.STATUS_COMPUTING.isSet(bar.read(EduRegisters.STATUS)))
                .isTrue();
        bar.write(EduRegisters.FACTORIAL, 6);
        assertThat(bar.read(EduRegisters.FACTORIAL)).isEqualTo(5);
        function.reset();
        assertThat(bar.read(EduRegisters.STATUS)).isZero();
    }

    @Test
    void factorialsAreModulo32Bits() throws IOException {
        bar.write(EduRegisters.FACTORIAL, 13);
        bar.pollUntil(EduRegisters.STATUS, status -> status == 0, SOON);
        assertThat(bar.read(EduRegisters.FACTORIAL)).isEqualTo(6_227_020_800L & 0xffff_ffffL);
        bar.write(EduRegisters.FACTORIAL, -1);
        bar.pollUntil(EduRegisters.STATUS, status -> status == 0, SOON);
        assertThat(bar.read(EduRegisters.FACTORIAL)).isZero();
    }

    @Test
    void anInterruptIsPendingUntilAllOfItIsAcknowledged() throws IOException {
        serve(EduOptions.DEFAULT.withoutMsi());
        Interrupt interrupt = function.enableInterrupts(1).getFirst();
        bar.write(EduRegisters.INTERRUPT_RAISE, 6);
        assertThat(interrupt.await(SOON)).isEqualTo(1);
        assertThat(bar.read(EduRegisters.INTERRUPT_STATUS)).isEqualTo(6);
        bar.write(EduRegisters.INTERRUPT_ACKNOWLEDGE, 2);
        interrupt.rearm();
        assertThat(interrupt.await(SOON)).as("it is a level").isEqualTo(1);
        bar.write(EduRegisters.INTERRUPT_ACKNOWLEDGE, 4);
        interrupt.rearm();
        bar.read(EduRegisters.INTERRUPT_STATUS);
        assertThat(interrupt.poll()).isZero();
    }

    @Test
    void everyRaiseIsAMessage() throws IOException {
        function.setBusMaster(true);
        Interrupt interrupt = function.enableInterrupts(1).getFirst();
        bar.write(EduRegisters.INTERRUPT_RAISE, 1);
        bar.write(EduRegisters.INTERRUPT_RAISE, 1);
        bar.read(EduRegisters.INTERRUPT_STATUS);
        assertThat(interrupt.poll()).isEqualTo(2);
    }

    /** The bits outside of the mask are dropped, as QEMU drops them. */
    @Test
    void dmaGoesByTheMask() throws IOException {
        try (DmaMemory memory = function.dma().allocate(8)) {
            memory.segment().fill((byte) 9);
            function.setBusMaster(true);
            transfer(memory.deviceAddress() | 1L << 40, EduRegisters.BUFFER, 8, 1);
            transfer(EduRegisters.BUFFER + 4, memory.deviceAddress() | 1L << 28, 4, 3);
            assertThat(memory.segment().get(JAVA_BYTE, 0)).isEqualTo((byte) 9);
        }
    }

    @Test
    void withoutBusMasterNothingIsMoved() throws IOException {
        try (DmaMemory memory = function.dma().allocate(8)) {
            memory.segment().fill((byte) 9);
            transfer(EduRegisters.BUFFER, memory.deviceAddress(), 8, 3);
            assertThat(memory.segment().get(JAVA_BYTE, 0)).isEqualTo((byte) 9);
        }
    }

    /** The whole buffer can be moved, and nothing beyond it. */
    @Test
    void transfersStayInTheBuffer() throws IOException {
        try (DmaMemory memory = function.dma().allocate(8192)) {
            function.setBusMaster(true);
            memory.segment().fill((byte) 9);
            transfer(memory.deviceAddress(), EduRegisters.BUFFER, 4096, 1);
            memory.segment().fill((byte) 1);
            transfer(EduRegisters.BUFFER, memory.deviceAddress(), 4097, 3);
            transfer(EduRegisters.BUFFER - 1, memory.deviceAddress(), 8, 3);
            transfer(EduRegisters.BUFFER, memory.deviceAddress(), -1, 3);
            assertThat(memory.segment().get(JAVA_BYTE, 0)).isEqualTo((byte) 1);
            transfer(EduRegisters.BUFFER, memory.deviceAddress(), 4096, 3);
            assertThat(memory.segment().get(JAVA_BYTE, 4095)).isEqualTo((byte) 9);
            assertThat(memory.segment().get(JAVA_BYTE, 4096)).isEqualTo((byte) 1);
        }
    }

    private void transfer(long source, long destination, long count, long command) throws IOException {
        bar.write(EduRegisters.DMA_SOURCE, source);
        bar.write(EduRegisters.DMA_DESTINATION, destination);
        bar.write(EduRegisters.DMA_COUNT, count);
        bar.write(EduRegisters.DMA_COMMAND, command);
        bar.pollUntil(EduRegisters.DMA_COMMAND, value -> !EduRegisters.DMA_RUN.isSet(value), SOON);
    }
}
