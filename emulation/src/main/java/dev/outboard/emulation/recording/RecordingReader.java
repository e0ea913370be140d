package dev.outboard.emulation.recording;

import dev.outboard.emulation.interpose.DmaStore;
import dev.outboard.emulation.interpose.Region;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Reads a recording, event by event. Trusts nothing in it. */
public final class RecordingReader implements AutoCloseable {
    /** The first line. */
    static final String HEADER = "outboard-recording 1";

    /** What the address of a device starts with that was recorded at its own end. */
    static final String SERVED = "served:";

    private static final int MOST_VECTORS = 2048;
    private static final int HEX_RADIX = 16;

    private final String file;
    private final BufferedReader in;
    private final String device;
    private final int vectors;
    private long line;
    private long nanos;
    private String[] words = new String[0];
    private int next;

    private RecordingReader(Path path, BufferedReader in) throws IOException {
        file = path.toString();
        this.in = in;
        try {
            if (!HEADER.equals(readLine())) {
                throw error("this is no recording: the first line would be \"" + HEADER + "\"", null);
            }
            device = header("device");
            split(header("vectors"));
            vectors = number(MOST_VECTORS);
        } catch (IOException e) {
            in.close();
            throw e;
        }
    }

    /**
     * Opens a recording.
     *
     * @param path the file
     * @return a reader at its first event
     * @throws IOException if it cannot be read, or is none
     */
    public static RecordingReader open(Path path) throws IOException {
        if (!Files.isRegularFile(path)) {
            throw new IOException(path + " is no file; --record of other commands writes recordings");
        }
        return new RecordingReader(path, Files.newBufferedReader(path));
    }

    /**
     * Opens a recording that may still be written: the reader waits for what follows. A pipe ends with who writes to it.
     *
     * @param path the file, or a pipe
     * @param stop asked now and then; the recording ends where it is once this is true
     * @return a reader at its first event
     * @throws IOException if it cannot be read, or is none
     */
    public static RecordingReader follow(Path path, BooleanSupplier stop) throws IOException {
        if (Files.notExists(path) || Files.isDirectory(path)) {
            throw new IOException(path + " is no file and no pipe; --record of other commands writes recordings");
        }
        BufferedReader in = Files.newBufferedReader(path);
        boolean grows = Files.isRegularFile(path);
        return new RecordingReader(path, grows ? new BufferedReader(new FollowingReader(in, stop)) : in);
    }

    private String header(String name) throws IOException {
        String text = readLine();
        if (text == null || !text.startsWith(name + " ")) {
            throw error("the line \"" + name + " …\" is missing", null);
        }
        return text.substring(name.length() + 1);
    }

    private @Nullable String readLine() throws IOException {
        line++;
        try {
            return in.readLine();
        } catch (IOException e) {
            throw error("it cannot be read: " + e.getMessage(), e);
        }
    }

    private void split(String text) {
        words = text.split(" ", -1);
        next = 0;
    }

    /**
     * The device that was recorded.
     *
     * @return its address
     */
    public String device() {
        return device;
    }

    /**
     * How many interrupt vectors it had.
     *
     * @return the number
     */
    public int vectors() {
        return vectors;
    }

    /**
     * When the event happened that was read last.
     *
     * @return nanoseconds since the device was opened
     */
    public long nanos() {
        return nanos;
    }

    /**
     * The line of the event that was read last.
     *
     * @return its number, from 1
     */
    public long line() {
        return line;
    }

    /**
     * Reads the next event.
     *
     * @return the event; null at the end
     * @throws IOException if there is no sense in it
     */
    public @Nullable RecordedEvent read() throws IOException {
        String text = readLine();
        if (text == null) {
            return null;
        }
        split(text);
        try {
            nanos = number(Long.MAX_VALUE);
            RecordedEvent event = event(word());
            if (next != words.length) {
                throw error("\"" + words[next] + "\" is too much", null);
            }
            return event;
        } catch (IllegalArgumentException e) {
            throw error(String.valueOf(e.getMessage()), e);
        }
    }

    private RecordedEvent event(String kind) throws RecordingException {
        return switch (kind) {
            case "region" -> new RecordedEvent.Opened(region(), number(Long.MAX_VALUE));
            case "read" ->
                new RecordedEvent.Read(
                        region(),
                        number(Long.MAX_VALUE),
                        width(),
                        number(-1L),
                        next < words.length ? number(Long.MAX_VALUE) : 1);
            case "write" -> new RecordedEvent.Write(region(), number(Long.MAX_VALUE), width(), number(-1L));
            case "memory" -> new RecordedEvent.Allocated(number(-1L), number(Long.MAX_VALUE));
            case "to-device" -> new RecordedEvent.ToDevice(store());
            case "to-driver" -> new RecordedEvent.ToDriver(store());
            case "vectors" -> new RecordedEvent.InterruptsEnabled(number(MOST_VECTORS));
            case "interrupt" -> new RecordedEvent.Interrupts(number(MOST_VECTORS), number(Long.MAX_VALUE));
            case "master" -> new RecordedEvent.BusMaster(word().equals("on"));
            case "reset" -> new RecordedEvent.Reset();
            case "gone" -> new RecordedEvent.Gone();
            case "end" -> new RecordedEvent.Closed();
            default -> throw error("there is no event \"" + kind + "\"", null);
        };
    }

    private Region region() throws RecordingException {
        String name = word();
        return Region.find(name).orElseThrow(() -> error("there is no region \"" + name + "\"", null));
    }

    private int width() throws RecordingException {
        int width = number(Long.BYTES);
        if (Integer.bitCount(width) != 1) {
            throw error("an access is 1, 2, 4 or 8 bytes wide", null);
        }
        return width;
    }

    private DmaStore store() throws RecordingException {
        long address = number(-1L);
        byte[] bytes = HexFormat.of().parseHex(word());
        if (bytes.length == 0 || bytes.length % DmaStore.WORD_BYTES != 0 || address % DmaStore.WORD_BYTES != 0) {
            throw error("a store is of whole words of 4 bytes", null);
        }
        return new DmaStore(address, bytes);
    }

    private int number(int greatest) throws RecordingException {
        return (int) number((long) greatest);
    }

    /** A number, decimal or with 0x; unsigned, not above the greatest. */
    private long number(long greatest) throws RecordingException {
        String text = word();
        long value = text.startsWith("0x")
                ? Long.parseUnsignedLong(text.substring(2), HEX_RADIX)
                : Long.parseUnsignedLong(text);
        if (Long.compareUnsigned(value, greatest) > 0) {
            throw error("\"" + text + "\" is more than " + Long.toUnsignedString(greatest), null);
        }
        return value;
    }

    private String word() throws RecordingException {
        if (next == words.length) {
            throw error("the line is too short", null);
        }
        return words[next++];
    }

    RecordingException error(String message, @Nullable Throwable cause) {
        return new RecordingException(file, line, message, cause);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
