/** The NVMe driver: controllers, namespaces and queue pairs, over any access path. */
module dev.outboard.nvme {
    requires static transitive org.jspecify;
    requires transitive dev.outboard.pci;

    exports dev.outboard.nvme;
}
