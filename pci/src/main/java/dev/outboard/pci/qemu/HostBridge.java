package dev.outboard.pci.qemu;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.memory.Register;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciBar;
import dev.outboard.specs.pci.PciConfiguration;
import dev.outboard.specs.q35.Q35;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What firmware does: configuration space put into memory, BARs given addresses, the machine reset. One thread at a time. */
final class HostBridge {
    private static final long PORTS = 1L << 16;
    private static final long CONFIGURATION = 0xb000_0000L;
    private static final Duration RESET_TIMEOUT = Duration.ofSeconds(10);
    private static final long ABOVE_32_BITS = 0xffff_ffffL << Integer.SIZE;
    private static final long ABOVE_16_BITS = ABOVE_32_BITS | 0xffff_0000L;

    private final String name;
    private final Qtest qtest;
    private final Registers ports;
    // Clear of the machine's own devices, its memory and its firmware.
    private final Window portWindow = new Window(0xc000, PORTS);
    private final Window memoryWindow = new Window(0xc000_0000L, 0xfe00_0000L);
    private final Window highWindow = new Window(1L << 38, 1L << 39);

    /** Addresses to give away. */
    private final class Window {
        private final long first;
        private final long end;
        private long next;

        Window(long first, long end) {
            this.first = first;
            this.end = end;
        }

        long take(long size) throws DeviceException {
            long address = (next + size - 1) & -size;
            if (size > end - first || address > end - size) {
                throw new DeviceException(name + ": no room for a BAR of 0x" + Long.toHexString(size) + " bytes at 0x"
                        + Long.toHexString(first) + " to 0x" + Long.toHexString(end - 1));
            }
            next = address + size;
            return address;
        }
    }

    HostBridge(String name, Qtest qtest) {
        this.name = name;
        this.qtest = qtest;
        ports = Registers.unmapped("I/O ports of " + name, PORTS, qtest.ports(0), List.of(), () -> {});
    }

    /** Puts configuration space into memory; all windows are free again. */
    void enable() {
        long low = CONFIGURATION | Q35.PCIEXBAR_ENABLE.mask();
        selectBase();
        ports.write(Q35.CONFIGURATION_DATA, low);
        for (Window window : List.of(portWindow, memoryWindow, highWindow)) {
            window.next = window.first;
        }
    }

    private void selectBase() {
        ports.write(
                Q35.CONFIGURATION_ADDRESS,
                Q35.CONFIGURATION_ENABLE.mask() | Q35.CONFIGURATION_TARGET.of(Q35.PCIEXBAR_LOW.offset()));
    }

    /** Configuration space of a device of bus 0. */
    Registers configuration(int slot, long sizeBytes, Runnable allOnes) {
        return Registers.unmapped(
                "configuration space of " + name,
                sizeBytes,
                qtest.memory(CONFIGURATION + slot * Q35.EXPRESS_DEVICE_BYTES),
                List.of(),
                allOnes);
    }

    /** Resets everything but memory; then configuration space is to be enabled again. */
    void reset() throws IOException {
        ports.write(Q35.RESET_CONTROL, Q35.RESET_SYSTEM.mask());
        ports.write(Q35.RESET_CONTROL, Q35.RESET_SYSTEM.mask() | Q35.RESET_PROCESSOR.mask());
        // QEMU has only noted it. The reset takes away what was set up to find configuration space.
        long start = System.nanoTime();
        do {
            if (System.nanoTime() - start > RESET_TIMEOUT.toNanos()) {
                throw new DeviceTimeoutException(
                        name + ": QEMU did not reset its machine within " + RESET_TIMEOUT.toSeconds() + " s");
            }
            qtest.checkPresent();
            selectBase();
        } while (Q35.PCIEXBAR_ENABLE.isSet(ports.read(Q35.CONFIGURATION_DATA)));
    }

    /** Gives each BAR an address. PCI 3.0, 6.2.5.1. */
    List<PciBar> assign(Registers configuration) throws DeviceException {
        List<PciBar> bars = new ArrayList<>();
        int index = 0;
        while (index < PciConfiguration.BARS) {
            Register low = PciConfiguration.BAR.at(index);
            configuration.write(low, -1);
            long answer = configuration.read(low);
            boolean io = PciConfiguration.BAR_IO.isSet(answer);
            boolean wide = !io
                    && PciConfiguration.BAR_TYPE.get(answer) == PciConfiguration.BAR_TYPE.valueOf("64_BIT")
                    && index + 1 < PciConfiguration.BARS;
            long writable;
            if (io) {
                writable = (answer & PciConfiguration.BAR_IO_ADDRESS.mask()) | ABOVE_16_BITS;
            } else {
                writable = answer & PciConfiguration.BAR_MEMORY_ADDRESS.mask();
                if (wide) {
                    Register high = PciConfiguration.BAR.at(index + 1);
                    configuration.write(high, -1);
                    writable |= configuration.read(high) << Integer.SIZE;
                } else {
                    writable |= ABOVE_32_BITS;
                }
            }
            if (answer != 0) {
                long size = -writable;
                if (size <= 0 || Long.bitCount(size) != 1) {
                    throw new DeviceException(name + ": BAR " + index + " cannot have " + size + " bytes");
                }
                long address = (io ? portWindow : wide ? highWindow : memoryWindow).take(size);
                configuration.write(low, address);
                if (wide) {
                    configuration.write(PciConfiguration.BAR.at(index + 1), address >>> Integer.SIZE);
                }
                bars.add(new PciBar(index, address, size, io, !io && PciConfiguration.BAR_PREFETCHABLE.isSet(answer)));
            }
            index += wide ? 2 : 1;
        }
        return bars;
    }
}
