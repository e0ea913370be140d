package dev.outboard.emulation.nvme;

/** What the SMART log counts. NVMe base specification 2.0, figure 208. */
final class Statistics {
    /** A data unit is a thousand blocks of 512 bytes, whatever the block size. */
    private static final long DATA_UNIT_BYTES = 512_000;

    private long reads;
    private long readBytes;
    private long writes;
    private long writtenBytes;

    void read(long bytes) {
        reads++;
        readBytes += bytes;
    }

    void written(long bytes) {
        writes++;
        writtenBytes += bytes;
    }

    long reads() {
        return reads;
    }

    long writes() {
        return writes;
    }

    long dataUnitsRead() {
        return (readBytes + DATA_UNIT_BYTES - 1) / DATA_UNIT_BYTES;
    }

    long dataUnitsWritten() {
        return (writtenBytes + DATA_UNIT_BYTES - 1) / DATA_UNIT_BYTES;
    }
}
