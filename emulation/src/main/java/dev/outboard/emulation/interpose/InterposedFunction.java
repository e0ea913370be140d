package dev.outboard.emulation.interpose;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Interrupt;
import dev.outboard.linux.Fd;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaBuf;
import dev.outboard.memory.DmaLimits;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.DmaSource;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A PCI function with an {@link Interposer} between it and its driver, over any access path.
 *
 * <p>Every register access is a call. DMA memory is there twice, once for each side, and brought together whenever the
 * driver calls: before it writes a register the device gets what the driver stored; after it read a register, looked for
 * an interrupt or {@linkplain #checkPresent asked for the function} the driver gets what the device stored. So a driver
 * that polls memory must ask now and then, as {@link PciFunction#checkPresent} says, and is slower the more memory it has.
 * Memory that the driver {@linkplain DmaAllocator#map maps} itself is not seen.
 *
 * <p>What a thread polls in memory may change while another calls, in any order of bytes: drivers that poll with several
 * threads at a time cannot be interposed.
 */
public final class InterposedFunction implements PciFunction {
    private final PciFunction device;
    private final Interposer interposer;
    private final ShadowMemory memory = new ShadowMemory();
    private final DmaAllocator dma = new DmaAllocator(new Source());
    private final Registers configuration;
    private final @Nullable Registers[] bars = new @Nullable Registers[PciConfiguration.BARS];
    private final Interposer.Controls controls = new DeviceControls();
    private boolean closed;

    /**
     * Stands between a function and its driver.
     *
     * @param device the function, which now belongs to this one
     * @param interposer sees what passes
     */
    public InterposedFunction(PciFunction device, Interposer interposer) {
        this.device = device;
        this.interposer = interposer;
        configuration = interposed(Region.CONFIG, device.configuration());
    }

    @Override
    public DeviceAddress address() {
        return device.address();
    }

    @Override
    public Registers configuration() {
        return configuration;
    }

    @Override
    public synchronized Registers bar(int index) throws IOException {
        Registers bar = bars[Objects.checkIndex(index, bars.length)];
        if (bar == null) {
            bar = interposed(Region.bar(index), device.bar(index));
            bars[index] = bar;
        }
        return bar;
    }

    private Registers interposed(Region region, Registers registers) {
        interposer.opened(region, registers.sizeBytes());
        RegisterAccess inner = new DeviceAccess(registers);
        RegisterAccess access = new RegisterAccess() {
            @Override
            public long read(long offset, int widthBytes) {
                synchronized (InterposedFunction.this) {
                    long value = interposer.read(region, offset, widthBytes, inner);
                    synchronizeForDriver();
                    return value;
                }
            }

            @Override
            public void write(long offset, int widthBytes, long value) {
                synchronized (InterposedFunction.this) {
                    synchronizeForDevice();
                    interposer.write(region, offset, widthBytes, zeroExtended(value, widthBytes), inner);
                }
            }
        };
        return Registers.unmapped(region + " of " + address(), registers.sizeBytes(), access, List.of(), () -> {});
    }

    private static long zeroExtended(long value, int widthBytes) {
        int unused = Long.SIZE - widthBytes * Byte.SIZE;
        return value << unused >>> unused;
    }

    /** The function's own registers. What lies in a mapped area is reached there, as the driver alone would. */
    private record DeviceAccess(Registers registers) implements RegisterAccess {
        @Override
        public long read(long offset, int widthBytes) {
            Registers register = registers.slice(offset, widthBytes);
            return switch (widthBytes) {
                case Byte.BYTES -> Byte.toUnsignedLong(register.read8(0));
                case Short.BYTES -> Short.toUnsignedLong(register.read16(0));
                case Integer.BYTES -> Integer.toUnsignedLong(register.read32(0));
                default -> register.read64(0);
            };
        }

        @Override
        public void write(long offset, int widthBytes, long value) {
            Registers register = registers.slice(offset, widthBytes);
            switch (widthBytes) {
                case Byte.BYTES -> register.write8(0, (byte) value);
                case Short.BYTES -> register.write16(0, (short) value);
                case Integer.BYTES -> register.write32(0, (int) value);
                default -> register.write64(0, value);
            }
        }
    }

    private final class DeviceControls implements Interposer.Controls {
        @Override
        public void setBusMaster(boolean on) {
            device.setBusMaster(on);
        }

        @Override
        public void reset() throws IOException {
            device.reset();
        }

        @Override
        public void checkPresent() throws DeviceGoneException {
            device.checkPresent();
        }
    }

    private void synchronizeForDevice() {
        List<DmaStore> stores = memory.driverStores();
        if (!stores.isEmpty()) {
            memory.storeToDevice(interposer.toDevice(stores));
        }
    }

    private void synchronizeForDriver() {
        if (!closed) {
            List<DmaStore> stores = memory.deviceStores();
            memory.storeToDriver(interposer.toDriver(stores));
            memory.settle(stores);
        }
    }

    @Override
    public DmaAllocator dma() {
        return dma;
    }

    /** Supplies just what is asked for, so that the interposer knows the driver's buffers. */
    private final class Source implements DmaSource {
        @Override
        public DmaMemory supply(long sizeBytes, DmaLimits limits) throws IOException {
            synchronized (InterposedFunction.this) {
                DmaMemory supplied = device.dma().allocate(sizeBytes, limits);
                interposer.allocated(supplied.deviceAddress(), supplied.sizeBytes());
                return memory.add(supplied);
            }
        }

        @Override
        public void reserve(DmaAllocator.AddressRange range) throws IOException {
            device.dma().reserve(range);
        }

        @Override
        public DmaMemory map(Fd file, DmaLimits limits, @Nullable DmaBuf buffer) throws IOException {
            return buffer == null ? device.dma().map(file) : device.dma().map(buffer);
        }

        @Override
        public void close() {
            // Its memory goes with the function.
        }
    }

    @Override
    public int interruptVectors() {
        return device.interruptVectors();
    }

    @Override
    public synchronized List<Interrupt> enableInterrupts(int count) throws IOException {
        interposer.interruptsEnabled(count);
        List<Interrupt> interrupts = new ArrayList<>();
        for (Interrupt interrupt : device.enableInterrupts(count)) {
            interrupts.add(new InterposedInterrupt(this, interrupts.size(), interrupt));
        }
        return List.copyOf(interrupts);
    }

    synchronized long interrupts(int vector, long count) throws IOException {
        synchronizeForDriver();
        return interposer.interrupts(vector, count);
    }

    @Override
    public synchronized void setBusMaster(boolean on) {
        interposer.setBusMaster(on, controls);
    }

    @Override
    public synchronized void reset() throws IOException {
        synchronizeForDevice();
        interposer.reset(controls);
    }

    @Override
    public synchronized void checkPresent() throws DeviceGoneException {
        synchronizeForDriver();
        interposer.checkPresent(controls);
    }

    @Override
    public boolean isInterposed() {
        return true;
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            try {
                device.close();
            } finally {
                dma.close();
                memory.close();
                interposer.closed();
            }
        }
    }

    @Override
    public String toString() {
        return device.toString();
    }
}
