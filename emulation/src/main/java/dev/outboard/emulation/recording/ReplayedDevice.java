package dev.outboard.emulation.recording;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.Interrupt;
import dev.outboard.emulation.interpose.Region;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaLimits;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.DmaSource;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The function under a {@link Replay}: it has regions, memory and interrupts, and does nothing by itself. */
final class ReplayedDevice implements PciFunction {
    private static final long PAGE_BYTES = 4096;

    private final DeviceAddress address;
    private final Replay replay;
    private final Registers configuration;
    private final Arena arena = Arena.ofShared();
    private final DmaAllocator dma = new DmaAllocator(new Source());
    private List<Vector> vectors = List.of();
    private boolean closed;

    ReplayedDevice(DeviceAddress address, Replay replay) throws IOException {
        this.address = address;
        this.replay = replay;
        configuration = registers(Region.CONFIG);
    }

    private Registers registers(Region region) throws IOException {
        return Registers.unmapped(region.toString(), replay.expectRegion(region), new Answered(), List.of(), () -> {});
    }

    /** Every access is answered before it comes here. */
    private static final class Answered implements RegisterAccess {
        @Override
        public long read(long offset, int widthBytes) {
            throw new IllegalStateException("a recording has no registers");
        }

        @Override
        public void write(long offset, int widthBytes, long value) {
            throw new IllegalStateException("a recording has no registers");
        }
    }

    /** Memory at the device addresses that it had. */
    private final class Source implements DmaSource {
        @Override
        public DmaMemory supply(long sizeBytes, DmaLimits limits) throws IOException {
            long deviceAddress = replay.expectMemory(sizeBytes);
            return new DmaMemory(arena.allocate(sizeBytes, PAGE_BYTES), deviceAddress, () -> {});
        }

        @Override
        public void close() {
            // The memory goes with the function.
        }
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
    public Registers bar(int index) throws IOException {
        return registers(Region.bar(index));
    }

    @Override
    public DmaAllocator dma() {
        return dma;
    }

    @Override
    public int interruptVectors() {
        return replay.vectors();
    }

    @Override
    public List<Interrupt> enableInterrupts(int count) throws IOException {
        vectors.forEach(Vector::close);
        List<Vector> enabled = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            enabled.add(new Vector());
        }
        vectors = List.copyOf(enabled);
        replay.whenInterrupted(vector -> {
            if (vector < enabled.size()) {
                enabled.get(vector).signal();
            }
        });
        return List.copyOf(enabled);
    }

    @Override
    public void setBusMaster(boolean on) {
        // There is nothing that could do DMA.
    }

    @Override
    public void reset() {
        // There is nothing to reset.
    }

    @Override
    public void checkPresent() {
        // The recording knows.
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            vectors.forEach(Vector::close);
            dma.close();
            arena.close();
        }
    }

    @Override
    public String toString() {
        return address.toString();
    }

    /** An interrupt vector: wakes whoever waits. How many came the recording says. */
    private static final class Vector implements Interrupt {
        private final EventFd events;

        Vector() throws LinuxException {
            events = EventFd.create();
        }

        void signal() {
            try {
                events.signal();
            } catch (LinuxException e) {
                throw new AssertionError("an eventfd can be signalled while it is open", e);
            }
        }

        @Override
        public long poll() throws IOException {
            return events.read();
        }

        @Override
        public long await(Duration timeout) throws IOException {
            return events.await(timeout);
        }

        @Override
        public Fd fd() {
            return events.fd();
        }

        @Override
        public void rearm() {
            // It masks nothing.
        }

        @Override
        public void close() {
            events.close();
        }
    }
}
