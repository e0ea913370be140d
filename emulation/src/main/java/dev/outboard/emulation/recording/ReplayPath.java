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
        Replay replay = new Replay(RecordingReader.open(Path.of(address.device())));
        try {
            return new InterposedFunction(new ReplayedDevice(address, replay), replay);
        } catch (UncheckedIOException e) {
            replay.closed();
            throw e.getCause();
        }
    }
}
