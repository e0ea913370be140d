package dev.outboard.peripherals;

import java.util.regex.Pattern;

/**
 * A range of physical addresses or I/O ports that the kernel has a name for.
 *
 * @param first the first address
 * @param last the last address
 * @param depth how many ranges it lies in
 * @param name who has it, or what it is: a driver, a PCI function, a bus, RAM
 */
public record IoResource(long first, long last, int depth, String name) {
    private static final String RAM = "System RAM";
    /** Names of places, where nobody needs to be: buses, functions, what the firmware set aside. */
    private static final Pattern PLACE = Pattern.compile(
            "PCI Bus .*|[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]|pnp .*|(?i:reserved|unknown).*|<BAD>");

    /**
     * Whether it is memory of the kernel and of processes.
     *
     * @return whether it is RAM
     */
    public boolean isRam() {
        return name.startsWith(RAM);
    }

    /**
     * Whether a driver of the kernel, or the kernel itself, uses it, as far as the name tells.
     *
     * @return false for a bus, a PCI function as such, and what firmware reserved
     */
    public boolean isInUse() {
        return !PLACE.matcher(name).matches();
    }

    /** Whether it and a range have an address in common. */
    boolean overlaps(long start, long lengthBytes) {
        return first < start + lengthBytes && start <= last;
    }

    /** For people: {@code 0xfebf0000-0xfebf3fff (nvme)}. */
    @Override
    public String toString() {
        return "0x%x-0x%x (%s)".formatted(first, last, name);
    }
}
