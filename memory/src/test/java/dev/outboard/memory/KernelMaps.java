package dev.outboard.memory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What /proc says about this process's mappings. */
final class KernelMaps {
    private static final Pattern MAPPING = Pattern.compile("([0-9a-f]+)-([0-9a-f]+) (\\S{4}) .*");

    private KernelMaps() {}

    /** The protection of the mapping at an address, such as "rw-p". */
    static String protectionAt(long address) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
            if (isAt(line, address)) {
                return MAPPING.matcher(line).replaceFirst("$3");
            }
        }
        return "not mapped";
    }

    /** A figure of the kernel's about the mapping at an address, in bytes. */
    static long figureAt(long address, String name) throws IOException {
        boolean here = false;
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
            if (MAPPING.matcher(line).matches()) {
                here = isAt(line, address);
            } else if (here && line.startsWith(name + ":")) {
                return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        throw new AssertionError("no " + name + " of a mapping at " + Long.toHexString(address));
    }

    private static boolean isAt(String line, long address) {
        Matcher mapping = MAPPING.matcher(line);
        return mapping.matches()
                && Long.compareUnsigned(Long.parseUnsignedLong(mapping.group(1), 16), address) <= 0
                && Long.compareUnsigned(address, Long.parseUnsignedLong(mapping.group(2), 16)) < 0;
    }
}
