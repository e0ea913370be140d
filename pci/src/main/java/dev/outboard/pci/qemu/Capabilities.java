package dev.outboard.pci.qemu;

import dev.outboard.driver.DeviceException;
import dev.outboard.memory.Registers;
import dev.outboard.specs.pci.PciConfiguration;
import org.jspecify.annotations.Nullable;

/** The list of capabilities in configuration space. PCI 3.0, 6.7. */
final class Capabilities {
    private static final int FIRST = 0x40;
    private static final int UNUSED_BITS = 3;
    private static final int MOST = (PciConfiguration.SIZE_BYTES - FIRST) / Integer.BYTES;

    private Capabilities() {}

    /**
     * Looks for a capability.
     *
     * @return its registers, to the end of conventional configuration space; null if there is none
     * @throws DeviceException if the list never ends, or leaves configuration space
     */
    static @Nullable Registers find(Registers configuration, int id) throws DeviceException {
        if (!PciConfiguration.STATUS_CAPABILITIES.isSet(configuration.read(PciConfiguration.STATUS))) {
            return null;
        }
        long at = configuration.read(PciConfiguration.CAPABILITIES_POINTER) & ~UNUSED_BITS;
        for (int links = 0; at != 0; links++) {
            if (links == MOST || at < FIRST) {
                throw new DeviceException(
                        configuration + ": its list of capabilities leads astray, to 0x" + Long.toHexString(at));
            }
            Registers capability = configuration.slice(at, PciConfiguration.SIZE_BYTES - at);
            long header = capability.read(PciConfiguration.CAPABILITY_HEADER);
            if (PciConfiguration.CAPABILITY_ID.get(header) == id) {
                return capability;
            }
            at = PciConfiguration.CAPABILITY_NEXT.get(header) & ~UNUSED_BITS;
        }
        return null;
    }
}
