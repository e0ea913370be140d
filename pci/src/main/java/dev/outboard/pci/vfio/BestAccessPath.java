package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.pci.AccessPath;
import dev.outboard.pci.PciBus;
import dev.outboard.pci.PciFunction;
import java.io.IOException;

/**
 * {@code pci:0000:03:00.0}: a function by the best way that works now. VFIO alone carries every driver, so if it does not
 * work, the answer says what stands in its way.
 */
public final class BestAccessPath implements AccessPath {
    /** Made by {@link java.util.ServiceLoader}. */
    public BestAccessPath() {}

    @Override
    public String name() {
        return "pci";
    }

    @Override
    public PciFunction open(DeviceAddress address) throws IOException {
        return VfioAccessPath.open(PciBus.system(), address);
    }
}
