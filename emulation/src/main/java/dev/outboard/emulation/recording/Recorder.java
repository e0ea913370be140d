package dev.outboard.emulation.recording;

import dev.outboard.driver.DeviceGoneException;
import dev.outboard.emulation.interpose.DmaStore;
import dev.outboard.emulation.interpose.InterposedFunction;
import dev.outboard.emulation.interpose.Interposer;
import dev.outboard.emulation.interpose.Region;
import dev.outboard.emulation.recording.RecordedEvent.Read;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Writes all that passes between a driver and its device into a file, which {@code docs/recordings.md} describes. */
public final class Recorder implements Interposer {
    private static final System.Logger LOG = System.getLogger(Recorder.class.getName());

    private final Path file;
    private final Writer out;
    private final long startNanos = System.nanoTime();
    /** Registers are polled: reads with one result in a row are one line. */
    private @Nullable Read reads;

    private long readsNanos;
    private boolean gone;
    private @Nullable IncompleteRecordingException failure;

    private Recorder(Path file, Writer out) {
        this.file = file;
        this.out = out;
    }

    /**
     * Records a function from now until it is closed.
     *
     * @param function the function
     * @param file the recording, which is overwritten
     * @return the function for its driver
     * @throws IOException if the file cannot be written; the function is closed then
     */
    public static PciFunction record(PciFunction function, Path file) throws IOException {
        try {
            Recorder recorder = open(file, function.address().toString(), function.interruptVectors());
            return new InterposedFunction(function, recorder);
        } catch (IOException | RuntimeException e) {
            function.close();
            throw e;
        }
    }

    /**
     * Starts the recording of a device that is served: of all that its clients do, as the device sees it.
     *
     * @param file the recording, which is overwritten
     * @param model what it is, for example {@code "nvme"}
     * @param vectors how many interrupt vectors it has
     * @return the recorder, for {@link dev.outboard.emulation.PciModel#interpose}
     * @throws IOException if the file cannot be written
     */
    public static Recorder served(Path file, String model, int vectors) throws IOException {
        return open(file, RecordingReader.SERVED + model, vectors);
    }

    private static Recorder open(Path file, String device, int vectors) throws IOException {
        Writer out = Files.newBufferedWriter(file);
        try {
            out.write(RecordingReader.HEADER + "\ndevice " + device + "\nvectors " + vectors + "\n");
            // A full disk is found before the driver starts.
            out.flush();
            return new Recorder(file, out);
        } catch (IOException e) {
            throw new IncompleteRecordingException(file, e);
        }
    }

    private long now() {
        return System.nanoTime() - startNanos;
    }

    private void add(RecordedEvent event) {
        add(now(), event);
    }

    private void add(long nanos, RecordedEvent event) {
        if (failure != null) {
            return;
        }
        try {
            if (reads != null) {
                out.write(readsNanos + " " + reads + "\n");
                reads = null;
            }
            out.write(nanos + " " + event + "\n");
            // Somebody may follow.
            out.flush();
        } catch (IOException e) {
            // The driver and its device go on: they are not to blame.
            failure = new IncompleteRecordingException(file, e);
            LOG.log(System.Logger.Level.WARNING, failure.getMessage());
        }
    }

    @Override
    public void opened(Region region, long sizeBytes) {
        add(new RecordedEvent.Opened(region, sizeBytes));
    }

    @Override
    public long read(Region region, long offset, int widthBytes, RegisterAccess device) {
        int unused = Long.SIZE - widthBytes * Byte.SIZE;
        long value = device.read(offset, widthBytes) << unused >>> unused;
        Read before = reads;
        if (before != null && before.isSamePlace(region, offset, widthBytes) && before.value() == value) {
            reads = new Read(region, offset, widthBytes, value, before.count() + 1);
        } else {
            long nanos = now();
            if (before != null) {
                reads = null;
                add(readsNanos, before);
            }
            reads = new Read(region, offset, widthBytes, value, 1);
            readsNanos = nanos;
        }
        return value;
    }

    @Override
    public void write(Region region, long offset, int widthBytes, long value, RegisterAccess device) {
        add(new RecordedEvent.Write(region, offset, widthBytes, value));
        device.write(offset, widthBytes, value);
    }

    @Override
    public void allocated(long deviceAddress, long sizeBytes) {
        add(new RecordedEvent.Allocated(deviceAddress, sizeBytes));
    }

    @Override
    public List<DmaStore> toDevice(List<DmaStore> stores) {
        long nanos = now();
        stores.forEach(store -> add(nanos, new RecordedEvent.ToDevice(store)));
        return stores;
    }

    /** {@inheritDoc} What is found at one time has one time in the file. */
    @Override
    public List<DmaStore> toDriver(List<DmaStore> stores) {
        long nanos = now();
        stores.forEach(store -> add(nanos, new RecordedEvent.ToDriver(store)));
        return stores;
    }

    @Override
    public void interruptsEnabled(int count) {
        add(new RecordedEvent.InterruptsEnabled(count));
    }

    @Override
    public long interrupts(int vector, long count) {
        if (count > 0) {
            add(new RecordedEvent.Interrupts(vector, count));
        }
        return count;
    }

    @Override
    public void setBusMaster(boolean on, Controls device) {
        add(new RecordedEvent.BusMaster(on));
        device.setBusMaster(on);
    }

    @Override
    public void reset(Controls device) throws IOException {
        add(new RecordedEvent.Reset());
        device.reset();
    }

    @Override
    public void checkPresent(Controls device) throws DeviceGoneException {
        try {
            device.checkPresent();
        } catch (DeviceGoneException e) {
            if (!gone) {
                gone = true;
                add(new RecordedEvent.Gone());
            }
            throw e;
        }
    }

    /**
     * Ends the recording.
     *
     * @throws UncheckedIOException if it is incomplete; its cause is an {@link IncompleteRecordingException}
     */
    @Override
    public void closed() {
        add(new RecordedEvent.Closed());
        try {
            out.close();
        } catch (IOException e) {
            failure = failure == null ? new IncompleteRecordingException(file, e) : failure;
        }
        if (failure != null) {
            throw new UncheckedIOException(failure);
        }
    }
}
