package dev.outboard.samples.serial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.samples.serial.SerialSettings.Parity;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for every card whose two ports are wired to each other, however it is reached. */
@Timeout(120)
abstract class SerialContract {
    static final Duration SOON = Duration.ofSeconds(30);
    static final Duration SHORT = Duration.ofMillis(50);

    private SerialCard card;
    private SerialPort first;
    private SerialPort second;

    /** Opens the card; called for each test. */
    abstract SerialCard open() throws IOException;

    @BeforeEach
    void openCard() throws IOException {
        card = open();
        first = card.ports().getFirst();
        second = card.ports().getLast();
    }

    @AfterEach
    void closeCard() {
        if (card != null) {
            card.close();
        }
    }

    SerialCard card() {
        return card;
    }

    private static byte[] random(int bytes) {
        byte[] data = new byte[bytes];
        new Random(bytes).nextBytes(data);
        return data;
    }

    static byte[] read(SerialPort port, int bytes) throws IOException {
        byte[] data = new byte[bytes];
        int done = 0;
        while (done < bytes) {
            int read = port.read(MemorySegment.ofArray(data).asSlice(done), SOON);
            if (read == 0) {
                return Arrays.copyOf(data, done);
            }
            done += read;
        }
        return data;
    }

    private static void write(SerialPort port, byte[] data) throws IOException {
        port.write(MemorySegment.ofArray(data), SOON);
    }

    private void use(boolean interrupts) throws IOException {
        if (interrupts) {
            card.enableInterrupts();
        }
    }

    @Test
    void aCardHasTwoPorts() {
        assertThat(card.ports()).hasSize(2);
        assertThat(first).hasToString("port 0 of " + card.address());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatOnePortSendsTheOtherReceives(boolean interrupts) throws Exception {
        use(interrupts);
        byte[] there = random(5000);
        byte[] back = random(3001);
        try (ExecutorService writers = Executors.newFixedThreadPool(2)) {
            Future<?> one = writers.submit(() -> {
                write(first, there);
                return null;
            });
            Future<?> other = writers.submit(() -> {
                write(second, back);
                return null;
            });
            assertThat(read(second, there.length)).isEqualTo(there);
            assertThat(read(first, back.length)).isEqualTo(back);
            one.get();
            other.get();
        }
        assertThat(first.errors()).isEqualTo(new SerialErrors(0, 0, 0, 0));
        assertThat(second.errors()).isEqualTo(new SerialErrors(0, 0, 0, 0));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aReadReturnsWhatIsThereHoweverLittle(boolean interrupts) throws IOException {
        use(interrupts);
        write(first, new byte[] {42});
        byte[] data = new byte[100];
        assertThat(second.read(MemorySegment.ofArray(data), SOON)).isEqualTo(1);
        assertThat(data[0]).isEqualTo((byte) 42);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aReadOfNothingEndsInTime(boolean interrupts) throws IOException {
        use(interrupts);
        assertThat(first.read(MemorySegment.ofArray(new byte[10]), SHORT)).isZero();
        assertThat(first.read(MemorySegment.ofArray(new byte[10]), Duration.ZERO))
                .isZero();
        assertThat(first.read(MemorySegment.ofArray(new byte[0]), SOON)).isZero();
    }

    /** What waits is held back, and not lost. Nobody reads from the second port meanwhile. */
    @Test
    void aWriteThatNobodyTakesEndsInTime() throws IOException {
        byte[] lot = random(100_000);
        assertThatThrownBy(() -> first.write(MemorySegment.ofArray(lot), SHORT))
                .isInstanceOf(DeviceTimeoutException.class)
                .hasMessageContaining("of 100000 bytes within 50 ms");
        byte[] begin = read(second, 16);
        assertThat(begin).isEqualTo(Arrays.copyOf(lot, begin.length));
    }

    @ParameterizedTest
    @ValueSource(ints = {300, 9600, 57600, 115200})
    void everyRateThatBothPortsHaveWorks(int baud) throws IOException {
        SerialSettings settings = new SerialSettings(baud, 7, Parity.EVEN, 2);
        first.configure(settings);
        second.configure(settings);
        card.enableInterrupts();
        write(first, new byte[] {1, 2, 0x7f});
        assertThat(read(second, 3)).containsExactly(1, 2, 0x7f);
        first.drain(SOON);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void memoryOfTheCallersThreadCanBeWritten(boolean interrupts) throws IOException {
        use(interrupts);
        byte[] data = random(10);
        try (Arena arena = Arena.ofConfined()) {
            first.write(arena.allocateFrom(ValueLayout.JAVA_BYTE, data), SOON);
        }
        assertThat(read(second, data.length)).isEqualTo(data);
    }

    @Test
    void ratesAndFormatsThatAPortDoesNotHaveAreRefused() {
        assertThatThrownBy(() -> new SerialSettings(0, 8, Parity.NONE, 1)).hasMessageContaining("divided by");
        assertThatThrownBy(() -> new SerialSettings(115_201, 8, Parity.NONE, 1)).hasMessageContaining("115200");
        assertThatThrownBy(() -> new SerialSettings(9600, 9, Parity.NONE, 1)).hasMessageContaining("5 to 8");
        assertThatThrownBy(() -> new SerialSettings(9600, 8, Parity.NONE, 3)).hasMessageContaining("1 or 2");
    }

    @Test
    void aPortThatIsClosedSaysSo() throws IOException {
        card.enableInterrupts();
        first.close();
        assertThatThrownBy(() -> first.read(MemorySegment.ofArray(new byte[1]), SOON))
                .hasMessageContaining("is closed");
        assertThatThrownBy(() -> write(first, new byte[1])).hasMessageContaining("is closed");
        assertThatThrownBy(() -> first.drain(SOON)).hasMessageContaining("is closed");
    }

    @Test
    void closingACardWakesThoseWhoWait() throws Exception {
        card.enableInterrupts();
        try (ExecutorService readers = Executors.newSingleThreadExecutor()) {
            Future<Integer> reader = readers.submit(() -> first.read(MemorySegment.ofArray(new byte[1]), SOON));
            card.close();
            card.close();
            assertThatThrownBy(reader::get).hasMessageContaining("is closed");
        }
    }
}
