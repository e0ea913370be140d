package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.StructView;
import dev.outboard.linux.uapi.Vfio;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The chain of capabilities that follows an info structure: {@code struct vfio_info_cap_header}. */
final class CapabilityChain {
    private CapabilityChain() {}

    /**
     * Looks for a capability.
     *
     * @param name whose capabilities, in messages
     * @param info the info structure and what follows it
     * @param first the offset of the first capability
     * @param id the capability to find
     * @return the capability from its head to the end of what was received; null if there is none
     * @throws DeviceException if the chain leaves the structure, or never ends
     */
    static @Nullable MemorySegment find(String name, MemorySegment info, long first, int id) throws DeviceException {
        long head = Vfio.INFO_CAP_HEADER.byteSize();
        long offset = first;
        // No chain has more links than there is room for heads.
        for (long links = info.byteSize() / head; offset != 0; links--) {
            if (links == 0) {
                throw new DeviceException(name + ": its chain of capabilities never ends");
            }
            if (offset > info.byteSize() - head) {
                throw new DeviceException(name + ": its chain of capabilities leads to offset " + offset + " of "
                        + info.byteSize() + " bytes");
            }
            StructView capability = Vfio.INFO_CAP_HEADER.view(info.asSlice(offset));
            if (capability.get("id") == id) {
                return capability.segment();
            }
            offset = capability.get("next");
        }
        return null;
    }
}
