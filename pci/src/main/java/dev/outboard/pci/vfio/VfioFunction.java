package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Interrupt;
import dev.outboard.linux.DevicePages;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.memory.Registers;
import dev.outboard.memory.Registers.MappedArea;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A PCI function reached by VFIO, of the kernel or over a socket.
 *
 * <p>A register access that a vfio-user server refuses throws {@link UncheckedIOException}; one of a device that is gone
 * reads all ones.
 */
final class VfioFunction implements PciFunction {
    /** The most vectors that MSI-X, MSI and INTx can have. PCI 3.0, 6.8. */
    private static final int[] MOST_VECTORS = {1, 32, 2048};
    /** The kinds of interrupt, best first. */
    private static final List<Integer> IRQ_INDEXES =
            List.of(Vfio.VFIO_PCI_MSIX_IRQ_INDEX, Vfio.VFIO_PCI_MSI_IRQ_INDEX, Vfio.VFIO_PCI_INTX_IRQ_INDEX);

    private static final long MINIMUM_CONFIGURATION_BYTES = 64;

    private final DeviceAddress address;
    private final VfioDevice device;
    private final Runnable release;
    private final List<DevicePages> mappings = new ArrayList<>();
    private final Registers configuration;
    private final @Nullable Registers[] bars = new @Nullable Registers[PciConfiguration.BARS];
    private final DmaAllocator dma;
    private final int irqIndex;
    private final VfioDevice.IrqInfo irqInfo;
    private volatile List<EventFdInterrupt> interrupts = List.of();
    private boolean closed;
    private volatile boolean unmapped;

    /** Takes over a device that nobody else could have; closes it if it cannot be used. */
    VfioFunction(DeviceAddress address, VfioDevice device) throws IOException {
        this(address, device, () -> {});
    }

    /**
     * Takes the device over; closes it if it cannot be used.
     *
     * @param release what to do when the function has been closed, but not if this fails
     */
    VfioFunction(DeviceAddress address, VfioDevice device, Runnable release) throws IOException {
        this.address = address;
        this.device = device;
        this.release = release;
        try {
            RegionInfo region = device.regionInfo(Vfio.VFIO_PCI_CONFIG_REGION_INDEX);
            if (region.sizeBytes() < MINIMUM_CONFIGURATION_BYTES) {
                throw new DeviceException(
                        address + ": its configuration space has only " + region.sizeBytes() + " bytes");
            }
            configuration = registers("configuration space of " + address, region.withoutAreas());
            int found = Vfio.VFIO_PCI_INTX_IRQ_INDEX;
            VfioDevice.IrqInfo info = VfioDevice.IrqInfo.NONE;
            for (int index : IRQ_INDEXES) {
                if (info.count() == 0) {
                    found = index;
                    info = checked(index, device.irqInfo(index));
                }
            }
            irqIndex = found;
            irqInfo = info;
            dma = new DmaAllocator(device.dmaMapper(), device.usableAddresses());
            enableDecoding();
            device.whenGone(() -> interrupts.forEach(EventFdInterrupt::wake));
        } catch (UncheckedIOException refused) {
            device.close();
            throw refused.getCause();
        } catch (IOException | RuntimeException e) {
            device.close();
            throw e;
        }
    }

    private VfioDevice.IrqInfo checked(int index, VfioDevice.IrqInfo info) throws DeviceException {
        if (info.count() < 0 || info.count() > MOST_VECTORS[index]) {
            throw new DeviceException(address + ": interrupt index " + index + " cannot have "
                    + Integer.toUnsignedString(info.count()) + " vectors");
        }
        return (info.flags() & Vfio.VFIO_IRQ_INFO_EVENTFD) == 0 ? VfioDevice.IrqInfo.NONE : info;
    }

    /** The function answers accesses to its BARs; a reset, or a driver before us, may have switched that off. */
    private void enableDecoding() {
        long on = PciConfiguration.COMMAND_MEMORY.mask() | PciConfiguration.COMMAND_IO.mask();
        long off = PciConfiguration.COMMAND_BUS_MASTER.mask() | PciConfiguration.COMMAND_INTX_DISABLE.mask();
        long command = configuration.read(PciConfiguration.COMMAND);
        configuration.write(PciConfiguration.COMMAND, (command | on) & ~off);
    }

    @Override
    public DeviceAddress address() {
        return address;
    }

    @Override
    public Registers configuration() {
        return configuration;
    }

