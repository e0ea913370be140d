package dev.outboard.nvme;

import dev.outboard.specs.nvme.AsynchronousEvent;
import dev.outboard.specs.nvme.LogPage;

/**
 * Something that happened to a controller. NVMe base specification 2.0, 5.2.1.
 *
 * @param word all that it says: as {@link AsynchronousEvent#NAMESPACES_CHANGED} and the others there are
 */
public record NvmeEvent(int word) {
    /**
     * What kind of event it is.
     *
     * @return 0 for an error, 1 for health, 2 for a notice, 6 for the I/O command set, 7 for a vendor's
     */
    public int type() {
        return (int) AsynchronousEvent.TYPE.get(word);
    }

    /**
     * What happened.
     *
     * @return a number that its {@link #type} gives a meaning
     */
    public int information() {
        return (int) AsynchronousEvent.INFORMATION.get(word);
    }

    /**
     * Where more is said.
     *
     * @return the identifier of a log page, see {@link LogPage}
     */
    public int logPage() {
        return (int) AsynchronousEvent.LOG.get(word);
    }

    @Override
    public String toString() {
        return switch (word) {
            case AsynchronousEvent.NAMESPACES_CHANGED -> "namespaces changed";
            case AsynchronousEvent.TEMPERATURE -> "temperature beyond its threshold";
            case AsynchronousEvent.FIRMWARE_ACTIVATION -> "firmware activation starts";
            case AsynchronousEvent.SANITIZE_COMPLETED -> "sanitize completed";
            default -> String.format("event of type %d, 0x%02x; see log page 0x%02x", type(), information(), logPage());
        };
    }
}
