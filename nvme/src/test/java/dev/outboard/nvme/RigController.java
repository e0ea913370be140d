package dev.outboard.nvme;

import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.PciBus;
import java.io.IOException;

/** The third controller of a guest of {@code rig}, with namespaces of every kind. */
final class RigController {
    static final String ADDRESS = "0000:00:1c.0";

    private static final DriverBinding BINDING = new DriverBinding(PciBus.system(), ADDRESS);

    private RigController() {}

    /** Takes it from the kernel's driver, and opens it over VFIO. */
    static NvmeController open() throws IOException {
        BINDING.bind(DriverBinding.VFIO_PCI);
        return Nvme.open("vfio:" + ADDRESS);
    }

    /** Gives it back to the kernel's driver. */
    static void release() throws IOException {
        BINDING.release();
    }
}
