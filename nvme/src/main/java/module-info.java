/** The NVMe driver: controllers, namespaces and queue pairs, over any access path; and a load generator to measure it. */
module dev.outboard.nvme {
    requires static transitive org.jspecify;
    requires transitive dev.outboard.pci;
    requires jdk.management;
    requires HdrHistogram;

    exports dev.outboard.nvme;
    exports dev.outboard.nvme.load;
}
