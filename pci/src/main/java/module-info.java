import dev.outboard.pci.AccessPath;
import dev.outboard.pci.qemu.QemuAccessPath;
import dev.outboard.pci.sysfs.SysfsAccessPath;
import dev.outboard.pci.vfio.BestAccessPath;
import dev.outboard.pci.vfio.VfioAccessPath;
import dev.outboard.pci.vfio.VfioUserAccessPath;

/**
 * PCI functions, whichever way they are reached. Access paths are {@link java.util.ServiceLoader} providers of
 * {@link dev.outboard.pci.AccessPath}.
 */
module dev.outboard.pci {
    requires static transitive org.jspecify;
    requires transitive dev.outboard.driver;
    requires transitive dev.outboard.specs;

    exports dev.outboard.pci;

    uses AccessPath;

    provides AccessPath with
            BestAccessPath,
            QemuAccessPath,
            SysfsAccessPath,
            VfioAccessPath,
            VfioUserAccessPath;
}
