package dev.outboard.pci.sysfs;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Interrupt;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.Registers;
import dev.outboard.pci.function.OpenFunction;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * A PCI function reached by the files of sysfs. Where it is opened to look, none of its registers is written: a kernel
 * driver may have it. If none has, the kernel is asked to enable it while a BAR is open, since it would not answer.
 *
 * <p>A register access that the kernel refuses throws {@link UncheckedIOException}; one of a device that is gone reads all
 * ones.
 */
final class SysfsFunction extends OpenFunction {
    private final SysfsDevice device;
    private final Runnable release;
    private final Registers configuration;
    private final DmaAllocator dma;
    private final long formerCommand;

    /**
     * Takes the device over; closes it if it cannot be used.
     *
     * @param release what to do when the function has been closed, but not if this fails
     */
    SysfsFunction(DeviceAddress address, SysfsDevice device, Runnable release) throws IOException {
        super(address);
        this.device = device;
        this.release = release;
        dma = SysfsDma.allocator(address, device.directory());
        try {
            configuration = device.configuration(allOnes(device::sawAllOnes));
            formerCommand = configuration.read(PciConfiguration.COMMAND);
            if (device.isWritable()) {
                device.enable();
                enableDecoding();
            }
        } catch (UncheckedIOException refused) {
            device.close();
            throw refused.getCause();
        } catch (IOException | RuntimeException e) {
            device.close();
            throw e;
        }
    }

    /** INTx is off: nobody would answer it, and it may be other devices' too. */
    private void enableDecoding() {
        long on = PciConfiguration.COMMAND_MEMORY.mask()
                | PciConfiguration.COMMAND_IO.mask()
                | PciConfiguration.COMMAND_INTX_DISABLE.mask();
        long command = configuration.read(PciConfiguration.COMMAND) | on;
        configuration.write(PciConfiguration.COMMAND, PciConfiguration.COMMAND_BUS_MASTER.set(command, 0));
    }

    @Override
    public Registers configuration() {
        return configuration;
    }

    @Override
    protected Registers openBar(int index) throws IOException {
        Registers bar = device.bar(index, this::keep, allOnes(device::sawAllOnes));
        if (device.isFree()) {
            device.enable();
        }
        return bar;
    }

    @Override
    public DmaAllocator dma() {
        return dma;
    }

    @Override
    public int interruptVectors() {
        return 0;
    }

    @Override
    public synchronized List<Interrupt> enableInterrupts(int count) {
        checkOpen();
        if (count != 0) {
            throw new IllegalArgumentException(
                    address() + " has no interrupts, since sysfs has none; " + count + " cannot be enabled");
        }
        return List.of();
    }

    @Override
    public synchronized void setBusMaster(boolean on) {
        checkOwned();
        super.setBusMaster(on);
    }

    @Override
    public synchronized void reset() throws IOException {
        checkOpen();
        checkOwned();
        device.reset();
        enableDecoding();
    }

    private void checkOwned() {
        if (!device.isWritable()) {
            throw new IllegalStateException(address() + " was opened to look, and is left as it is");
        }
    }

    @Override
    public void checkPresent() throws DeviceGoneException {
        device.checkPresent();
    }

    @Override
    protected List<Runnable> stepsOfClosing() {
        return List.of(this::restoreCommand, dma::close, this::unmap, device::close, release);
    }

    private void restoreCommand() {
        if (device.isWritable()) {
            stopBusMaster();
            try {
                configuration.write(
                        PciConfiguration.COMMAND, PciConfiguration.COMMAND_BUS_MASTER.set(formerCommand, 0));
            } catch (UncheckedIOException ignored) {
                // Best effort, as above.
            }
        }
    }
}
