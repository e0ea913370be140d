/** Small drivers that teach: each in a file or two, for devices that QEMU has and that {@code model:} emulates. */
module dev.outboard.samples {
    requires static transitive org.jspecify;
    requires transitive dev.outboard.pci;

    exports dev.outboard.samples.edu;
    exports dev.outboard.samples.idio;
    exports dev.outboard.samples.ivshmem;
    exports dev.outboard.samples.serial;
}
