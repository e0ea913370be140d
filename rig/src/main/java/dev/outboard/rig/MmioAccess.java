package dev.outboard.rig;

/**
 * One access to a device's registers, as QEMU carried it out.
 *
 * @param kind whether the device was read or written
 * @param processor the guest's processor that did it, or -1 for none of them
 * @param regionId tells regions of the same name apart
 * @param region QEMU's name of the region, such as {@code edu-mmio} or {@code nvme}
 * @param address the guest's physical address, not the offset in the region
 * @param value what was read or written
 * @param sizeBytes the width: 1, 2, 4 or 8
 */
public record MmioAccess(
        Kind kind, int processor, long regionId, String region, long address, long value, int sizeBytes) {
    /** The direction of an access. */
    public enum Kind {
        /** The processor read the device. */
        READ,
        /** The processor wrote the device. */
        WRITE
    }

    /**
     * Whether this is a write of a value, for instance of one that marks a place in the trace.
     *
     * @param name the region written to
     * @param written the value
     * @return true if so
     */
    public boolean isWriteOf(String name, long written) {
        return kind == Kind.WRITE && value == written && region.equals(name);
    }
}
