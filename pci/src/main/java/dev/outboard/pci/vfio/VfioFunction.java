package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Interrupt;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.memory.Registers;
import dev.outboard.memory.Registers.MappedArea;
import dev.outboard.pci.function.OpenFunction;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/**
 * A PCI function reached by VFIO, of the kernel or over a socket.
 *
 * <p>A register access that a vfio-user server refuses throws {@link UncheckedIOException}; one of a device that is gone
 * reads all ones.
 */
final class VfioFunction extends OpenFunction {
    /** The most vectors that MSI-X, MSI and INTx can have. PCI 3.0, 6.8. */
    private static final int[] MOST_VECTORS = {1, 32, 2048};
    /** The kinds of interrupt, best first. */
    private static final List<Integer> IRQ_INDEXES =
            List.of(Vfio.VFIO_PCI_MSIX_IRQ_INDEX, Vfio.VFIO_PCI_MSI_IRQ_INDEX, Vfio.VFIO_PCI_INTX_IRQ_INDEX);

    private static final long MINIMUM_CONFIGURATION_BYTES = 64;

    private final VfioDevice device;
    private final Runnable release;
    private final Registers configuration;
    private final DmaAllocator dma;
    private final int irqIndex;
    private final VfioDevice.IrqInfo irqInfo;
    private volatile List<EventFdInterrupt> interrupts = List.of();

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
        super(address);
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
            throw new DeviceException(address() + ": interrupt index " + index + " cannot have "
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
    public Registers configuration() {
        return configuration;
    }

    @Override
    protected Registers openBar(int index) throws IOException {
        RegionInfo region = device.regionInfo(Vfio.VFIO_PCI_BAR0_REGION_INDEX + index);
        if (region.sizeBytes() == 0) {
            throw new DeviceException(address() + " has no BAR " + index);
        }
        return registers("BAR " + index + " of " + address(), region);
    }

    private Registers registers(String name, RegionInfo region) throws IOException {
        if (region.isMappable()) {
            return Registers.mapped(
                    name, keep(device.map(region, region.areas().getFirst())), allOnes(device::sawAllOnes));
        }
        List<MappedArea> areas = new ArrayList<>();
        for (RegionInfo.Area area : region.areas()) {
            areas.add(new MappedArea(area.offset(), keep(device.map(region, area))));
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
        return Registers.unmapped(name, region.sizeBytes(), access, areas, allOnes(device::sawAllOnes));
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
                    address() + " has " + irqInfo.count() + " interrupt vectors, " + count + " cannot be enabled");
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
    public synchronized void reset() throws IOException {
        checkOpen();
        device.reset();
        enableDecoding();
    }

    @Override
    public void checkPresent() throws DeviceGoneException {
        device.checkPresent();
    }

    @Override
    protected List<Runnable> stepsOfClosing() {
        device.prepareClose();
        return List.of(this::quiesce, dma::close, this::unmap, device::close, release);
    }

    /** Best effort: a device that does not obey any more loses its DMA maps and its owner next. */
    private void quiesce() {
        try {
            disableInterrupts();
        } catch (IOException ignored) {
            // As above.
        }
        stopBusMaster();
    }
}
