package dev.outboard.memory;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Memory of a u-dma-buf device: contiguous memory that the out-of-tree kernel module of that name sets aside, as on systems
 * on a chip with an FPGA. Its README lists the attributes that are used here.
 *
 * <pre>{@code
 * try (var memory = UDmaBuf.open("udmabuf0")) {
 *     memory.segment().fill((byte) 1);
 *     memory.syncForDevice(DmaDirection.TO_DEVICE);
 * }
 * }</pre>
 */
public final class UDmaBuf {
    /** The second is what versions before 3 are called. */
    private static final List<String> CLASSES = List.of("sys/class/u-dma-buf", "sys/class/udmabuf");

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.:-]*");
    private static final int SYNC_MODES = 8;
    /** Modes from 4 on hold with and without O_SYNC; else O_SYNC switches the cache off. */
    private static final int SYNC_ALWAYS = 4;

    private final Path attributes;
    private final String name;

    private UDmaBuf(Path attributes, String name) {
        this.attributes = attributes;
        this.name = name;
    }

    /**
     * Maps a device's memory, with the CPU's cache on: it needs {@link DmaMemory#syncForDevice} and
     * {@link DmaMemory#syncForCpu} unless the device says {@code dma_coherent}.
     *
     * @param name the device's name, as in {@code /sys/class/u-dma-buf}
     * @return all of it; closing it unmaps it
     * @throws IOException if it is not there, may not be used, or says nonsense; the message says what to do
     */
    public static DmaMemory open(String name) throws IOException {
        return open(Path.of("/"), name, false);
    }

    /**
     * Maps a device's memory with O_SYNC, so that its {@code sync_mode} switches the CPU's cache off, and nothing has to be
     * synchronized. Slow for the CPU to read. On AArch64 choose a {@code sync_mode} of 2 or 3: with 1, copies of unaligned
     * bytes are faults.
     *
     * @param name the device's name, as in {@code /sys/class/u-dma-buf}
     * @return all of it; closing it unmaps it
     * @throws IOException as for {@link #open(String)}
     */
    public static DmaMemory openUncached(String name) throws IOException {
        return open(Path.of("/"), name, true);
    }

    static DmaMemory open(Path root, String name, boolean uncached) throws IOException {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("\"" + name + "\" is no name of a u-dma-buf device; one is udmabuf0");
        }
        return new UDmaBuf(directory(root, name), name).map(root.resolve("dev").resolve(name), uncached);
    }

    private static Path directory(Path root, String name) throws IOException {
        for (String each : CLASSES) {
            if (Files.isDirectory(root.resolve(each).resolve(name))) {
                return root.resolve(each).resolve(name);
            }
        }
        throw new IOException("there is no u-dma-buf device " + name + " in /sys/class/u-dma-buf; load the module with"
                + " its size (modprobe u-dma-buf " + name + "=1048576), or name it in the device tree");
    }

    private DmaMemory map(Path node, boolean uncached) throws IOException {
        long address = number("phys_addr");
        long size = number("size");
        long mode = number("sync_mode");
        long page = Mman.pageBytes();
        if (address % page != 0) {
            throw nonsense("phys_addr", address, "an address that is a multiple of the page size, " + page);
        }
        if (size < 1 || Long.compareUnsigned(size - 1, -1 - address) > 0) {
            throw nonsense(
                    "size",
                    size,
                    "more than 0 bytes, and no more than there are from " + attributes.resolve("phys_addr") + ", 0x"
                            + Long.toHexString(address) + ", on");
        }
        if (mode < 0 || mode >= SYNC_MODES) {
            throw nonsense("sync_mode", mode, "0 to 7");
        }
        boolean switchable = mode % SYNC_ALWAYS != 0;
        if (uncached && !switchable) {
            throw new IOException(attributes.resolve("sync_mode") + " is " + mode
                    + ", which leaves the cache on; switch it off first: echo 3 | sudo tee "
                    + attributes.resolve("sync_mode"));
        }
        boolean cached = !switchable || (mode < SYNC_ALWAYS && !uncached);
        Fd file = open(node, Fd.O_RDWR | (uncached ? Fd.O_SYNC : 0));
        try {
            long end = file.endBytes();
            if (end >= 0 && end < size) {
                throw new IOException(attributes.resolve("size") + " is " + size + ", but " + node + " has only " + end
                        + " bytes; load the module anew");
            }
            Mapping mapping = Mapping.of(file).readWrite().length(size).map();
            try {
                Attributes cache = cached && !isCoherent() ? new Attributes() : null;
                return new DmaMemory(mapping.segment(), address, null, cache, () -> {
                    mapping.close();
                    if (cache != null) {
                        cache.close();
                    }
                });
            } catch (IOException | RuntimeException e) {
                mapping.close();
                throw e;
            }
        } finally {
            file.close();
        }
    }

    private boolean isCoherent() throws IOException {
        // Older versions do not say.
        return Files.exists(attributes.resolve("dma_coherent")) && number("dma_coherent") == 1;
    }

    private long number(String attribute) throws IOException {
        Path file = attributes.resolve(attribute);
        String text;
        try {
            text = Files.readString(file, StandardCharsets.ISO_8859_1).strip();
        } catch (NoSuchFileException e) {
            throw new IOException(file + " is missing; this is no u-dma-buf device", e);
        }
        try {
            return text.startsWith("0x") ? Long.parseUnsignedLong(text.substring(2), 16) : Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IOException(file + " holds \"" + text.lines().findFirst().orElse("") + "\", not a number", e);
        }
    }

    private IOException nonsense(String attribute, long value, String expected) {
        return new IOException(
                attributes.resolve(attribute) + " is " + value + ", not " + expected + "; load the module anew");
    }

    private Fd open(Path file, int flags) throws LinuxException {
        try {
            return Fd.open(file.toString(), flags);
        } catch (LinuxException e) {
            throw switch (e.errno()) {
                case Errno.EACCES, Errno.EPERM -> e.withAdvice("let your user have it: sudo chown $USER " + file);
                case Errno.ENOENT -> e.withAdvice("the device " + name + " is in sysfs only; is udev running?");
                case Errno.EBUSY -> e.withAdvice("another process has it open");
                default -> e;
            };
        }
    }

    /** The attributes that hand ranges over, kept open. The kernel keeps range and direction until the order. */
    private final class Attributes implements DmaMemory.Cache, AutoCloseable {
        private static final int LONGEST_NUMBER = 21;

        private final Map<Attribute, Fd> files = new EnumMap<>(Attribute.class);
        private final Arena arena = Arena.ofShared();
        private final MemorySegment text = arena.allocate(LONGEST_NUMBER);

        enum Attribute {
            SYNC_OFFSET,
            SYNC_SIZE,
            SYNC_DIRECTION,
            SYNC_FOR_CPU,
            SYNC_FOR_DEVICE;

            String file() {
                return name().toLowerCase(Locale.ROOT);
            }
        }

        Attributes() throws LinuxException {
            try {
                for (Attribute each : Attribute.values()) {
                    files.put(each, open(attributes.resolve(each.file()), Fd.O_WRONLY));
                }
            } catch (LinuxException e) {
                close();
                throw e;
            }
        }

        @Override
        public synchronized void sync(boolean toDevice, long offset, long length, DmaDirection direction)
                throws LinuxException {
            write(Attribute.SYNC_OFFSET, offset);
            write(Attribute.SYNC_SIZE, length);
            write(
                    Attribute.SYNC_DIRECTION,
                    switch (direction) {
                        case BIDIRECTIONAL -> 0;
                        case TO_DEVICE -> 1;
                        case FROM_DEVICE -> 2;
                    });
            write(toDevice ? Attribute.SYNC_FOR_DEVICE : Attribute.SYNC_FOR_CPU, 1);
        }

        private void write(Attribute attribute, long value) throws LinuxException {
            byte[] line = (value + "\n").getBytes(StandardCharsets.US_ASCII);
            MemorySegment.copy(line, 0, text, ValueLayout.JAVA_BYTE, 0, line.length);
            Fd file = files.get(attribute);
            if (file == null) {
                throw new IllegalStateException("the memory of " + name + " is closed");
            }
            file.pwrite(text.asSlice(0, line.length), 0);
        }

        @Override
        public synchronized void close() {
            files.values().forEach(Fd::close);
            files.clear();
        }
    }
}
