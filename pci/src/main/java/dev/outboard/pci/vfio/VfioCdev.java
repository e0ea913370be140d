package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceBusyException;
import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.FileHolders;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.StructView;
import dev.outboard.linux.uapi.Iommufd;
import dev.outboard.pci.PciDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A function opened by its own node, {@code /dev/vfio/devices/vfioN}, with an address space of {@code /dev/iommu}: what
 * follows groups and containers in kernels with CONFIG_VFIO_DEVICE_CDEV. Linux kernel documentation,
 * driver-api/vfio.rst, "IOMMUFD and VFIO_DEVICE_CDEV".
 */
final class VfioCdev implements VfioOpening {
    private static final Path IOMMU_NODE = Path.of("/dev/iommu");

    private final Fd iommu;
    private final Fd device;
    private final IommufdDma dma;

    private VfioCdev(Fd iommu, Fd device, IommufdDma dma) {
        this.iommu = iommu;
        this.device = device;
        this.dma = dma;
    }

    /** Whether this user may open a node, and an address space for it. */
    static boolean isUsable(Path node) {
        return Stream.of(node, IOMMU_NODE).allMatch(each -> Files.isReadable(each) && Files.isWritable(each));
    }

    /**
     * Opens a function that has such a node.
     *
     * @throws IOException if it cannot be opened; the message says what to do
     */
    static VfioCdev open(PciDevice function, Path node) throws IOException {
        Fd iommu = openNode(IOMMU_NODE, function);
        try {
            Fd device = openNode(node, function);
            try {
                return new VfioCdev(iommu, device, attach(iommu::ioctl, device::ioctl, iommu.number()));
            } catch (IOException | RuntimeException e) {
                device.close();
                throw e;
            }
        } catch (IOException | RuntimeException e) {
            iommu.close();
            throw e;
        }
    }

    /** Binds the device, makes an address space and puts the device into it. */
    static IommufdDma attach(IommufdDma.Calls iommu, IommufdDma.Calls device, int iommuNumber) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            StructView bind = Iommufd.DEVICE_BIND
                    .allocate(arena)
                    .set("argsz", Iommufd.DEVICE_BIND.byteSize())
                    .set("iommufd", iommuNumber);
            device.ioctl(Iommufd.VFIO_DEVICE_BIND_IOMMUFD, bind.segment());
            IommufdDma dma = IommufdDma.create(iommu);
            StructView attach = Iommufd.DEVICE_ATTACH
                    .allocate(arena)
                    .set("argsz", Iommufd.DEVICE_ATTACH.byteSize())
                    .set("pt_id", dma.id());
            device.ioctl(Iommufd.VFIO_DEVICE_ATTACH_IOMMUFD_PT, attach.segment());
            return dma;
        } catch (LinuxException e) {
            throw switch (e.errno()) {
                case Errno.EPERM, Errno.EINVAL ->
                    e.withAdvice(
                            "the IOMMU may not remap interrupts (switch that on in the firmware), or another device"
                                    + " of its group is driven by the kernel (give it to vfio-pci too)");
                case Errno.EBUSY -> e.withAdvice("another process has a device of its IOMMU group");
                default -> e;
            };
        }
    }

    private static Fd openNode(Path node, PciDevice function) throws IOException {
        try {
            return Fd.open(node.toString(), Fd.O_RDWR);
        } catch (LinuxException e) {
            throw switch (e.errno()) {
                case Errno.EACCES, Errno.EPERM -> e.withAdvice("let your user have it: sudo chown $USER " + node);
                case Errno.EBUSY -> {
                    List<FileHolders.Holder> holders = FileHolders.of(node);
                    yield new DeviceBusyException(function.address() + " is in use by "
                            + (holders.isEmpty() ? "another process" : holders.getFirst())
                            + "; close the device there first");
                }
                default -> e;
            };
        }
    }

    @Override
    public Fd openDevice() {
        return device;
    }

    @Override
    public AddressSpace addressSpace() {
        return dma;
    }

    @Override
    public void close() {
        device.close();
        iommu.close();
    }
}
