package dev.outboard.memory;

/**
 * What can be claimed: a device as a whole, or a range of addresses of one. What names a device names a space of
 * addresses too: {@code pci:0000:03:00.0} a function, {@code mem} physical memory, {@code port} I/O ports. Names are
 * compared as they are, so whoever claims must write the one full form of a name.
 *
 * @param name the device, or the space that the addresses are in: 1 to 1024 characters, none of them a control character
 * @param start the first address
 * @param lengthBytes how many bytes; {@link Long#MAX_VALUE} from 0 on is the whole
 */
public record ClaimTarget(String name, long start, long lengthBytes) {
    /** The name of physical memory: its addresses are what /proc/iomem shows. */
    public static final String MEMORY = "mem";
    /** The name of I/O ports: their numbers are what /proc/ioports shows. */
    public static final String PORTS = "port";

    private static final int LONGEST_NAME = 1024;

    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if there is no such name or range
     */
    public ClaimTarget {
        if (name.isBlank() || name.length() > LONGEST_NAME || name.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("\"" + name.replaceAll("\\p{Cntrl}", "?")
                    + "\" is no name for a claim; one has 1 to " + LONGEST_NAME + " printable characters, as in"
                    + " pci:0000:03:00.0 or mem");
        }
        if (start < 0 || lengthBytes <= 0 || start > Long.MAX_VALUE - lengthBytes) {
            throw new IllegalArgumentException("no range of " + name + ": " + lengthBytes + " bytes from " + start
                    + "; the start is at least 0, the length at least 1, the end below 2^63");
        }
    }

    /**
     * A device as a whole, with all its addresses.
     *
     * @param name its name
     * @return the target
     * @throws IllegalArgumentException if this is no name
     */
    public static ClaimTarget whole(String name) {
        return new ClaimTarget(name, 0, Long.MAX_VALUE);
    }

    /**
     * A range of addresses.
     *
     * @param space the name of the space that they are in
     * @param start the first address
     * @param lengthBytes how many bytes, at least 1
     * @return the target
     * @throws IllegalArgumentException if there is no such name or range
     */
    public static ClaimTarget range(String space, long start, long lengthBytes) {
        return new ClaimTarget(space, start, lengthBytes);
    }

    /**
     * Whether this is a device as a whole.
     *
     * @return false for a range of its addresses
     */
    public boolean isWhole() {
        return lengthBytes == Long.MAX_VALUE;
    }

    /**
     * Whether two owners cannot have both.
     *
     * @param other the other target
     * @return whether they have an address in common
     */
    public boolean overlaps(ClaimTarget other) {
        return name.equals(other.name) && start < other.start + other.lengthBytes && other.start < start + lengthBytes;
    }

    /** For people: {@code pci:0000:03:00.0}, or {@code mem 0xfe800000-0xfe800fff}. */
    @Override
    public String toString() {
        return isWhole()
                ? name
                : name + " 0x" + Long.toHexString(start) + "-0x" + Long.toHexString(start + (lengthBytes - 1));
    }
}
