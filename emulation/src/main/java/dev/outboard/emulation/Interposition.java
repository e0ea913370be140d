package dev.outboard.emulation;

import dev.outboard.driver.DeviceGoneException;
import dev.outboard.emulation.interpose.InjectedBusError;
import dev.outboard.emulation.interpose.Interposer;
import dev.outboard.emulation.interpose.Region;
import dev.outboard.linux.Errno;
import dev.outboard.memory.RegisterAccess;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Set;

/** An {@link Interposer} between a model and its clients: has all that passes pass through it. */
final class Interposition implements Interposer.Controls {
    /** So often what is late is looked for, as often as an interposed driver looks while it waits. */
    private static final long TICK_NANOS = 5_000_000;

    private final PciModel model;
    private final Interposer interposer;
    private final InterruptLines lines;
    private final InterposedMemory memory;
    private final Set<Region> opened = EnumSet.noneOf(Region.class);
    private long tickNanos = System.nanoTime();
    private boolean gone;

    Interposition(PciModel model, Interposer interposer, InterruptLines lines, DmaSpace dma) {
        this.model = model;
        this.interposer = interposer;
        this.lines = lines;
        memory = new InterposedMemory(dma, interposer);
        dma.interpose(memory);
        lines.hold();
    }

    private void open(Region region, long sizeBytes) {
        if (opened.add(region)) {
            interposer.opened(region, sizeBytes);
        }
    }

    long read(Region region, long sizeBytes, long offset, int widthBytes, RegisterAccess device) throws ErrorReply {
        open(region, sizeBytes);
        try {
            return interposer.read(region, offset, widthBytes, device);
        } catch (InjectedBusError refused) {
            throw new ErrorReply(Errno.EIO, refused);
        }
    }

    void write(Region region, long sizeBytes, long offset, int widthBytes, long value, RegisterAccess device)
            throws ErrorReply {
        open(region, sizeBytes);
        memory.beforeWrite();
        try {
            interposer.write(region, offset, widthBytes, value, device);
        } catch (InjectedBusError refused) {
            throw new ErrorReply(Errno.EIO, refused);
        }
    }

    /** What the client asks for by DEVICE_RESET. */
    void requestReset() throws IOException {
        interposer.reset(this);
    }

    @Override
    public void setBusMaster(boolean on) {
        throw new IllegalStateException("a client does that by the command register");
    }

    @Override
    public void reset() {
        model.reset();
    }

    @Override
    public void checkPresent() {
        // A model is always there.
    }

    /** The model was reset, by whoever. */
    void forget() {
        memory.forget();
    }

    /** The end of a step: its interrupts come, and what is late by now. */
    void settle(boolean clientSpoke) throws IOException {
        long now = System.nanoTime();
        boolean isTick = now - tickNanos >= TICK_NANOS;
        if (isTick) {
            tickNanos = now;
            memory.tick();
        }
        try {
            if (isTick || clientSpoke || lines.hasHeld()) {
                lines.release(interposer);
            }
            interposer.checkPresent(this);
        } catch (DeviceGoneException removed) {
            if (!gone) {
                gone = true;
                lines.requestRelease();
            }
        }
    }

    void closed() {
        interposer.closed();
    }
}
