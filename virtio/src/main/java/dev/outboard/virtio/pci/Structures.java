package dev.outboard.virtio.pci;

import static dev.outboard.specs.virtio.VirtioPciRegisters.CAPABILITY_BAR;
import static dev.outboard.specs.virtio.VirtioPciRegisters.CAPABILITY_OFFSET;
import static dev.outboard.specs.virtio.VirtioPciRegisters.CAPABILITY_STRUCTURE_LENGTH;
import static dev.outboard.specs.virtio.VirtioPciRegisters.CAPABILITY_TYPE;
import static dev.outboard.specs.virtio.VirtioPciRegisters.CAPABILITY_VENDOR;
import static dev.outboard.specs.virtio.VirtioPciRegisters.NOTIFY_MULTIPLIER;

import dev.outboard.driver.DeviceException;
import dev.outboard.memory.Register;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.pci.PciConfiguration;
import dev.outboard.specs.virtio.VirtioPciRegisters;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Where the structures of a virtio function are, as its capabilities say. VIRTIO 1.2, 4.1.4.
 *
 * @param common the common configuration
 * @param notifications the notification structure
 * @param notifyMultiplier bytes from one queue's place in it to the next
 * @param isr the interrupt status
 * @param device the device's own configuration
 * @param msix whether the function has MSI-X
 */
record Structures(
        Registers common,
        Registers notifications,
        long notifyMultiplier,
        Registers isr,
        Registers device,
        boolean msix) {
    private static final int FIRST_CAPABILITY = 0x40;
    private static final int LAST_CAPABILITY = 0xfc;
    private static final int CAPABILITY_STEP = 4;

    static Structures of(PciFunction function) throws IOException {
        return new Search(function).run();
    }

    /** A walk along the list of capabilities, which may lie. */
    private static final class Search {
        private final PciFunction function;
        private final Registers configuration;
        private final @Nullable Registers[] found = new Registers[VirtioPciRegisters.PCI_CFG];
        private long multiplier;
        private boolean msix;

        Search(PciFunction function) {
            this.function = function;
            configuration = function.configuration();
        }

        Structures run() throws IOException {
            int at = next(PciConfiguration.CAPABILITIES_POINTER, 0);
            // As many as there can be: a list that is longer goes round in circles.
            for (int i = 0; at != 0 && i < (LAST_CAPABILITY - FIRST_CAPABILITY) / CAPABILITY_STEP; i++) {
                long header = read(PciConfiguration.CAPABILITY_HEADER, at);
                int id = (int) PciConfiguration.CAPABILITY_ID.get(header);
                msix |= id == PciConfiguration.CAPABILITY_MSIX;
                if (id == CAPABILITY_VENDOR) {
                    add(at);
                }
                at = valid((int) PciConfiguration.CAPABILITY_NEXT.get(header));
            }
            return new Structures(
                    structure(VirtioPciRegisters.COMMON_CFG, VirtioPciRegisters.COMMON_BYTES_1_0),
                    structure(VirtioPciRegisters.NOTIFY_CFG, Short.BYTES),
                    multiplier,
                    structure(VirtioPciRegisters.ISR_CFG, 1),
                    structure(VirtioPciRegisters.DEVICE_CFG, 1),
                    msix);
        }

        private int next(Register register, int at) {
            return valid((int) read(register, at));
        }

        private static int valid(int pointer) {
            return pointer < FIRST_CAPABILITY ? 0 : pointer & -CAPABILITY_STEP;
        }

        private long read(Register register, int at) {
            return configuration.read(register.at(at + register.offset()));
        }

        private void add(int at) throws IOException {
            int type = (int) read(CAPABILITY_TYPE, at);
            int bar = (int) read(CAPABILITY_BAR, at);
            // The first of its type that can be used is the one that the device prefers; others are to be ignored.
            if (type < 1 || type >= found.length || found[type] != null || bar >= PciConfiguration.BARS) {
                return;
            }
            long offset = read(CAPABILITY_OFFSET, at);
            long length = read(CAPABILITY_STRUCTURE_LENGTH, at);
            Registers registers = function.bar(bar);
            if (offset + length > registers.sizeBytes() || length == 0) {
                throw new DeviceException(
                        function.address() + " has a virtio structure at 0x" + Long.toHexString(offset) + " of its BAR "
                                + bar + ", which has " + registers.sizeBytes() + " bytes");
            }
            found[type] = registers.slice(offset, length);
            if (type == VirtioPciRegisters.NOTIFY_CFG) {
                multiplier = read(NOTIFY_MULTIPLIER, at);
            }
        }

        private Registers structure(int type, int leastBytes) throws DeviceException {
            Registers registers = found[type];
            if (registers == null || registers.sizeBytes() < leastBytes) {
                throw new DeviceException(function.address() + " has no virtio structure "
                        + VirtioPciRegisters.STRUCTURE.nameOf(type).orElseThrow()
                        + " of VIRTIO 1.0 or later; a device of QEMU's has it with disable-modern=off");
            }
            return registers;
        }
    }
}
