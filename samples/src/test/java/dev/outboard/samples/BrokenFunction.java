package dev.outboard.samples;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.Interrupt;
import dev.outboard.linux.Fd;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaMapper;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.pci.PciConfiguration;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A function whose registers remember what was written, unless they are told to lie: for devices that break as neither
 * models nor QEMU's devices do. It interrupts as often as it is told.
 */
public final class BrokenFunction implements PciFunction {
    private static final long CONFIGURATION_BYTES = 256;

    private final Map<Long, Long> lies = new HashMap<>();
    private final Registers configuration;
    private final Registers bar;
    private long interrupts;
    private boolean gone;
    private boolean closed;

    /** A function that behaves, with these ids. */
    public BrokenFunction(int vendorId, int deviceId, long barBytes) {
        configuration = registers(Map.of(), CONFIGURATION_BYTES);
        configuration.write(PciConfiguration.VENDOR_ID, vendorId);
        configuration.write(PciConfiguration.DEVICE_ID, deviceId);
        bar = registers(lies, barBytes);
    }

    private Registers registers(Map<Long, Long> told, long bytes) {
        Map<Long, Long> values = new HashMap<>();
        RegisterAccess access = new RegisterAccess() {
            @Override
            public long read(long offset, int widthBytes) {
                return gone ? -1 : told.getOrDefault(offset, values.getOrDefault(offset, 0L));
            }

            @Override
            public void write(long offset, int widthBytes, long value) {
                values.put(offset, value);
            }
        };
        return Registers.unmapped("BAR 0 of broken:0", bytes, access, List.of(), () -> {});
    }

    /** What a register reads from now on, whatever is written to it. */
    public BrokenFunction lie(long offset, long value) {
        lies.put(offset, value);
        return this;
    }

    /** How often it interrupts without being asked. */
    public BrokenFunction interrupting(long times) {
        interrupts = times;
        return this;
    }

    /** Its registers read all ones from now on. */
    public BrokenFunction gone() {
        gone = true;
        return this;
    }

    /** Whether the driver gave it back. */
    public boolean isClosed() {
        return closed;
    }

    @Override
    public DeviceAddress address() {
        return DeviceAddress.parse("broken:0");
    }

    @Override
    public Registers configuration() {
        return configuration;
    }

    @Override
    public Registers bar(int index) {
        return bar;
    }

    @Override
    public DmaAllocator dma() {
        return new DmaAllocator(
                new DmaMapper() {
                    @Override
                    public void map(Fd file, MemorySegment segment, long deviceAddress) {}

                    @Override
                    public void unmap(long deviceAddress, long sizeBytes) {}
                },
                List.of(new DmaAllocator.AddressRange(0, (1L << 28) - 1)));
    }

    @Override
    public int interruptVectors() {
        return 1;
    }

    @Override
    public List<Interrupt> enableInterrupts(int count) {
        return List.of(new Interrupt() {
            private volatile boolean given;

            @Override
            public long poll() {
                return interrupts-- > 0 ? 1 : 0;
            }

            @Override
            public long await(Duration timeout) throws DeviceException {
                if (given) {
                    throw new DeviceException("the interrupt was closed");
                }
                return poll();
            }

            @Override
            public Fd fd() {
                throw new UnsupportedOperationException("there is none");
            }

            @Override
            public void rearm() {}

            @Override
            public void close() {
                given = true;
            }
        });
    }

    @Override
    public void setBusMaster(boolean on) {}

    @Override
    public void reset() {}

    @Override
    public void checkPresent() {}

    @Override
    public void close() {
        closed = true;
    }
}
