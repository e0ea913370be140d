package dev.outboard.rig;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The device accesses of a stretch of a guest's life, in the order in which QEMU carried them out. See
 * {@link QemuMachine.Builder#trace} and {@link TraceSwitch}.
 *
 * <p>QEMU traces what it hands to its device model: an access wider or narrower than the model's own width is traced in
 * the model's widths (edu: 4 and 8 bytes; nvme: 2 to 8).
 *
 * @param accesses every access
 */
public record MmioTrace(List<MmioAccess> accesses) {
    private static final Pattern LINE =
            Pattern.compile("memory_region_ops_(read|write) cpu (-?\\d+) mr (?:0x)?([0-9a-f]+)"
                    + " addr 0x([0-9a-f]+) value 0x([0-9a-f]+) size (\\d+) name '(.*)'");

    /** A trace of these accesses, which is not changed by later changes to the list. */
    public MmioTrace {
        accesses = List.copyOf(accesses);
    }

    /**
     * Reads a trace that QEMU wrote.
     *
     * @param file the trace's file
     * @param regions the regions to keep, all when there are none: a guest has a clock and an interrupt controller too
     * @return the trace
     * @throws IOException when the file cannot be read
     */
    public static MmioTrace read(Path file, String... regions) throws IOException {
        List<String> wanted = List.of(regions);
        List<MmioAccess> found = new ArrayList<>();
        try (BufferedReader reader = Files.newBufferedReader(file, StandardCharsets.ISO_8859_1)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                parse(line)
                        .filter(access -> wanted.isEmpty() || wanted.contains(access.region()))
                        .ifPresent(found::add);
            }
        }
        return new MmioTrace(found);
    }

    static Optional<MmioAccess> parse(String line) {
        Matcher matcher = LINE.matcher(line);
        if (!matcher.find()) {
            return Optional.empty();
        }
        return Optional.of(new MmioAccess(
                matcher.group(1).equals("read") ? MmioAccess.Kind.READ : MmioAccess.Kind.WRITE,
                Integer.parseInt(matcher.group(2)),
                Long.parseUnsignedLong(matcher.group(3), 16),
                matcher.group(7),
                Long.parseUnsignedLong(matcher.group(4), 16),
                Long.parseUnsignedLong(matcher.group(5), 16),
                Integer.parseInt(matcher.group(6))));
    }

    /**
     * The accesses that fit.
     *
     * @param condition what has to be true of them
     * @return a trace of those, in order
     */
    public MmioTrace filter(Predicate<MmioAccess> condition) {
        return new MmioTrace(accesses.stream().filter(condition).toList());
    }

    /**
     * The accesses to one region.
     *
     * @param name QEMU's name of it
     * @return a trace of those, in order
     */
    public MmioTrace region(String name) {
        return filter(access -> access.region().equals(name));
    }

    /**
     * The accesses to a range of physical addresses, such as a BAR.
     *
     * @param start the first address
     * @param lengthBytes the length of the range
     * @return a trace of those, in order
     */
    public MmioTrace range(long start, long lengthBytes) {
        return filter(access -> Long.compareUnsigned(access.address() - start, lengthBytes) < 0);
    }

    /**
     * What lies between two marks, for instance writes of agreed values to a register that has no effect.
     *
     * @param begin the first access for which this is true begins the stretch
     * @param end the first access after it for which this is true ends the stretch
     * @return a trace of the accesses between, without the two
     * @throws IllegalArgumentException when one of the marks is not in the trace
     */
    public MmioTrace between(Predicate<MmioAccess> begin, Predicate<MmioAccess> end) {
        int from = indexOf(begin, 0, "begin") + 1;
        return new MmioTrace(accesses.subList(from, indexOf(end, from, "end")));
    }

    private int indexOf(Predicate<MmioAccess> mark, int from, String what) {
        for (int i = from; i < accesses.size(); i++) {
            if (mark.test(accesses.get(i))) {
                return i;
            }
        }
        throw new IllegalArgumentException(
                "None of the %d accesses from number %d on is the %s".formatted(accesses.size() - from, from, what));
    }
}
