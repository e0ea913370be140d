package dev.outboard.emulation.nvme;

/** The same with memory that the controller asks for by messages. */
class NvmeHostMemoryByMessagesTest extends NvmeHostMemoryTest {
    @Override
    boolean sharesMemory() {
        return false;
    }
}
