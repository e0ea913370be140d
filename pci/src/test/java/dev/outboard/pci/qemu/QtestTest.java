package dev.outboard.pci.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.UnixSocket;
import dev.outboard.memory.RegisterAccess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The test protocol with one at the other end who says what no QEMU says. */
@Timeout(60)
class QtestTest {
    private final CountDownLatch gone = new CountDownLatch(1);
    private final InterruptPins pins = new InterruptPins();
    private UnixSocket qemu;
    private Qtest qtest;

    @BeforeEach
    void connect() throws IOException {
        List<UnixSocket> pair = UnixSocket.pair();
        qemu = pair.getFirst();
        qtest = new Qtest("qemu:test", pair.getLast(), () -> "its last words", pins, gone::countDown);
    }

    @AfterEach
    void disconnect() {
        qtest.close();
        qemu.close();
    }

    private void say(String text) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
            MemorySegment said = arena.allocate(bytes.length);
            said.copyFrom(MemorySegment.ofArray(bytes));
            qemu.send(said, List.of());
        }
    }

    /** Answers the next command, on a thread of its own. */
    private void answer(String reply) {
        Thread.ofPlatform().daemon().start(() -> {
            try (Arena arena = Arena.ofConfined()) {
                qemu.receive(arena.allocate(100));
                say(reply);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
    }

    private void assertGone(String why) throws InterruptedException {
        assertThat(gone.await(30, TimeUnit.SECONDS)).isTrue();
        assertThatThrownBy(qtest::checkPresent)
                .isInstanceOf(DeviceGoneException.class)
                .hasMessageContaining(why);
        assertThat(qtest.memory(0).read(0, 4)).isEqualTo(-1);
        qtest.memory(0).write(0, 4, 1);
    }

    @Test
    void repliesComeAmongNewsOfPins() throws IOException {
        answer("IRQ raise 20\nIRQ lower 20\nOK 0x00000000000000ff\n");
        assertThat(qtest.memory(0x1000).read(4, 1)).isEqualTo(0xff);
        answer("OK 0xfffffffffffffffe\n");
        assertThat(qtest.memory(0).read(0, 8)).isEqualTo(-2);
    }

    @Test
    void whatQemuRefusesIsTheDevicesFailure() {
        answer("FAIL Unknown command 'x'\n");
        assertThatThrownBy(() -> qtest.call("x"))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("QEMU refuses \"x\": FAIL Unknown command 'x'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"OK 12z\n", "OK 0x\n", "OK 0x11111111111111111\n", "OK x\n"})
    void valuesThatAreNoneAreRefused(String reply) {
        RegisterAccess memory = qtest.memory(0);
        answer(reply);
        assertThatThrownBy(() -> memory.read(0, 4))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("QEMU said");
    }

    @ParameterizedTest
    @ValueSource(strings = {"IRQ raise x\n", "IRQ raise -1\n", "IRQ raise 300\n", "IRQ raise\n", "OK\nOK\n"})
    void whatMakesNoSenseEndsTheConversation(String line) throws Exception {
        say(line);
        assertGone("QEMU said \"" + line.strip().lines().toList().getLast() + "\"");
    }

    @Test
    void aLineWithoutAnEndEndsTheConversation() throws Exception {
        say("x".repeat(5000));
        assertGone("a line without an end");
    }

    @Test
    void theEndOfQemuIsToldInItsLastWords() throws Exception {
        qemu.close();
        assertGone("qemu:test: its last words");
    }

    @Test
    void aPinThatIsRaisedWhenItIsUnmaskedFiresAgain() throws IOException {
        try (EventFd event = EventFd.create()) {
            pins.changed(20, true);
            pins.watch(20, event);
            assertThat(event.read()).isEqualTo(1);
            pins.changed(20, false);
            pins.changed(20, true);
            pins.changed(21, true);
            assertThat(event.read()).as("masked").isZero();
            pins.unmask();
            assertThat(event.await(Duration.ofSeconds(30))).isEqualTo(1);
            pins.unwatch();
            pins.unmask();
            assertThat(event.read()).isZero();
        }
    }
}
