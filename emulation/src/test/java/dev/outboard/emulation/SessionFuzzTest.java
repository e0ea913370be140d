package dev.outboard.emulation;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/**
 * What a client may send, found by a fuzzer that sees which code each input reaches. Without {@code JAZZER_FUZZ=1} it is
 * an ordinary test, of the inputs in the resources.
 */
class SessionFuzzTest {
    private static final int NEGOTIATED = 1;
    private static final int WITH_FILE = 2;
    private static final int SPLIT = 4;
    private static final int MOST_BYTES = 16 << 10;
    private static final byte[] VERSION = {7, 0, 1, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0};

    /** The first byte says in what state the others meet the session; nothing that it throws may leave it. */
    @FuzzTest(maxDuration = "5s")
    void aSessionTakesAnyBytes(byte[] input) throws IOException {
        if (input.length == 0 || input.length > MOST_BYTES) {
            return;
        }
        int how = input[0];
        byte[] bytes = Arrays.copyOfRange(input, 1, input.length);
        List<UnixSocket> pair = UnixSocket.pair();
        try (RegisterModel model = new RegisterModel();
                UnixSocket client = pair.getLast();
                Session session = new Session(model, pair.getFirst());
                Fd file = Fd.memfd("fuzz", 0x4000);
                Arena arena = Arena.ofConfined()) {
            boolean open = true;
            if ((how & NEGOTIATED) != 0) {
                open = feed(session, client, arena, VERSION, null);
                assertThat(open).isTrue();
            }
            int cut = (how & SPLIT) != 0 ? bytes.length / 2 : bytes.length;
            if (open && cut > 0) {
                open = feed(session, client, arena, Arrays.copyOf(bytes, cut), (how & WITH_FILE) != 0 ? file : null);
            }
            if (open && cut < bytes.length) {
                feed(session, client, arena, Arrays.copyOfRange(bytes, cut, bytes.length), null);
            }
            assertThat(model.configuration().read(PciConfiguration.VENDOR_ID)).isEqualTo(0x1234);
        }
    }

    /** Has a session take bytes, and drops what it answers; false when it has had enough. */
    private static boolean feed(Session session, UnixSocket client, Arena arena, byte[] bytes, Fd file)
            throws IOException {
        client.send(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), file == null ? List.of() : List.of(file));
        MemorySegment dropped = arena.allocate(8192);
        // No message is shorter than a header, so there are no more of them than that.
        for (int message = 0; message <= bytes.length / MessageChannel.HEADER_BYTES + 1; message++) {
            try {
                if (!session.receive()) {
                    return false;
                }
            } catch (IllegalStateException bug) {
                // The model's register that throws: the server drops the client then.
                assertThat(bug).hasMessage("a bug of the model");
                return false;
            }
            drain(client, dropped);
        }
        return true;
    }

    private static void drain(UnixSocket client, MemorySegment dropped) throws LinuxException {
        UnixSocket.Received received = client.receiveNow(dropped);
        while (received != null && received.bytes() > 0) {
            received.descriptors().forEach(Fd::close);
            received = client.receiveNow(dropped);
        }
    }
}
