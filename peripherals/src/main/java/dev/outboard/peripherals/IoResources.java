package dev.outboard.peripherals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Who has which physical addresses, or which I/O ports, at the time of asking: {@code proc_iomem(5)},
 * {@code proc_ioports(5)}.
 *
 * @param file where the kernel shows it
 * @param resources the ranges: each is followed by those that lie in it
 */
public record IoResources(String file, List<IoResource> resources) {
    private static final Path MEMORY = Path.of("/proc/iomem");
    private static final Path PORTS = Path.of("/proc/ioports");
    private static final Pattern LINE = Pattern.compile("( *)([0-9a-f]{1,16})-([0-9a-f]{1,16}) : (.*)");
    private static final int HEXADECIMAL = 16;
    private static final int INDENTATION = 2;

    /** Keeps its own copy of the list. */
    public IoResources {
        resources = List.copyOf(resources);
    }

    /**
     * Physical addresses.
     *
     * @return who has which
     * @throws IOException if the kernel does not show it
     */
    public static IoResources memory() throws IOException {
        return read(MEMORY);
    }

    /**
     * I/O ports.
     *
     * @return who has which
     * @throws IOException if the kernel does not show it
     */
    public static IoResources ports() throws IOException {
        return read(PORTS);
    }

    private static IoResources read(Path file) throws IOException {
        return parse(file.toString(), Files.readAllLines(file));
    }

    /** Lines that are no range are skipped. */
    static IoResources parse(String file, List<String> lines) {
        List<IoResource> resources = new ArrayList<>();
        for (String line : lines) {
            Matcher parts = LINE.matcher(line);
            if (parts.matches()) {
                resources.add(new IoResource(
                        Long.parseUnsignedLong(parts.group(2), HEXADECIMAL),
                        Long.parseUnsignedLong(parts.group(3), HEXADECIMAL),
                        parts.group(1).length() / INDENTATION,
                        parts.group(4)));
            }
        }
        return new IoResources(file, resources);
    }

    /**
     * Whether the kernel told this process the addresses: without CAP_SYS_ADMIN it shows names alone.
     *
     * @return false if all addresses are zero
     */
    public boolean isKnown() {
        return resources.stream().anyMatch(resource -> resource.last() != 0);
    }

    /**
     * What a range of addresses touches.
     *
     * @param start the first address
     * @param lengthBytes how many bytes
     * @return what has an address of it, outer before inner; none if nobody has
     */
    public List<IoResource> overlapping(long start, long lengthBytes) {
        return resources.stream()
                .filter(resource -> resource.overlaps(start, lengthBytes))
                .toList();
    }

    /**
     * Who in the kernel uses a range of addresses, or a part of it.
     *
     * @param start the first address
     * @param lengthBytes how many bytes
     * @return the innermost that is in use; empty if nobody uses it
     */
    public Optional<IoResource> user(long start, long lengthBytes) {
        return overlapping(start, lengthBytes).stream()
                .filter(IoResource::isInUse)
                .reduce((outer, inner) -> inner.depth() >= outer.depth() ? inner : outer);
    }
}
