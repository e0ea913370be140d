package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.pci.AccessPath;
import dev.outboard.pci.PciBus;
import dev.outboard.pci.PciDevice;
import dev.outboard.pci.PciFunction;
import dev.outboard.pci.sysfs.SysfsAccessPath;
import java.io.IOException;

/**
 * {@code pci:0000:03:00.0}: a function by the best way that works now. VFIO alone carries every driver; sysfs has the
 * registers of a function that no kernel driver has. If neither works, the answer says what stands in VFIO's way.
 */
public final class BestAccessPath implements AccessPath {
    private final AccessPath vfio = new VfioAccessPath();
    private final AccessPath sysfs = new SysfsAccessPath();

    /** Made by {@link java.util.ServiceLoader}. */
    public BestAccessPath() {}

    @Override
    public String name() {
        return "pci";
    }

    @Override
    public PciFunction open(DeviceAddress address) throws IOException {
        PciDevice device = PciBus.system().device(address.device());
        return (device.accessPaths().contains(sysfs.name()) ? sysfs : vfio).open(address);
    }

    @Override
    public PciFunction look(DeviceAddress address) throws IOException {
        PciDevice device = PciBus.system().device(address.device());
        return (device.isBoundToVfio() ? vfio : sysfs).look(address);
    }
}
