package dev.outboard.pci.function;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.linux.DevicePages;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A function that is open: its BARs, each opened once; its bus mastering; its end, of which every step is done whatever
 * became of the one before.
 */
public abstract class OpenFunction implements PciFunction {
    private final DeviceAddress address;
    private final List<DevicePages> mappings = new ArrayList<>();
    private final @Nullable Registers[] bars = new @Nullable Registers[PciConfiguration.BARS];
    private boolean closed;
    private volatile boolean unmapped;

    /**
     * A function with no BAR opened so far.
     *
     * @param address the address that it was opened by
     */
    protected OpenFunction(DeviceAddress address) {
        this.address = address;
    }

    @Override
    public final DeviceAddress address() {
        return address;
    }

    /**
     * Keeps a mapping for {@link #unmap}. Called before the function is shared, or under this object's lock.
     *
     * @param pages the mapping
     * @return the same
     */
    protected final DevicePages keep(DevicePages pages) {
        mappings.add(pages);
        return pages;
    }

    /** Unmaps everything, for the steps of closing: from then on registers that were mapped read all ones. */
    protected final void unmap() {
        unmapped = true;
        mappings.reversed().forEach(DevicePages::close);
    }

    /**
     * The listener for registers: after {@link #unmap} whoever reads them is told that the function is closed.
     *
     * @param look finds out whether a device that answers all ones is still there
     * @return the listener
     */
    protected final Runnable allOnes(Runnable look) {
        return () -> {
            if (unmapped) {
                throw new IllegalStateException(address + " is closed");
            }
            look.run();
        };
    }

    @Override
    public final synchronized Registers bar(int index) throws IOException {
        Objects.checkIndex(index, bars.length);
        checkOpen();
        Registers bar = bars[index];
        if (bar == null) {
            bar = openBar(index);
            bars[index] = bar;
        }
        return bar;
    }

    /**
     * Opens the registers behind a BAR. Called once for each, under this object's lock.
     *
     * @param index 0 to 5
     * @return its registers
     * @throws IOException if the BAR is not there, or cannot be reached
     */
    protected abstract Registers openBar(int index) throws IOException;

    @Override
    public synchronized void setBusMaster(boolean on) {
        long command = configuration().read(PciConfiguration.COMMAND);
        configuration().write(PciConfiguration.COMMAND, PciConfiguration.COMMAND_BUS_MASTER.set(command, on ? 1 : 0));
    }

    /** Throws if the function is closed. */
    protected final void checkOpen() {
        if (closed) {
            throw new IllegalStateException(address + " is closed");
        }
    }

    @Override
    public final synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        RuntimeException failure = null;
        for (Runnable step : stepsOfClosing()) {
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

    /**
     * What closing does, in order: first the device is made quiet, last it is given back.
     *
     * @return the steps
     */
    protected abstract List<Runnable> stepsOfClosing();

    /** Stops the function's DMA. Best effort: a device that does not obey any more loses its owner next. */
    protected final void stopBusMaster() {
        try {
            setBusMaster(false);
        } catch (UncheckedIOException ignored) {
            // As above.
        }
    }

    @Override
    public final String toString() {
        return address.toString();
    }
}
