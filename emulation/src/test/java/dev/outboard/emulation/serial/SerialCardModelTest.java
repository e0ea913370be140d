package dev.outboard.emulation.serial;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.driver.Interrupt;
import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.serial.SerialCardModel.Wiring;
import dev.outboard.memory.Registers;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.pci.PciConfiguration;
import dev.outboard.specs.serial.Uart16550;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The card as a PCI function: I/O ports by message, one INTx for both ports. */
@Timeout(60)
class SerialCardModelTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource
    void itsRegistersAreIoPorts(Wiring wiring) throws IOException {
        try (SerialCardModel model = new SerialCardModel(wiring);
                VfioUserServer server = VfioUserServer.start(model, directory.resolve("s"));
                PciFunction function = Pci.open("vfio-user:" + server.path())) {
            Registers configuration = function.configuration();
            configuration.write(PciConfiguration.BAR0, 0xffff_ffffL);
            assertThat(configuration.read(PciConfiguration.BAR0)).isEqualTo(0xffff_fff1L);
            Registers bar = function.bar(0);
            assertThat(bar.sizeBytes()).isEqualTo(16);
            assertThat(bar.isMapped()).isFalse();
            bar.write8(Uart16550.SCR.offset(), (byte) 0x12);
            bar.write8(Uart16550.BYTES + Uart16550.SCR.offset(), (byte) 0x34);
            assertThat(bar.read8(Uart16550.SCR.offset())).isEqualTo((byte) 0x12);
            assertThat(bar.read8(Uart16550.BYTES + Uart16550.SCR.offset())).isEqualTo((byte) 0x34);
            bar.write8(Uart16550.THR.offset(), (byte) 0x1f);
            Registers receiver = wiring == Wiring.PLUGS ? bar : bar.slice(Uart16550.BYTES, Uart16550.BYTES);
            receiver.pollUntil(Uart16550.LSR, Uart16550.LSR_DATA_READY::isSet, SOON);
            assertThat(receiver.read(Uart16550.RBR)).isEqualTo(0x1f);
        }
    }

    @Test
    void bothPortsShareAnInterrupt() throws IOException {
        try (SerialCardModel model = new SerialCardModel(Wiring.CROSSED);
                VfioUserServer server = VfioUserServer.start(model, directory.resolve("s"));
                PciFunction function = Pci.open("vfio-user:" + server.path())) {
            Interrupt interrupt = function.enableInterrupts(1).getFirst();
            Registers first = function.bar(0).slice(0, Uart16550.BYTES);
            Registers second = function.bar(0).slice(Uart16550.BYTES, Uart16550.BYTES);
            first.write(Uart16550.IER, Uart16550.IER_TRANSMITTER_EMPTY.mask());
            second.write(Uart16550.IER, Uart16550.IER_TRANSMITTER_EMPTY.mask());
            assertThat(interrupt.await(SOON)).isEqualTo(1);
            first.read(Uart16550.IIR);
            interrupt.rearm();
            assertThat(interrupt.await(SOON))
                    .as("the other one still wants something")
                    .isEqualTo(1);
            second.read(Uart16550.IIR);
            interrupt.rearm();
            second.read(Uart16550.SCR);
            assertThat(interrupt.poll()).isZero();
        }
    }
}
