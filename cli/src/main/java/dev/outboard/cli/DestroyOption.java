package dev.outboard.cli;

import dev.outboard.driver.DeviceException;
import java.io.IOException;
import picocli.CommandLine.Option;

/** The option {@code --destroy}: data may be lost. */
public final class DestroyOption {
    @Option(
            names = "--destroy",
            description = "Yes, what is there may be lost; without it, nothing but a model is written to.")
    private boolean destroy;

    /** For picocli. */
    public DestroyOption() {}

    /**
     * Whether a device may be written to.
     *
     * @param isModel whether nothing of value can be lost on it
     * @return whether that is so, or the user allowed it
     */
    public boolean allows(boolean isModel) {
        return destroy || isModel;
    }

    /**
     * Refuses to write to anything but a model, unless the user allowed it.
     *
     * @param isModel whether nothing of value can be lost on the device
     * @param loss what would be lost, and where
     * @throws IOException if the user did not
     */
    public void require(boolean isModel, String loss) throws IOException {
        if (!allows(isModel)) {
            throw new DeviceException("this would lose " + loss + "; add --destroy if that is what you want");
        }
    }
}
