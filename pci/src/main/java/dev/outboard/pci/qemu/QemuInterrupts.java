package dev.outboard.pci.qemu;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.Interrupt;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.pci.MsiCapability;
import dev.outboard.specs.pci.MsixCapability;
import dev.outboard.specs.pci.PciConfiguration;
import dev.outboard.specs.q35.Q35;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The interrupts of a function: MSI-X if it has that, else MSI, else its pin. One thread at a time. */
final class QemuInterrupts {
    private final QemuMachine machine;
    private final Registers configuration;
    private final @Nullable Registers msix;
    private final @Nullable Registers table;
    private final @Nullable Registers msi;
    private final int pin;
    private final int vectors;
    private volatile List<QemuInterrupt> enabled = List.of();

    QemuInterrupts(PciFunction function, QemuMachine machine) throws IOException {
        this.machine = machine;
        configuration = function.configuration();
        msix = Capabilities.find(configuration, PciConfiguration.CAPABILITY_MSIX);
        msi = Capabilities.find(configuration, PciConfiguration.CAPABILITY_MSI);
        pin = (int) configuration.read(PciConfiguration.INTERRUPT_PIN);
        table = msix == null ? null : table(function, msix);
        int has;
        if (table != null) {
            has = (int) (table.sizeBytes() / MsixCapability.ENTRY_BYTES);
        } else if (msi != null) {
            has = 1 << MsiCapability.CAPABLE.get(msi.read(MsiCapability.CONTROL));
        } else {
            has = pin == 0 ? 0 : 1;
        }
        vectors = Math.min(has, MessageVectors.COUNT);
    }

    private static Registers table(PciFunction function, Registers msix) throws IOException {
        long size = MsixCapability.TABLE_SIZE.get(msix.read(MsixCapability.CONTROL)) + 1;
        long where = msix.read(MsixCapability.TABLE);
        long offset = where & MsixCapability.TABLE_OFFSET.mask();
        Registers bar = function.bar((int) MsixCapability.TABLE_BAR.get(where));
        if (offset + size * MsixCapability.ENTRY_BYTES > bar.sizeBytes()) {
            throw new DeviceException(function.address() + ": its MSI-X table is not in " + bar);
        }
        return bar.slice(offset, size * MsixCapability.ENTRY_BYTES);
    }

    int vectors() {
        return vectors;
    }

    /** Enables some, after {@link #disable}. */
    List<Interrupt> enable(int count, long doorbell) {
        boolean byPin = msix == null && msi == null;
        enabled = IntStream.range(0, count)
                .mapToObj(vector -> new QemuInterrupt(machine, vector, byPin ? machine.pins()::unmask : () -> {}))
                .toList();
        restore(doorbell);
        return List.copyOf(enabled);
    }

    /** Tells the function of what is enabled, which a reset makes it forget. */
    void restore(long doorbell) {
        int count = enabled.size();
        if (count == 0) {
            return;
        }
        if (msix != null && table != null) {
            msix.modify(MsixCapability.CONTROL, MsixCapability.ENABLE.to(1).and(MsixCapability.FUNCTION_MASK.to(1)));
            for (int vector = 0; vector < count; vector++) {
                table.write(MsixCapability.ENTRY_ADDRESS.at(vector), doorbell);
                table.write(MsixCapability.ENTRY_UPPER_ADDRESS.at(vector), doorbell >>> Integer.SIZE);
                table.write(MsixCapability.ENTRY_DATA.at(vector), vector);
                table.write(MsixCapability.ENTRY_CONTROL.at(vector), 0);
            }
            msix.modify(MsixCapability.CONTROL, MsixCapability.FUNCTION_MASK, 0);
        } else if (msi != null) {
            boolean wide = MsiCapability.ADDRESS_64_BIT.isSet(msi.read(MsiCapability.CONTROL));
            msi.write(MsiCapability.ADDRESS, doorbell);
            if (wide) {
                msi.write(MsiCapability.UPPER_ADDRESS, doorbell >>> Integer.SIZE);
            }
            msi.write(wide ? MsiCapability.DATA_64 : MsiCapability.DATA_32, 0);
            int power = Integer.SIZE - Integer.numberOfLeadingZeros(count - 1);
            msi.modify(MsiCapability.CONTROL, MsiCapability.ALLOWED.to(power).and(MsiCapability.ENABLE.to(1)));
        } else {
            int input = Q35.globalSystemInterrupt(QemuMachine.DEVICE_SLOT, pin);
            machine.pins().watch(input, machine.vectors().event(0));
        }
    }

    /** Disables all; who waits for one is woken. */
    void disable() {
        List<QemuInterrupt> before = enabled;
        if (before.isEmpty()) {
            return;
        }
        enabled = List.of();
        if (msix != null && table != null) {
            for (int vector = 0; vector < before.size(); vector++) {
                table.write(MsixCapability.ENTRY_CONTROL.at(vector), MsixCapability.MASKED.mask());
            }
            msix.modify(MsixCapability.CONTROL, MsixCapability.ENABLE, 0);
        } else if (msi != null) {
            msi.modify(MsiCapability.CONTROL, MsiCapability.ENABLE, 0);
        } else {
            machine.pins().unwatch();
        }
        before.forEach(QemuInterrupt::close);
    }
}
