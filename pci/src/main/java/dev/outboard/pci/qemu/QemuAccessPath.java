package dev.outboard.pci.qemu;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.pci.AccessPath;
import dev.outboard.pci.PciFunction;
import java.io.IOException;

/**
 * {@code qemu:nvme}, {@code qemu:e1000e?mac=52:54:00:00:00:01}: one of QEMU's PCI devices, with the properties that its
 * {@code -device} option has, in a QEMU of its own.
 */
public final class QemuAccessPath implements AccessPath {
    /** Made by {@link java.util.ServiceLoader}. */
    public QemuAccessPath() {}

    @Override
    public String name() {
        return "qemu";
    }

    @Override
    public PciFunction open(DeviceAddress address) throws IOException {
        QemuMachine machine = QemuMachine.start(address.toString(), QemuDevice.of(address));
        try {
            return new QemuFunction(address, machine);
        } catch (IOException | RuntimeException e) {
            machine.close();
            throw e;
        }
    }
}
