package dev.outboard.emulation.recording;

import dev.outboard.driver.DeviceGoneException;
import dev.outboard.emulation.interpose.DmaStore;
import dev.outboard.emulation.interpose.Interposer;
import dev.outboard.emulation.interpose.Region;
import dev.outboard.emulation.recording.RecordedEvent.Read;
import dev.outboard.emulation.recording.RecordedEvent.ToDriver;
import dev.outboard.memory.RegisterAccess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Compares what a driver does with a recording, and answers from it. What was polled may be polled more or less often, and
 * a register that reads as it did before may be looked at more or less often; all else must come as it was recorded. After
 * a divergence, which is thrown once, the device is gone.
 */
final class Replay implements Interposer {
    private static final long MOST_MEMORY_BYTES = 1L << 30;

    private final RecordingReader recording;
    private final Map<Integer, Long> interrupts = new HashMap<>();
    private IntConsumer whenInterrupted = _ -> {};
    private final List<DmaStore> overlooked = new ArrayList<>();
    private @Nullable RecordedEvent head;
    private long memoryBytes;
    /** The read at the head was answered so often. */
    private long answered;

    private final Map<Place, Long> values = new HashMap<>();
    private boolean gone;
    private boolean diverged;
    private boolean closed;

    /** Where a driver looks. */
    private record Place(Region region, long offset, int widthBytes) {}

    Replay(RecordingReader recording) throws IOException {
        this.recording = recording;
        head = recording.read();
    }

    int vectors() {
        return recording.vectors();
    }

    /** Tells of each interrupt, also of those that came before. */
    void whenInterrupted(IntConsumer listener) {
        whenInterrupted = listener;
        interrupts.keySet().forEach(listener::accept);
    }

    private void advance() {
        try {
            head = recording.read();
            answered = 0;
            while (head instanceof RecordedEvent.Interrupts || head instanceof RecordedEvent.Gone) {
                if (head instanceof RecordedEvent.Interrupts(int vector, long count)) {
                    interrupts.merge(vector, count, Long::sum);
                    whenInterrupted.accept(vector);
                } else {
                    gone = true;
                }
                head = recording.read();
            }
        } catch (IOException e) {
            diverged = true;
            throw new UncheckedIOException(e);
        }
    }

    /** What the driver should do next, after a read that it need not repeat. */
    private @Nullable RecordedEvent expected() {
        if (answered > 0) {
            advance();
        }
        collectStores();
        skipLooks();
        return head;
    }

    /** Looks at registers that read as they did before depend on how long the device took. */
    private void skipLooks() {
        while (head instanceof Read look && Objects.equals(values.get(placeOf(look)), look.value())) {
            advance();
            collectStores();
        }
    }

    private static Place placeOf(Read read) {
        return new Place(read.region(), read.offset(), read.widthBytes());
    }

    /** A driver that goes on finds what the device has stored at its next look, if it still looks. */
    private void collectStores() {
        while (head instanceof ToDriver(DmaStore store)) {
            overlooked.add(store);
            advance();
        }
    }

    private void expect(RecordedEvent done) {
        if (diverged) {
            return;
        }
        RecordedEvent expected = expected();
        if (!done.equals(expected)) {
            throw divergence(done.toString());
        }
        advance();
    }

    private UncheckedIOException divergence(String done) {
        diverged = true;
        String expected = head == null || head instanceof RecordedEvent.Closed
                ? "the end of the recording"
                : "\"" + brief(head.toString()) + "\"";
        return new UncheckedIOException(new ReplayDivergedException("the driver did \"" + brief(done) + "\" where line "
                + recording.line() + " of the recording expects " + expected));
    }

    private static String brief(String event) {
        int most = 160;
        return event.length() <= most ? event : event.substring(0, most) + "…";
    }

    long expectRegion(Region region) throws IOException {
        if (!diverged && expected() instanceof RecordedEvent.Opened opened && opened.region() == region) {
            advance();
            return opened.sizeBytes();
        }
        throw diverged
                ? new DeviceGoneException("the replay has diverged", null)
                : divergence("region " + region).getCause();
    }

    long expectMemory(long sizeBytes) throws IOException {
        if (!diverged && expected() instanceof RecordedEvent.Allocated memory && memory.sizeBytes() == sizeBytes) {
            memoryBytes += sizeBytes;
            if (memoryBytes > MOST_MEMORY_BYTES) {
                throw recording.error("the recording has more than " + MOST_MEMORY_BYTES + " bytes of memory", null);
            }
            advance();
            return memory.deviceAddress();
        }
        throw diverged
                ? new DeviceGoneException("the replay has diverged", null)
                : divergence("memory of 0x" + Long.toHexString(sizeBytes)).getCause();
    }

    @Override
    public long read(Region region, long offset, int widthBytes, RegisterAccess device) {
        if (diverged) {
            return -1;
        }
        if (answered > 0 && head instanceof Read run && !run.isSamePlace(region, offset, widthBytes)) {
            advance();
        }
        collectStores();
        if (!(head instanceof Read next && next.isSamePlace(region, offset, widthBytes))) {
            skipLooks();
        }
        Place place = new Place(region, offset, widthBytes);
        if (head instanceof Read run && placeOf(run).equals(place)) {
            values.put(place, run.value());
            if (++answered >= run.count()) {
                advance();
            }
            return run.value();
        }
        Long before = values.get(place);
        if (before != null) {
            return before;
        }
        throw divergence("read " + region + " 0x" + Long.toHexString(offset) + " " + widthBytes);
    }

    @Override
    public void write(Region region, long offset, int widthBytes, long value, RegisterAccess device) {
        expect(new RecordedEvent.Write(region, offset, widthBytes, value));
    }

    @Override
    public List<DmaStore> toDevice(List<DmaStore> stores) {
        stores.forEach(store -> expect(new RecordedEvent.ToDevice(store)));
        return List.of();
    }

    /** What was found at one time is found together. */
    @Override
    public List<DmaStore> toDriver(List<DmaStore> stores) {
        List<DmaStore> found = new ArrayList<>(overlooked);
        overlooked.clear();
        if (!diverged && answered == 0 && head instanceof ToDriver) {
            long nanos = recording.nanos();
            while (head instanceof ToDriver(DmaStore store) && recording.nanos() == nanos) {
                found.add(store);
                advance();
            }
        }
        return found;
    }

    @Override
    public void interruptsEnabled(int count) {
        expect(new RecordedEvent.InterruptsEnabled(count));
    }

    @Override
    public long interrupts(int vector, long count) throws IOException {
        if (diverged) {
            throw gone();
        }
        Long came = interrupts.remove(vector);
        return came == null ? 0 : came;
    }

    @Override
    public void setBusMaster(boolean on, Controls device) {
        expect(new RecordedEvent.BusMaster(on));
    }

    @Override
    public void reset(Controls device) throws IOException {
        expect(new RecordedEvent.Reset());
    }

    @Override
    public void checkPresent(Controls device) throws DeviceGoneException {
        if (diverged || gone) {
            throw gone();
        }
    }

    private DeviceGoneException gone() {
        return new DeviceGoneException(
                diverged ? "the replay has diverged" : "the device was gone at this place of the recording", null);
    }

    @Override
    public void closed() {
        if (!closed) {
            closed = true;
            try {
                recording.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
