package dev.outboard.pci.sysfs;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceBusyException;
import dev.outboard.driver.DeviceException;
import dev.outboard.memory.Claim;
import dev.outboard.pci.AccessPath;
import dev.outboard.pci.PciBus;
import dev.outboard.pci.PciDevice;
import dev.outboard.pci.PciFunction;
import java.io.IOException;

/**
 * {@code sysfs:0000:03:00.0}: the registers of a function that no kernel driver has, as root; no interrupts, and DMA
 * memory in huge pages, where no IOMMU translates. To {@linkplain #look look}, also of one that a kernel driver has.
 */
public final class SysfsAccessPath implements AccessPath {
    /** Made by {@link java.util.ServiceLoader}. */
    public SysfsAccessPath() {}

    @Override
    public String name() {
        return "sysfs";
    }

    @Override
    public PciFunction open(DeviceAddress address) throws IOException {
        return open(PciBus.system(), address, true);
    }

    @Override
    public PciFunction look(DeviceAddress address) throws IOException {
        return open(PciBus.system(), address, false);
    }

    static PciFunction open(PciBus bus, DeviceAddress address, boolean writable) throws IOException {
        String canonical = bus.device(address.device()).address();
        Claim claim = bus.claim(canonical);
        try {
            PciDevice device = bus.device(canonical);
            if (writable) {
                refuseIfNotFree(device);
            }
            SysfsDevice files = new SysfsDevice(address.toString(), bus, device, writable);
            return new SysfsFunction(address, files, claim::close);
        } catch (IOException | RuntimeException e) {
            claim.close();
            throw e;
        }
    }

    private static void refuseIfNotFree(PciDevice device) throws DeviceException {
        if (device.isBridge()) {
            throw new DeviceException(device.address()
                    + " is a bridge: opening it would cut the devices behind it off; outboard reg read looks at it");
        }
        if (device.isBoundToVfio()) {
            throw new DeviceBusyException(device.address() + " is bound to " + device.driver() + ": open vfio:"
                    + device.address() + ", or take it from there: outboard bind " + device.address() + " sysfs");
        }
        if (device.driver() != null) {
            throw new DeviceBusyException(device.address() + " is driven by the kernel's " + device.driver()
                    + ", and two drivers would disturb each other; take it from that one first: outboard bind "
                    + device.address() + " sysfs; outboard unbind " + device.address() + " gives it back");
        }
    }
}
