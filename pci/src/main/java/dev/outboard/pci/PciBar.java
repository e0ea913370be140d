package dev.outboard.pci;

import dev.outboard.specs.pci.PciConfiguration;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a base address register leads.
 *
 * @param index 0 to 5
 * @param address the physical address, or the first I/O port
 * @param sizeBytes its size
 * @param io whether it is I/O ports, not memory
 * @param prefetchable whether reading has no side effects
 */
public record PciBar(int index, long address, long sizeBytes, boolean io, boolean prefetchable) {
    // <linux/ioport.h>, as shown by the file "resource" of sysfs.
    private static final long IORESOURCE_IO = 0x100;
    private static final long IORESOURCE_PREFETCH = 0x2000;
    private static final int FIELDS = 3;

    /** Reads the file {@code resource} of a function: first address, last address and flags, a line for each BAR first. */
    static List<PciBar> parse(List<String> lines) {
        List<PciBar> bars = new ArrayList<>();
        for (int i = 0; i < Math.min(PciConfiguration.BARS, lines.size()); i++) {
            String[] fields = lines.get(i).strip().split(" ", -1);
            if (fields.length == FIELDS) {
                long first = number(fields[0]);
                long last = number(fields[1]);
                long flags = number(fields[2]);
                if (flags != 0) {
                    bars.add(new PciBar(
                            i,
                            first,
                            last - first + 1,
                            (flags & IORESOURCE_IO) != 0,
                            (flags & IORESOURCE_PREFETCH) != 0));
                }
            }
        }
        return List.copyOf(bars);
    }

    private static long number(String hexadecimal) {
        return Long.parseUnsignedLong(hexadecimal.substring("0x".length()), 16);
    }
}
