package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceBusyException;
import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.FileHolders;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.StructView;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.PciBus;
import dev.outboard.pci.PciDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * An IOMMU group in a container of its own: what must be opened before a device can be. Linux kernel documentation,
 * driver-api/vfio.rst. Whatever stands in the way is explained here.
 */
final class VfioGroup implements VfioOpening {
    private static final Path NODES = Path.of("/dev/vfio");
    private static final Path CONTAINER = NODES.resolve("vfio");

    private final String address;
    private final Fd container;
    private final Fd group;

    private VfioGroup(String address, Fd container, Fd group) {
        this.address = address;
        this.container = container;
        this.group = group;
    }

    /** Whether the kernel has groups and containers; CONFIG_VFIO_GROUP. */
    static boolean isSupported() {
        return Files.exists(CONTAINER);
    }

    /**
     * Opens the group of a function.
     *
     * @param bus where the function is
     * @param device the function
     * @return the group, with an IOMMU and nothing mapped
     * @throws IOException if it cannot be opened; the message says what to do
     */
    static VfioGroup open(PciBus bus, PciDevice device) throws IOException {
        int number = device.requireIommuGroup();
        Fd group = openGroup(device.address(), number);
        try (Arena arena = Arena.ofConfined()) {
            StructView status = Vfio.GROUP_STATUS.allocate(arena).set("argsz", Vfio.GROUP_STATUS.byteSize());
            group.ioctl(Vfio.VFIO_GROUP_GET_STATUS, status.segment());
            if ((status.get("flags") & Vfio.VFIO_GROUP_FLAGS_VIABLE) == 0) {
                throw notViable(bus, device, number);
            }
            Fd container = openContainer();
            try {
                long version = container.ioctl(Vfio.VFIO_GET_API_VERSION, 0);
                if (version != Vfio.VFIO_API_VERSION) {
                    throw new DeviceException(
                            "the kernel's VFIO has version " + version + ", not " + Vfio.VFIO_API_VERSION);
                }
                MemorySegment descriptor = arena.allocateFrom(ValueLayout.JAVA_INT, container.number());
                group.ioctl(Vfio.VFIO_GROUP_SET_CONTAINER, descriptor);
                setIommu(container);
            } catch (IOException | RuntimeException e) {
                container.close();
                throw e;
            }
            return new VfioGroup(device.address(), container, group);
        } catch (IOException | RuntimeException e) {
            group.close();
            throw e;
        }
    }

    static void requireBound(PciBus bus, PciDevice device) throws IOException {
        if (device.isBoundToVfio()) {
            return;
        }
        String how = "outboard bind " + device.address() + " vfio";
        if (device.driver() == null) {
            device.requireIommuGroup();
            throw new DeviceException(
                    device.address() + " is bound to no kernel driver; give it to vfio-pci first: " + how);
        }
        // What is mounted must be said first: the command below would refuse too.
        new DriverBinding(bus, device.address()).checkUnused();
        device.requireIommuGroup();
        throw new DeviceBusyException(device.address() + " is driven by the kernel's " + device.driver()
                + "; give it to vfio-pci first: " + how);
    }

    private static Fd openGroup(String address, int number) throws IOException {
        Path node = NODES.resolve(Integer.toString(number));
        try {
            return Fd.open(node.toString(), Fd.O_RDWR);
        } catch (LinuxException e) {
            throw switch (e.errno()) {
                case Errno.EACCES, Errno.EPERM ->
                    e.withAdvice("let your user have it: sudo chown $USER " + node
                            + ", or for good by the udev rule SUBSYSTEM==\"vfio\", OWNER=\"you\"");
                case Errno.EBUSY -> {
                    List<FileHolders.Holder> holders = FileHolders.of(node);
                    yield new DeviceBusyException(address + ": its IOMMU group " + number + " is in use by "
                            + (holders.isEmpty() ? "another process" : holders.getFirst())
                            + "; close the device there first");
                }
                case Errno.ENOENT -> e.withAdvice("the VFIO modules may not be loaded: sudo modprobe vfio-pci");
                default -> e;
            };
        }
    }

    private static Fd openContainer() throws LinuxException {
        try {
            return Fd.open(CONTAINER.toString(), Fd.O_RDWR);
        } catch (LinuxException e) {
            throw switch (e.errno()) {
                case Errno.EACCES, Errno.EPERM ->
                    e.withAdvice("it should be open to all: sudo chmod 0666 /dev/vfio/vfio");
                case Errno.ENOENT, Errno.ENODEV -> e.withAdvice("load the module first: sudo modprobe vfio-pci");
                default -> e;
            };
        }
    }

    private static void setIommu(Fd container) throws LinuxException {
        try {
            container.ioctl(Vfio.VFIO_SET_IOMMU, Vfio.VFIO_TYPE1v2_IOMMU);
        } catch (LinuxException e) {
            throw switch (e.errno()) {
                case Errno.EPERM ->
                    e.withAdvice(
                            "the IOMMU does not remap interrupts: switch that on in the firmware, or trust the device:"
                                    + " sudo modprobe vfio_iommu_type1 allow_unsafe_interrupts=1");
                case Errno.ENODEV -> e.withAdvice("load the module first: sudo modprobe vfio_iommu_type1");
                default -> e;
            };
        }
    }

    private static DeviceException notViable(PciBus bus, PciDevice device, int number) throws IOException {
        String others = bus.iommuGroup(number).stream()
                .filter(other -> other.driver() != null && !other.isBoundToVfio() && !isHarmless(other.driver()))
                .map(other -> other.address() + " (" + other.driver() + ")")
                .collect(Collectors.joining(", "));
        return new DeviceBusyException(device.address() + ": its IOMMU group " + number
                + " is not viable, since the kernel drives other devices of it: " + others
                + "; give each of them to vfio-pci too: outboard bind ADDRESS vfio");
    }

    /** Drivers that do no DMA, which VFIO therefore lets stay. */
    private static boolean isHarmless(String driver) {
        return driver.equals("pci-stub") || driver.equals("pcieport");
    }

    @Override
    public Fd openDevice() throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            int number = group.ioctl(Vfio.VFIO_GROUP_GET_DEVICE_FD, arena.allocateFrom(address));
            return Fd.of(number, "vfio device " + address);
        }
    }

    @Override
    public AddressSpace addressSpace() {
        return new VfioDma(container);
    }

    @Override
    public void close() {
        group.close();
        container.close();
    }
}
