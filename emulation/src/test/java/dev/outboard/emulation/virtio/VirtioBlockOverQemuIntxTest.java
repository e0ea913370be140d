package dev.outboard.emulation.virtio;

import org.junit.jupiter.api.Tag;

/** QEMU's device without MSI-X, so that its queues share a line. */
@Tag("emulated")
class VirtioBlockOverQemuIntxTest extends VirtioBlockOverQemuTest {
    @Override
    String address() {
        return super.address() + "&vectors=0";
    }
}
