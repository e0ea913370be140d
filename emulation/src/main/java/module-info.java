import dev.outboard.emulation.ModelPath;
import dev.outboard.emulation.recording.ReplayPath;
import dev.outboard.pci.AccessPath;

/** Device models in Java, the vfio-user server that serves them to any client, and the {@code model:} access path. */
module dev.outboard.emulation {
    requires static transitive org.jspecify;
    requires transitive dev.outboard.virtio;

    exports dev.outboard.emulation;
    exports dev.outboard.emulation.edu;
    exports dev.outboard.emulation.fault;
    exports dev.outboard.emulation.idio;
    exports dev.outboard.emulation.interpose;
    exports dev.outboard.emulation.ivshmem;
    exports dev.outboard.emulation.nvme;
    exports dev.outboard.emulation.recording;
    exports dev.outboard.emulation.serial;
    exports dev.outboard.emulation.virtio;

    provides AccessPath with
            ModelPath,
            ReplayPath;
}
