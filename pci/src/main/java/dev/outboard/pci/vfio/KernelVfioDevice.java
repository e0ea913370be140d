package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.linux.DevicePages;
import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.StructView;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.memory.DmaAllocator.AddressRange;
import dev.outboard.memory.DmaMapper;
import dev.outboard.memory.RegisterFile;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;

/** A device that the kernel's vfio-pci gives to this process. */
final class KernelVfioDevice implements VfioDevice {
    private static final long LARGEST_REGION_INFO_BYTES = 64 << 10;
    private static final short NOTHING_THERE = -1;
    /** Closing the descriptor of a device that is gone was seen to block for 77 s. */
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(1);

    private final String name;
    private final VfioOpening opening;
    private final VfioOpening.AddressSpace dma;
    private final Fd device;
    private final RegisterFile registers;
    private final long irqs;
    private final long regions;
    private final boolean canReset;
    private final RegionInfo configuration;
    private final VfioEvents events;

    /**
     * Takes an opening over.
     *
     * @param name the device's address, for messages
     * @param opening its group, or its own node
     */
    KernelVfioDevice(String name, VfioOpening opening) throws IOException {
        this.name = name;
        this.opening = opening;
        dma = opening.addressSpace();
        Fd opened;
        try {
            opened = opening.openDevice();
        } catch (IOException | RuntimeException e) {
            opening.close();
            throw e;
        }
        device = opened;
        registers = new RegisterFile(device);
        try (Arena arena = Arena.ofConfined()) {
            StructView info = Vfio.DEVICE_INFO.allocate(arena).set("argsz", Vfio.DEVICE_INFO.byteSize());
            device.ioctl(Vfio.VFIO_DEVICE_GET_INFO, info.segment());
            if ((info.get("flags") & Vfio.VFIO_DEVICE_FLAGS_PCI) == 0) {
                throw new DeviceException(name + " is no PCI device");
            }
            canReset = (info.get("flags") & Vfio.VFIO_DEVICE_FLAGS_RESET) != 0;
            regions = info.get("num_regions");
            irqs = info.get("num_irqs");
            configuration = regionInfo(Vfio.VFIO_PCI_CONFIG_REGION_INDEX);
            events = new VfioEvents(name, this, "the kernel");
        } catch (IOException | RuntimeException e) {
            device.close();
            opening.close();
            throw e;
        }
    }

    @Override
    public RegionInfo regionInfo(int index) throws IOException {
        if (index >= regions) {
            return new RegionInfo(index, 0, 0, 0, List.of());
        }
        try (Arena arena = Arena.ofConfined()) {
            StructView info = Vfio.REGION_INFO.allocate(arena);
            info.set("argsz", Vfio.REGION_INFO.byteSize()).set("index", index);
            device.ioctl(Vfio.VFIO_DEVICE_GET_REGION_INFO, info.segment());
            long needed = info.get("argsz");
            if (needed > Vfio.REGION_INFO.byteSize() && needed <= LARGEST_REGION_INFO_BYTES) {
                info = Vfio.REGION_INFO.allocate(arena, needed - Vfio.REGION_INFO.byteSize());
                info.set("argsz", needed).set("index", index);
                device.ioctl(Vfio.VFIO_DEVICE_GET_REGION_INFO, info.segment());
            }
            return RegionInfo.parse(name, index, info.segment());
        } catch (LinuxException e) {
            if (e.errno() == Errno.EINVAL) {
                // A region that this device has not, such as VGA.
                return new RegionInfo(index, 0, 0, 0, List.of());
            }
            throw e;
        }
    }

    @Override
    public IrqInfo irqInfo(int index) throws IOException {
        if (index >= irqs) {
            return IrqInfo.NONE;
        }
        try (Arena arena = Arena.ofConfined()) {
            StructView info = Vfio.IRQ_INFO.allocate(arena);
            info.set("argsz", Vfio.IRQ_INFO.byteSize()).set("index", index);
            device.ioctl(Vfio.VFIO_DEVICE_GET_IRQ_INFO, info.segment());
            return new IrqInfo((int) info.get("flags"), (int) info.get("count"));
        } catch (LinuxException e) {
            if (e.errno() == Errno.EINVAL) {
                // Error interrupts exist for PCI Express alone.
                return IrqInfo.NONE;
            }
            throw e;
        }
    }

