package dev.outboard.emulation;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.pci.AccessPath;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import java.io.IOException;

/**
 * The access path {@code model:}: an emulated device in a process of its own, reached over vfio-user. After the model's
 * name come its options, as in {@code model:nvme?size=64M&serial=X&cpu=0}.
 */
public final class ModelPath implements AccessPath {
    /** For {@link java.util.ServiceLoader}. */
    public ModelPath() {}

    @Override
    public String name() {
        return "model";
    }

    @Override
    public PciFunction open(DeviceAddress address) throws IOException {
        EmulatorProcess process = EmulatorProcess.start(address.deviceName(), ModelOptions.of(address.options()));
        try {
            DeviceAddress socket =
                    new DeviceAddress("vfio-user", process.socket().toString());
            PciFunction function = Pci.open(socket, address);
            return new ModelFunction(address, function, process);
        } catch (IOException | RuntimeException e) {
            process.close();
            throw e;
        }
    }
}
