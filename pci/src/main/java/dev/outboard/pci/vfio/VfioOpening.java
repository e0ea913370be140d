package dev.outboard.pci.vfio;

import dev.outboard.linux.Fd;
import dev.outboard.memory.DmaAllocator.AddressRange;
import dev.outboard.memory.DmaMapper;
import java.io.IOException;
import java.util.List;

/** A function that the kernel's VFIO opened, by its group or by its own node, and the addresses that it is to use. */
interface VfioOpening extends AutoCloseable {
    /** I/O virtual addresses, and what maps memory to them. */
    interface AddressSpace extends DmaMapper {
        /** The addresses that the IOMMU takes, in order of preference. */
        List<AddressRange> usableAddresses() throws IOException;
    }

    /** The device's descriptor, which the caller closes first. */
    Fd openDevice() throws IOException;

    /** Where the device's DMA goes. */
    AddressSpace addressSpace();

    @Override
    void close();
}
