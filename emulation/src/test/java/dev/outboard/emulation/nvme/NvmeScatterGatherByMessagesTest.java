package dev.outboard.emulation.nvme;

/** All of it again, with a client that lets its memory be reached by messages alone: queues, lists and data. */
class NvmeScatterGatherByMessagesTest extends NvmeScatterGatherTest {
    @Override
    boolean sharesMemory() {
        return false;
    }
}
