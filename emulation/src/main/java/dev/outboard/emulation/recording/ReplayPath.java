package dev.outboard.emulation.recording;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.emulation.interpose.InterposedFunction;
import dev.outboard.pci.AccessPath;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/**
 * The access path {@code replay:}: a recording that answers as the device did, as long as the driver does what it did
 * then. It need not look as often for what it waits for.
 */
public final class ReplayPath implements AccessPath {
    /** For {@link java.util.ServiceLoader}. */
    public ReplayPath() {}

    @Override
    public String name() {
        return "replay";
    }

    @Override
    public PciFunction open(DeviceAddress address) throws IOException {
        RecordingReader recording = RecordingReader.open(Path.of(address.device()));
        if (recording.device().startsWith(RecordingReader.SERVED)) {
            recording.close();
            throw new IOException(address.device()
                    + " was recorded by a device that is served, not by a driver: outboard trace shows it, but it cannot"
                    + " be replayed");
        }
        Replay replay = new Replay(recording);
        try {
            return new InterposedFunction(new ReplayedDevice(address, replay), replay);
        } catch (UncheckedIOException e) {
            replay.closed();
            throw e.getCause();
        }
    }
}