    @Override
    public void setIrqs(int action, int index, int start, int count) throws IOException {
        setIrqs(Vfio.VFIO_IRQ_SET_DATA_NONE | action, index, start, count, List.of());
    }

    @Override
    public void setIrqEventFds(int index, List<Fd> eventFds) throws IOException {
        int flags = Vfio.VFIO_IRQ_SET_DATA_EVENTFD | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER;
        setIrqs(flags, index, 0, eventFds.size(), eventFds);
    }

    private void setIrqs(int flags, int index, int start, int count, List<Fd> eventFds) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            long dataBytes = (long) eventFds.size() * Integer.BYTES;
            StructView set = Vfio.IRQ_SET.allocate(arena, dataBytes);
            set.set("argsz", Vfio.IRQ_SET.byteSize() + dataBytes)
                    .set("flags", flags)
                    .set("index", index)
                    .set("start", start)
                    .set("count", count);
            for (int i = 0; i < eventFds.size(); i++) {
                set.trailing()
                        .setAtIndex(
                                ValueLayout.JAVA_INT_UNALIGNED,
                                i,
                                eventFds.get(i).number());
            }
            int available = device.ioctl(Vfio.VFIO_DEVICE_SET_IRQS, set.segment());
            if (available > 0) {
                // How vfio-pci says that the machine has fewer vectors left than the device could use.
                throw new DeviceException(name + ": only " + available + " of " + count
                        + " interrupt vectors are free on this machine; enable fewer");
            }
        }
    }

    @Override
    public long read(RegionInfo region, long offset, int widthBytes) {
        if (events.isGone()) {
            return -1;
        }
        try {
            return registers.read(region.fileOffset() + offset, widthBytes);
        } catch (IOException e) {
            failed(e);
            return -1;
        }
    }

    @Override
    public void write(RegionInfo region, long offset, int widthBytes, long value) {
        if (!events.isGone()) {
            try {
                registers.write(region.fileOffset() + offset, widthBytes, value);
            } catch (IOException e) {
                failed(e);
            }
        }
    }

    /** A device that is gone is not an error here, anything else is. */
    private void failed(IOException e) {
        if (e instanceof LinuxException linux && (linux.errno() == Errno.ENODEV || linux.errno() == Errno.ENXIO)) {
            events.gone(name + " was removed", e);
        } else if (!events.isGone()) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public DevicePages map(RegionInfo region, RegionInfo.Area area) throws IOException {
        return DevicePages.map(device, region.fileOffset() + area.offset(), area.sizeBytes(), true);
    }

    @Override
    public DmaMapper dmaMapper() {
        return dma;
    }

    @Override
    public List<AddressRange> usableAddresses() throws IOException {
        return dma.usableAddresses();
    }

    @Override
    public void reset() throws IOException {
        if (!canReset) {
            throw new DeviceException(name + ": there is no way to reset this device alone");
        }
        device.ioctl(Vfio.VFIO_DEVICE_RESET, 0);
    }

    @Override
    public void sawAllOnes() {
        if (!events.isGone()) {
            long vendor = read(configuration, PciConfiguration.VENDOR_ID.offset(), Short.BYTES);
            if ((short) vendor == NOTHING_THERE) {
                events.gone(name + " does not answer any more: it was removed, or has lost its power", null);
            }
        }
    }

    @Override
    public void checkPresent() throws DeviceGoneException {
        events.checkPresent();
    }

    @Override
    public void whenGone(Runnable action) {
        events.whenGone(action);
    }

    @Override
    public void prepareClose() {
        // Every call but closing the descriptor is quick.
    }

    @Override
    public void close() {
        boolean gone = events.isGone();
        events.close();
        if (gone) {
            Thread closer = Thread.ofPlatform().daemon().name("close " + name).start(this::closeDescriptors);
            try {
                closer.join(CLOSE_TIMEOUT);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        } else {
            closeDescriptors();
        }
    }

    private void closeDescriptors() {
        device.close();
        opening.close();
    }

    @Override
    public String toString() {
        return name;
    }
}
