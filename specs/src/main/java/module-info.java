/** What specifications define and both sides of a device need: registers, commands, structures and messages, as data. */
module dev.outboard.specs {
    requires static transitive org.jspecify;
    requires transitive dev.outboard.memory;

    exports dev.outboard.specs.edu;
    exports dev.outboard.specs.idio;
    exports dev.outboard.specs.ivshmem;
    exports dev.outboard.specs.nvme;
    exports dev.outboard.specs.pci;
    exports dev.outboard.specs.q35;
    exports dev.outboard.specs.serial;
    exports dev.outboard.specs.vfiouser;
    exports dev.outboard.specs.vhostuser;
    exports dev.outboard.specs.virtio;
}
