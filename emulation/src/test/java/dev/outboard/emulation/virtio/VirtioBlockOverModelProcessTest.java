package dev.outboard.emulation.virtio;

import org.junit.jupiter.api.Tag;

/** The model in a process of its own, as commands use it that are told no device. */
@Tag("emulated")
class VirtioBlockOverModelProcessTest extends VirtioBlockContract {
    @Override
    String address() {
        return "model:virtio-blk?size=64M";
    }
}
