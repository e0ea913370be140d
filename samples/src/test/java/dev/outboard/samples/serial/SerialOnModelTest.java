package dev.outboard.samples.serial;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.serial.SerialCardModel;
import dev.outboard.samples.serial.SerialSettings.Parity;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The model, on a thread of this process; and what only a line has that is made of wires: modem lines, breaks, errors. */
class SerialOnModelTest extends SerialContract {
    @TempDir
    static Path directory;

    private static SerialCardModel model;
    private static VfioUserServer server;

    @BeforeAll
    static void serve() throws IOException {
        model = new SerialCardModel(SerialCardModel.Wiring.CROSSED);
        server = VfioUserServer.start(model, directory.resolve("serial.sock"));
    }

    @AfterAll
    static void stop() {
        server.close();
        model.close();
    }

    @Override
    SerialCard open() throws IOException {
        return SerialCard.open("vfio-user:" + server.path());
    }

    @Test
    void modemOutputsOfOnePortAreInputsOfTheOther() throws IOException {
        SerialPort first = card().ports().getFirst();
        SerialPort second = card().ports().getLast();
        assertThat(second.modemLines()).isEqualTo(new ModemLines(true, true, false, true));
        first.setModemControl(false, true);
        assertThat(second.modemLines()).isEqualTo(new ModemLines(true, false, false, false));
        first.setModemControl(true, false);
        assertThat(second.modemLines()).isEqualTo(new ModemLines(false, true, false, true));
    }

    @Test
    void aBreakIsCountedAndIsNoCharacter() throws IOException {
        SerialPort first = card().ports().getFirst();
        SerialPort second = card().ports().getLast();
        first.setBreak(true);
        first.setBreak(false);
        first.write(MemorySegment.ofArray(new byte[] {7}), SOON);
        assertThat(read(second, 1)).containsExactly(7);
        assertThat(second.errors()).isEqualTo(new SerialErrors(0, 0, 0, 1));
    }

    @Test
    void anotherParityAtTheOtherEndIsCounted() throws IOException {
        SerialPort first = card().ports().getFirst();
        SerialPort second = card().ports().getLast();
        first.configure(new SerialSettings(9600, 8, Parity.ODD, 1));
        second.configure(new SerialSettings(9600, 8, Parity.EVEN, 1));
        card().enableInterrupts();
        first.write(MemorySegment.ofArray(new byte[] {1, 2, 3}), SOON);
        assertThat(read(second, 3)).containsExactly(1, 2, 3);
        assertThat(second.errors()).isEqualTo(new SerialErrors(0, 3, 0, 0));
    }

    @Test
    void anotherRateAtTheOtherEndIsCounted() throws IOException {
        SerialPort first = card().ports().getFirst();
        SerialPort second = card().ports().getLast();
        first.configure(new SerialSettings(4800, 8, Parity.NONE, 1));
        second.configure(new SerialSettings(9600, 8, Parity.NONE, 1));
        first.write(MemorySegment.ofArray(new byte[] {0x05}), SOON);
        // Each bit is seen twice, and where the stop bit should be is the zero that follows 101.
        assertThat(read(second, 1)).containsExactly(0x66);
        assertThat(second.errors()).isEqualTo(new SerialErrors(0, 0, 1, 0));
    }
}
