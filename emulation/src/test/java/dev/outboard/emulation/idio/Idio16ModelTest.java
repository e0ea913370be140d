package dev.outboard.emulation.idio;

import static dev.outboard.specs.idio.Idio16Registers.FILTERS_LOW;
import static dev.outboard.specs.idio.Idio16Registers.FILTERS_OFF;
import static dev.outboard.specs.idio.Idio16Registers.FILTERS_ON;
import static dev.outboard.specs.idio.Idio16Registers.INPUTS_HIGH;
import static dev.outboard.specs.idio.Idio16Registers.INPUTS_LOW;
import static dev.outboard.specs.idio.Idio16Registers.INTERRUPT_CLEAR;
import static dev.outboard.specs.idio.Idio16Registers.INTERRUPT_DISABLE;
import static dev.outboard.specs.idio.Idio16Registers.INTERRUPT_ENABLE;
import static dev.outboard.specs.idio.Idio16Registers.INTERRUPT_STATUS;
import static dev.outboard.specs.idio.Idio16Registers.OUTPUTS_HIGH;
import static dev.outboard.specs.idio.Idio16Registers.OUTPUTS_LOW;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.driver.Interrupt;
import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.idio.Idio16Options.Wiring;
import dev.outboard.memory.Registers;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the card's manual says, and what Linux's driver relies on. */
@Timeout(60)
class Idio16ModelTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    private Idio16Model model;
    private VfioUserServer server;
    private PciFunction function;
    private Registers ports;

    @BeforeEach
    void serve() throws IOException {
        model = new Idio16Model(new Idio16Options(Wiring.OPEN, directory.resolve("terminals")));
        server = VfioUserServer.start(model, directory.resolve("idio.sock"));
        function = Pci.open("vfio-user:" + server.path());
        ports = function.bar(2);
    }

    @AfterEach
    void stop() {
        function.close();
        server.close();
        model.close();
    }

    @Test
    void theCardIsOneThatLinuxKnows() {
        assertThat(function.configuration().read32(0)).isEqualTo(0x0dc8_494f);
        assertThat(ports.sizeBytes()).isEqualTo(8);
    }

    @Test
    void theTerminalsAreInTheirFile() throws IOException {
        ports.write(OUTPUTS_LOW, 0x34);
        ports.write(OUTPUTS_HIGH, 0x12);
        // A read is answered after the writes before it were done.
        assertThat(ports.read(OUTPUTS_HIGH)).isEqualTo(0x12);
        assertThat(Files.readAllBytes(directory.resolve("terminals"))).containsExactly(0, 0, 0x34, 0x12);
        model.setInputs(0xbeef);
        assertThat(ports.read(INPUTS_LOW)).isEqualTo(0xef);
        assertThat(ports.read(INPUTS_HIGH)).isEqualTo(0xbe);
        assertThat(Files.readAllBytes(directory.resolve("terminals")))
                .containsExactly((byte) 0xef, (byte) 0xbe, 0x34, 0x12);
    }

    @Test
    void aWideAccessIsOneOfEachPort() {
        ports.write16(OUTPUTS_LOW.offset(), (short) 0x0055);
        model.setInputs(0x00aa);
        assertThat(ports.read16(OUTPUTS_LOW.offset())).isEqualTo((short) 0xaa55);
    }

    @Test
    void onlyWhatChangesWhileInterruptsAreEnabledInterrupts() throws IOException {
        Interrupt line = function.enableInterrupts(1).getFirst();
        model.setInputs(1);
        assertThat(ports.read(INTERRUPT_STATUS)).isZero();
        ports.read(INTERRUPT_ENABLE);
        assertThat(line.poll()).isZero();
        model.setInputs(3);
        assertThat(line.await(SOON)).isPositive();
        assertThat(ports.read(INTERRUPT_STATUS)).isEqualTo(0b101);
        model.setInputs(0x8003);
        assertThat(ports.read(INTERRUPT_STATUS)).isEqualTo(0b111);
        ports.write(INTERRUPT_CLEAR, 0);
        assertThat(ports.read(INTERRUPT_STATUS)).isZero();
        line.rearm();
        assertThat(line.poll()).isZero();
        ports.write(INTERRUPT_DISABLE, 0);
        model.setInputs(0);
        assertThat(ports.read(INTERRUPT_STATUS)).isZero();
    }

    @Test
    void aLineThatIsNotClearedFiresAgain() throws IOException {
        Interrupt line = function.enableInterrupts(1).getFirst();
        ports.read(INTERRUPT_ENABLE);
        model.setInputs(1);
        assertThat(line.await(SOON)).isPositive();
        line.rearm();
        assertThat(line.await(SOON)).isPositive();
    }

    @Test
    void filtersOfAllInputsGoBeforeThoseOfOne() {
        ports.write(FILTERS_LOW, 0x0f);
        assertThat(ports.read(FILTERS_LOW)).isEqualTo(0x0f);
        ports.read(FILTERS_ON);
        assertThat(ports.read(FILTERS_LOW)).isEqualTo(0xff);
        ports.write(FILTERS_LOW, 0x0f);
        assertThat(ports.read(FILTERS_LOW)).as("all are on").isEqualTo(0xff);
        ports.write(FILTERS_OFF, 0);
        assertThat(ports.read(FILTERS_LOW)).isZero();
    }

    @Test
    void aResetLetsTheOutputsGo() throws IOException {
        ports.write(OUTPUTS_LOW, 0xff);
        assertThat(ports.read(OUTPUTS_LOW)).isEqualTo(0xff);
        function.reset();
        assertThat(ports.read(OUTPUTS_LOW)).isZero();
        assertThat(model.outputs()).isZero();
    }
}
