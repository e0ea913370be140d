package dev.outboard.pci.qemu;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Interrupt;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciBar;
import dev.outboard.pci.function.OpenFunction;
import dev.outboard.specs.ivshmem.IvshmemRegisters;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * A function that is a device model of QEMU's. A register access is a message there and back, about 60 µs; memory is shared,
 * and as fast as any.
 */
final class QemuFunction extends OpenFunction {
    /** The thread that reads from QEMU finds out by itself that it is gone. */
    private final Runnable allOnes = allOnes(() -> {});

    private final QemuMachine machine;
    private final HostBridge bridge;
    private final Registers configuration;
    private final Registers doorbell;
    private final List<PciBar> assigned;
    private final DmaAllocator dma;
    private final QemuInterrupts interrupts;
    private long doorbellAddress;

    /** Takes the machine over, unless this fails. */
    QemuFunction(DeviceAddress address, QemuMachine machine) throws IOException {
        super(address);
        this.machine = machine;
        bridge = new HostBridge(address.toString(), machine.qtest());
        doorbell = configuration(QemuMachine.DOORBELL_SLOT, PciConfiguration.SIZE_BYTES);
        bridge.enable();
        Registers conventional = configuration(QemuMachine.DEVICE_SLOT, PciConfiguration.SIZE_BYTES);
        boolean express = Capabilities.find(conventional, PciConfiguration.CAPABILITY_EXPRESS) != null;
        configuration =
                express ? configuration(QemuMachine.DEVICE_SLOT, PciConfiguration.EXPRESS_SIZE_BYTES) : conventional;
        long layout = PciConfiguration.HEADER_LAYOUT.get(configuration.read(PciConfiguration.HEADER_TYPE));
        if (layout != PciConfiguration.HEADER_LAYOUT.valueOf("DEVICE")) {
            throw new DeviceException(address + " is a bridge; choose a device");
        }
        assigned = assign();
        dma = DmaAllocator.within(machine.memory());
        interrupts = new QemuInterrupts(this, machine);
    }

    private Registers configuration(int slot, long sizeBytes) {
        return bridge.configuration(slot, sizeBytes, allOnes);
    }

    /** Gives both devices their addresses, and lets them answer. */
    private List<PciBar> assign() throws DeviceException {
        doorbellAddress = bridge.assign(doorbell).getFirst().address() + IvshmemRegisters.DOORBELL.offset();
        decode(doorbell);
        List<PciBar> now = bridge.assign(configuration);
        decode(configuration);
        return now;
    }

    private static void decode(Registers configuration) {
        configuration.modify(
                PciConfiguration.COMMAND,
                PciConfiguration.COMMAND_MEMORY
                        .to(1)
                        .and(PciConfiguration.COMMAND_IO.to(1))
                        .and(PciConfiguration.COMMAND_BUS_MASTER.to(0))
                        .and(PciConfiguration.COMMAND_INTX_DISABLE.to(0)));
    }

    @Override
    public Registers configuration() {
        return configuration;
    }

    @Override
    protected Registers openBar(int index) throws IOException {
        PciBar bar = assigned.stream()
                .filter(each -> each.index() == index)
                .findFirst()
                .orElseThrow(() -> new DeviceException(address() + " has no BAR " + index));
        Qtest qtest = machine.qtest();
        return Registers.unmapped(
                "BAR " + index + " of " + address(),
                bar.sizeBytes(),
                bar.io() ? qtest.ports(bar.address()) : qtest.memory(bar.address()),
                List.of(),
                allOnes);
    }

    @Override
    public DmaAllocator dma() {
        return dma;
    }

    @Override
    public int interruptVectors() {
        return interrupts.vectors();
    }

    @Override
    public synchronized List<Interrupt> enableInterrupts(int count) throws IOException {
        checkOpen();
        if (count < 0 || count > interrupts.vectors()) {
            throw new IllegalArgumentException(
                    address() + " has " + interrupts.vectors() + " interrupt vectors, " + count + " cannot be enabled");
        }
        interrupts.disable();
        return interrupts.enable(count, doorbellAddress);
    }

    /** {@inheritDoc} By a reset of its machine, which has nothing else in it. */
    @Override
    public synchronized void reset() throws IOException {
        checkOpen();
        setBusMaster(false);
        bridge.reset();
        bridge.enable();
        if (!assign().equals(assigned)) {
            throw new DeviceException(address() + " has other BARs after its reset than before");
        }
        interrupts.restore(doorbellAddress);
    }

    @Override
    public void checkPresent() throws DeviceGoneException {
        machine.qtest().checkPresent();
    }

    @Override
    protected List<Runnable> stepsOfClosing() {
        return List.of(this::disableInterrupts, this::stopBusMaster, this::unmap, machine::close, dma::close);
    }

    private void disableInterrupts() {
        try {
            interrupts.disable();
        } catch (UncheckedIOException refused) {
            // QEMU ends next, and with it the device.
        }
    }
}
