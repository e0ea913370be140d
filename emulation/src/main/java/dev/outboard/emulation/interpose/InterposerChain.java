package dev.outboard.emulation.interpose;

import dev.outboard.driver.DeviceGoneException;
import dev.outboard.memory.RegisterAccess;
import java.io.IOException;
import java.util.List;

/**
 * Two interposers, one after the other: what the driver does passes the outer one first, what the device does the inner one.
 *
 * @param outer next to the driver: sees what the driver sees
 * @param inner next to the device
 */
public record InterposerChain(Interposer outer, Interposer inner) implements Interposer {
    @Override
    public void opened(Region region, long sizeBytes) {
        outer.opened(region, sizeBytes);
        inner.opened(region, sizeBytes);
    }

    @Override
    public long read(Region region, long offset, int widthBytes, RegisterAccess device) {
        return outer.read(region, offset, widthBytes, registers(region, device));
    }

    @Override
    public void write(Region region, long offset, int widthBytes, long value, RegisterAccess device) {
        outer.write(region, offset, widthBytes, value, registers(region, device));
    }

    private RegisterAccess registers(Region region, RegisterAccess device) {
        return new RegisterAccess() {
            @Override
            public long read(long offset, int widthBytes) {
                return inner.read(region, offset, widthBytes, device);
            }

            @Override
            public void write(long offset, int widthBytes, long value) {
                inner.write(region, offset, widthBytes, value, device);
            }
        };
    }

    @Override
    public void allocated(long deviceAddress, long sizeBytes) {
        outer.allocated(deviceAddress, sizeBytes);
        inner.allocated(deviceAddress, sizeBytes);
    }

    @Override
    public List<DmaStore> toDevice(List<DmaStore> stores) {
        return inner.toDevice(outer.toDevice(stores));
    }

    @Override
    public List<DmaStore> toDriver(List<DmaStore> stores) {
        return outer.toDriver(inner.toDriver(stores));
    }

    @Override
    public void interruptsEnabled(int count) {
        outer.interruptsEnabled(count);
        inner.interruptsEnabled(count);
    }

    @Override
    public long interrupts(int vector, long count) throws IOException {
        return outer.interrupts(vector, inner.interrupts(vector, count));
    }

    @Override
    public void setBusMaster(boolean on, Controls device) {
        outer.setBusMaster(on, controls(device));
    }

    @Override
    public void reset(Controls device) throws IOException {
        outer.reset(controls(device));
    }

    @Override
    public void checkPresent(Controls device) throws DeviceGoneException {
        outer.checkPresent(controls(device));
    }

    private Controls controls(Controls device) {
        return new Controls() {
            @Override
            public void setBusMaster(boolean on) {
                inner.setBusMaster(on, device);
            }

            @Override
            public void reset() throws IOException {
                inner.reset(device);
            }

            @Override
            public void checkPresent() throws DeviceGoneException {
                inner.checkPresent(device);
            }
        };
    }

    @Override
    public void closed() {
        try {
            outer.closed();
        } finally {
            inner.closed();
        }
    }
}
