package dev.outboard.emulation.nvme;

/** What the SMART log counts. NVMe base specification 2.0, figure 208. */
final class Statistics {
    /** A data unit is a thousand blocks of 512 bytes, whatever the block size. */
    private static final long DATA_UNIT_BYTES = 512_000;

    private long reads;
    private long readBytes;
    private long writes;
    private long writtenBytes;
    private long mediaErrors;

    void read(long bytes) {
        reads++;
        readBytes += bytes;
    }

    void written(long bytes) {
        writes++;
        writtenBytes += bytes;
    }

    /** A copy moves data without the host: data units alone. */
    void copied(long bytes) {
        readBytes += bytes;
        writtenBytes += bytes;
    }

    void mediaError() {
        mediaErrors++;
    }

    long reads() {
        return reads;
    }

    long writes() {
        return writes;
    }

    long mediaErrors() {
        return mediaErrors;
    }

    long dataUnitsRead() {
        return (readBytes + DATA_UNIT_BYTES - 1) / DATA_UNIT_BYTES;
    }

    long dataUnitsWritten() {
        return (writtenBytes + DATA_UNIT_BYTES - 1) / DATA_UNIT_BYTES;
    }
}