    @Override
    public synchronized Registers bar(int index) throws IOException {
        Objects.checkIndex(index, bars.length);
        checkOpen();
        Registers bar = bars[index];
        if (bar == null) {
            RegionInfo region = device.regionInfo(Vfio.VFIO_PCI_BAR0_REGION_INDEX + index);
            if (region.sizeBytes() == 0) {
                throw new DeviceException(address + " has no BAR " + index);
            }
            bar = registers("BAR " + index + " of " + address, region);
            bars[index] = bar;
        }
        return bar;
    }

    private Registers registers(String name, RegionInfo region) throws IOException {
        if (region.isMappable()) {
            return Registers.mapped(name, map(region, region.areas().getFirst()), this::sawAllOnes);
        }
        List<MappedArea> areas = new ArrayList<>();
        for (RegionInfo.Area area : region.areas()) {
            areas.add(new MappedArea(area.offset(), map(region, area)));
        }
        RegisterAccess access = new RegisterAccess() {
            @Override
            public long read(long offset, int widthBytes) {
                return device.read(region, offset, widthBytes);
            }

            @Override
            public void write(long offset, int widthBytes, long value) {
                device.write(region, offset, widthBytes, value);
            }
        };
        return Registers.unmapped(name, region.sizeBytes(), access, areas, this::sawAllOnes);
    }

    private DevicePages map(RegionInfo region, RegionInfo.Area area) throws IOException {
        DevicePages pages = device.map(region, area);
        mappings.add(pages);
        return pages;
    }

    private void sawAllOnes() {
        if (unmapped) {
            // What was mapped reads so from now on.
            throw new IllegalStateException(address + " is closed");
        }
        device.sawAllOnes();
    }

    @Override
    public DmaAllocator dma() {
        return dma;
    }

    @Override
    public int interruptVectors() {
        return irqInfo.count();
    }

    @Override
    public synchronized List<Interrupt> enableInterrupts(int count) throws IOException {
        checkOpen();
        if (count < 0 || count > irqInfo.count()) {
            throw new IllegalArgumentException(
                    address + " has " + irqInfo.count() + " interrupt vectors, " + count + " cannot be enabled");
        }
        disableInterrupts();
        boolean masksItself = (irqInfo.flags() & Vfio.VFIO_IRQ_INFO_AUTOMASKED) != 0;
        List<EventFdInterrupt> enabled = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                enabled.add(new EventFdInterrupt(device, irqIndex, masksItself));
            }
            if (count > 0) {
                device.setIrqEventFds(
                        irqIndex, enabled.stream().map(EventFdInterrupt::fd).toList());
            }
        } catch (IOException | RuntimeException e) {
            interrupts = List.copyOf(enabled);
            try {
                disableInterrupts();
            } catch (IOException again) {
                e.addSuppressed(again);
            }
            throw e;
        }
        interrupts = List.copyOf(enabled);
        if (isGone()) {
            // It went after its listener looked for whom to wake.
            enabled.forEach(EventFdInterrupt::wake);
        }
        return List.copyOf(enabled);
    }

    private boolean isGone() {
        try {
            device.checkPresent();
            return false;
        } catch (DeviceGoneException gone) {
            return true;
        }
    }

    private void disableInterrupts() throws IOException {
        List<EventFdInterrupt> before = interrupts;
        if (!before.isEmpty()) {
            interrupts = List.of();
            try {
                device.setIrqs(Vfio.VFIO_IRQ_SET_ACTION_TRIGGER, irqIndex, 0, 0);
            } finally {
                before.forEach(EventFdInterrupt::close);
            }
        }
    }

    @Override
    public synchronized void setBusMaster(boolean on) {
        long command = configuration.read(PciConfiguration.COMMAND);
        configuration.write(PciConfiguration.COMMAND, PciConfiguration.COMMAND_BUS_MASTER.set(command, on ? 1 : 0));
    }

    @Override
    public synchronized void reset() throws IOException {
        checkOpen();
        device.reset();
        enableDecoding();
    }

    @Override
    public void checkPresent() throws DeviceGoneException {
        device.checkPresent();
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException(address + " is closed");
        }
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        device.prepareClose();
        Stream<Runnable> steps = Stream.of(this::quiesce, dma::close, this::unmap, device::close, release);
        RuntimeException failure = null;
        for (Runnable step : steps.toList()) {
            try {
                step.run();
            } catch (RuntimeException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private void unmap() {
        unmapped = true;
        mappings.reversed().forEach(DevicePages::close);
    }

    /** Best effort: a device that does not obey any more loses its DMA maps and its owner next. */
    private void quiesce() {
        try {
            disableInterrupts();
        } catch (IOException ignored) {
            // As above.
        }
        try {
            setBusMaster(false);
        } catch (UncheckedIOException ignored) {
            // As above.
        }
    }

    @Override
    public String toString() {
        return address.toString();
    }
}
