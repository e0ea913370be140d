package dev.outboard.emulation;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Interrupt;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.util.List;

/** A function over vfio-user, together with the process that serves it. */
final class ModelFunction implements PciFunction {
    private final DeviceAddress address;
    private final PciFunction function;
    private final EmulatorProcess process;

    ModelFunction(DeviceAddress address, PciFunction function, EmulatorProcess process) {
        this.address = address;
        this.function = function;
        this.process = process;
    }

    @Override
    public DeviceAddress address() {
        return address;
    }

    @Override
    public Registers configuration() {
        return function.configuration();
    }

    @Override
    public Registers bar(int index) throws IOException {
        return function.bar(index);
    }

    @Override
    public DmaAllocator dma() {
        return function.dma();
    }

    @Override
    public int interruptVectors() {
        return function.interruptVectors();
    }

    @Override
    public List<Interrupt> enableInterrupts(int count) throws IOException {
        return function.enableInterrupts(count);
    }

    @Override
    public void setBusMaster(boolean on) {
        function.setBusMaster(on);
    }

    @Override
    public void reset() throws IOException {
        function.reset();
    }

    @Override
    public void checkPresent() throws DeviceGoneException {
        function.checkPresent();
    }

    @Override
    public void close() {
        try {
            function.close();
        } finally {
            process.close();
        }
    }

    @Override
    public String toString() {
        return address + " (process " + process.handle().pid() + ")";
    }
}
