/**
 * Virtqueues, both sides, split and packed, in shared memory; the virtio devices that are served with them, and the
 * drivers.
 */
module dev.outboard.virtio {
    requires static transitive org.jspecify;
    requires transitive dev.outboard.pci;

    exports dev.outboard.virtio;
    exports dev.outboard.virtio.block;
    exports dev.outboard.virtio.pci;
    exports dev.outboard.virtio.vhost;
}
