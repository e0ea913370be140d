package dev.outboard.pci.qemu;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.UnixSocket;
import dev.outboard.memory.RegisterAccess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * QEMU's test protocol, one line a command and one a reply, among which lines come that tell of interrupt pins. QEMU,
 * docs/devel/testing/qtest.rst and the comment at the head of softmmu/qtest.c.
 *
 * <p>Safe for use by several threads, which take turns.
 */
final class Qtest implements AutoCloseable {
    private static final long REPLY_TIMEOUT_SECONDS = 30;
    private static final int BUFFER_BYTES = 4096;
    private static final int LONGEST_LINE = 4096;
    private static final String OK = "OK";
    private static final Pattern PIN = Pattern.compile("IRQ (raise|lower) (\\d{1,2})");
    private static final int HEXADECIMAL = 16;

    /** What hears of interrupt pins, on the thread that reads. */
    interface PinListener {
        /**
         * A pin changed.
         *
         * @param number the input of the intercepted interrupt controller
         * @param raised its level now
         */
        void changed(int number, boolean raised);
    }

    /** How it was seen that QEMU is gone. */
    private record Gone(String message, @Nullable Throwable cause) {}

    private final String name;
    private final UnixSocket socket;
    private final Supplier<String> lastWords;
    private final PinListener pins;
    private final Runnable whenGone;
    private final BlockingQueue<String> replies = new ArrayBlockingQueue<>(1);
    private final Thread reader;
    private volatile @Nullable Gone gone;
    private volatile boolean closed;

    /**
     * Takes over a connection.
     *
     * @param name the device's name in messages
     * @param lastWords what to say when QEMU has ended
     * @param pins hears of interrupt pins
     * @param whenGone called once, when QEMU has ended
     */
    Qtest(String name, UnixSocket socket, Supplier<String> lastWords, PinListener pins, Runnable whenGone) {
        this.name = name;
        this.socket = socket;
        this.lastWords = lastWords;
        this.pins = pins;
        this.whenGone = whenGone;
        reader = Thread.ofPlatform().daemon().name("outboard-qtest").unstarted(this::read);
        reader.start();
    }

    private void read() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(BUFFER_BYTES);
            StringBuilder line = new StringBuilder();
            while (true) {
                long bytes = socket.receive(buffer).bytes();
                if (bytes == 0) {
                    failAtItsEnd(null);
                    return;
                }
                for (long i = 0; i < bytes; i++) {
                    char next = (char) buffer.get(ValueLayout.JAVA_BYTE, i);
                    if (next != '\n') {
                        line.append(next);
                    } else {
                        take(line.toString());
                        line.setLength(0);
                    }
                }
                if (line.length() > LONGEST_LINE) {
                    throw nonsense("a line without an end");
                }
            }
        } catch (LinuxException reset) {
            failAtItsEnd(reset);
        } catch (DeviceException e) {
            fail(String.valueOf(e.getMessage()), e);
        }
    }

    private void failAtItsEnd(@Nullable Throwable cause) {
        fail(closed ? "closed" : lastWords.get(), cause);
    }

    private void take(String line) throws DeviceException {
        if (!line.startsWith("IRQ ")) {
            if (!replies.offer(line)) {
                throw nonsense("\"" + line + "\", which nobody asked for");
            }
            return;
        }
        Matcher words = PIN.matcher(line);
        if (!words.matches()) {
            throw nonsense("\"" + line + "\"");
        }
        pins.changed(Integer.parseInt(words.group(2)), words.group(1).equals("raise"));
    }

    private DeviceException nonsense(String what) {
        return new DeviceException("QEMU said " + what + " in its test protocol");
    }

    private void fail(String why, @Nullable Throwable cause) {
        synchronized (replies) {
            if (gone != null) {
                return;
            }
            gone = new Gone(name + ": " + why, cause);
        }
        // For who waits, or who has just looked whether it is gone.
        replies.offer("");
        whenGone.run();
    }

    void checkPresent() throws DeviceGoneException {
        Gone now = gone;
        if (now != null) {
            throw new DeviceGoneException(now.message(), now.cause());
        }
    }

    /**
     * Says a command and hears the reply.
     *
     * @return what follows "OK"
     * @throws DeviceGoneException if QEMU is gone, or does not answer any more
     */
    synchronized String call(String command) throws IOException {
        checkPresent();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment line = arena.allocateFrom(command + "\n", StandardCharsets.US_ASCII);
            socket.send(line.asSlice(0, line.byteSize() - 1), List.of());
        } catch (LinuxException e) {
            failAtItsEnd(e);
        }
        String reply = awaitReply();
        checkPresent();
        if (!reply.startsWith(OK)) {
            throw new DeviceException(name + ": QEMU refuses \"" + command + "\": " + reply);
        }
        return reply.substring(OK.length()).strip();
    }

    private String awaitReply() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    String reply = replies.poll(REPLY_TIMEOUT_SECONDS, TimeUnit.SECONDS);
                    if (reply == null) {
                        fail("QEMU has not answered within " + REPLY_TIMEOUT_SECONDS + " s", null);
                        reply = "";
                    }
                    return reply;
                } catch (InterruptedException e) {
                    // The reply would be taken for the next command's.
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Memory as the machine's processor sees it, from an address on. Reads all ones once QEMU is gone. */
    RegisterAccess memory(long base) {
        return access(base, "read", "write");
    }

    /** I/O ports, from one on; of 8, 16 and 32 bits. */
    RegisterAccess ports(long base) {
        return access(base, "in", "out");
    }

    private RegisterAccess access(long base, String read, String write) {
        boolean ports = read.equals("in");
        return new RegisterAccess() {
            @Override
            public long read(long offset, int widthBytes) {
                String value = call(read, offset, widthBytes, "");
                try {
                    return value.isEmpty() ? -1 : Long.parseUnsignedLong(value.substring("0x".length()), HEXADECIMAL);
                } catch (NumberFormatException | IndexOutOfBoundsException e) {
                    throw new UncheckedIOException(nonsense("\"" + value + "\""));
                }
            }

            @Override
            public void write(long offset, int widthBytes, long value) {
                long known = -1L >>> (Long.SIZE - widthBytes * Byte.SIZE);
                call(write, offset, widthBytes, " 0x" + Long.toHexString(value & known));
            }

            private String call(String verb, long offset, int widthBytes, String value) {
                if (ports && widthBytes == Long.BYTES) {
                    throw new IllegalArgumentException(name + ": I/O ports take accesses of 8, 16 and 32 bits");
                }
                String suffix = switch (widthBytes) {
                    case Byte.BYTES -> "b";
                    case Short.BYTES -> "w";
                    case Integer.BYTES -> "l";
                    default -> "q";
                };
                try {
                    return Qtest.this.call(verb + suffix + " 0x" + Long.toHexString(base + offset) + value);
                } catch (DeviceGoneException e) {
                    return "";
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        };
    }

    /** Ends the connection. Closing twice is harmless. */
    @Override
    public void close() {
        closed = true;
        socket.shutdown();
        try {
            // While it receives, the descriptor must not become another's.
            reader.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        socket.close();
    }
}
