package dev.outboard.pci;

import dev.outboard.driver.DeviceException;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What the kernel says about a PCI function, at the time when it was asked.
 *
 * @param address where it is, as domain, bus, device and function: {@code 0000:03:00.0}
 * @param vendorId who made it, 16 bits
 * @param deviceId what it is, 16 bits
 * @param subsystemVendorId who made the card, 16 bits
 * @param subsystemId what the card is, 16 bits
 * @param classCode class, subclass and programming interface, 8 bits each: {@code 0x010802} is an NVMe controller
 * @param revision 8 bits
 * @param driver the kernel driver that it is bound to; null if there is none
 * @param iommuGroup the number of its IOMMU group; empty if no IOMMU is on
 * @param numaNode the number of the NUMA node that it is next to; empty on a machine with one node
 * @param bars the base address registers that lead somewhere, in order
 * @param accessPaths the access paths by which this user could open it now
 */
public record PciDevice(
        String address,
        int vendorId,
        int deviceId,
        int subsystemVendorId,
        int subsystemId,
        int classCode,
        int revision,
        @Nullable String driver,
        OptionalInt iommuGroup,
        OptionalInt numaNode,
        List<PciBar> bars,
        List<String> accessPaths) {
    private static final int CLASS_SHIFT = 16;
    private static final int CLASS_BRIDGE = 0x06;

    /** Keeps its own copies of the lists. */
    public PciDevice {
        bars = List.copyOf(bars);
        accessPaths = List.copyOf(accessPaths);
    }

    /**
     * Whether it is bound to {@code vfio-pci}, or to one of its variants for special devices.
     *
     * @return whether programs can reach it by VFIO
     */
    public boolean isBoundToVfio() {
        return driver != null && isVfio(driver);
    }

    /**
     * Whether other devices are behind it, whose way to memory it is.
     *
     * @return whether its class is that of bridges
     */
    public boolean isBridge() {
        return isBridge(classCode);
    }

    static boolean isBridge(int classCode) {
        return classCode >>> CLASS_SHIFT == CLASS_BRIDGE;
    }

    /**
     * Its IOMMU group, for whoever cannot do without.
     *
     * @return the group's number
     * @throws DeviceException if no IOMMU is on; the message says how to switch it on
     */
    public int requireIommuGroup() throws DeviceException {
        if (iommuGroup.isEmpty()) {
            throw new DeviceException(
                    address + " has no IOMMU group: switch the IOMMU on in the firmware (VT-d, AMD-Vi),"
                            + " boot with the kernel option intel_iommu=on or amd_iommu=on, and see dmesg | grep -i iommu");
        }
        return iommuGroup.getAsInt();
    }

    static boolean isVfio(String driver) {
        // mlx5_vfio_pci, nvgrace-gpu-vfio-pci and others.
        return driver.replace('_', '-').endsWith("vfio-pci");
    }

    @Override
    public String toString() {
        return "%s (%04x:%04x)".formatted(address, vendorId, deviceId);
    }
}
