/**
 * Memory that devices and processes share: device registers, accessed exactly, and DMA memory.
 */
module dev.outboard.memory {
    requires static transitive org.jspecify;
    requires transitive dev.outboard.linux;
    requires java.xml;

    exports dev.outboard.memory;
    exports dev.outboard.memory.svd;
    exports dev.outboard.memory.ring;
}
