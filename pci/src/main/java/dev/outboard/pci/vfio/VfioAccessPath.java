package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.memory.Claim;
import dev.outboard.pci.AccessPath;
import dev.outboard.pci.PciBus;
import dev.outboard.pci.PciDevice;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** {@code vfio:0000:03:00.0}: a function that is bound to vfio-pci, behind an IOMMU. */
public final class VfioAccessPath implements AccessPath {
    /** Made by {@link java.util.ServiceLoader}. */
    public VfioAccessPath() {}

    @Override
    public String name() {
        return "vfio";
    }

    @Override
    public PciFunction open(DeviceAddress address) throws IOException {
        return open(PciBus.system(), address);
    }

    static PciFunction open(PciBus bus, DeviceAddress address) throws IOException {
        PciDevice device = bus.device(address.device());
        Claim claim = bus.claim(device.address());
        try {
            VfioGroup.requireBound(bus, device);
            VfioOpening opening = open(bus, device);
            return new VfioFunction(address, new KernelVfioDevice(address.toString(), opening), claim::close);
        } catch (IOException | RuntimeException e) {
            claim.close();
            throw e;
        }
    }

    /** By the function's own node if this user may, else by its group, which everybody knows how to give away. */
    private static VfioOpening open(PciBus bus, PciDevice device) throws IOException {
        Optional<Path> node = bus.vfioNode(device.address());
        boolean byNode = node.isPresent() && (VfioCdev.isUsable(node.get()) || !VfioGroup.isSupported());
        return byNode ? VfioCdev.open(device, node.get()) : VfioGroup.open(bus, device);
    }
}
