package dev.outboard.emulation.nvme;

import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.ProtectionInformation;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What an NVMe model shall be.
 *
 * @param sizeBytes the size of each namespace; rounded down to whole blocks
 * @param blockSizeBytes 512 or 4096
 * @param namespaces how many namespaces there are at first, 1 to 16
 * @param metadata the metadata of each block
 * @param zones the zones of the namespaces, {@link ZoneLimits#NONE} for none
 * @param serial the serial number, up to 20 ASCII characters
 * @param model the model number, up to 40 ASCII characters
 * @param firmware the firmware revision, up to 8 ASCII characters
 * @param ioQueues how many I/O queue pairs there are at most, 1 to 127
 * @param doorbellStride CAP.DSTRD: doorbells are {@code 4 << doorbellStride} bytes apart, 0 to 6
 * @param controllerMemoryBytes the size of the controller memory buffer, a power of two from 4096; 0 for none
 * @param hostMemory how much of the host's memory the controller wants for itself, {@link HostMemoryWish#NONE} for none
 * @param persistentRegion the persistent memory region, {@link PersistentRegion#NONE} for none
 * @param file the file that holds the namespaces one after the other, created where there is none; null for memory that
 *     is lost at the end. Metadata goes to a file beside it, {@code .metadata}
 */
public record NvmeOptions(
        long sizeBytes,
        int blockSizeBytes,
        int namespaces,
        Metadata metadata,
        ZoneLimits zones,
        String serial,
        String model,
        String firmware,
        int ioQueues,
        int doorbellStride,
        long controllerMemoryBytes,
        HostMemoryWish hostMemory,
        PersistentRegion persistentRegion,
        @Nullable Path file) {
    /**
     * The metadata of each block.
     *
     * @param bytes 0, 8, 16 or 64
     * @param extended whether it follows the data of each block on its way to the host, instead of lying in a buffer of
     *     its own
     * @param protectionType the type of protection information, 1 to 3; 0 for none
     * @param protection how protection information is made up; beyond {@link ProtectionInformation#STANDARD} there are
     *     storage tags of 16 bits with guards of 16 bits in 8 bytes of metadata; of 16 and 40 bits with guards of 32 bits
     *     in 16 bytes, and of 64 bits in 64 bytes; of 0 and 16 bits with guards of 64 bits in 16 bytes, and of 0 and 48
     *     bits in 64 bytes
     */
    public record Metadata(int bytes, boolean extended, int protectionType, ProtectionInformation protection) {
        /** Blocks without metadata. */
        public static final Metadata NONE = new Metadata(0, false, 0);

        /**
         * Metadata with guards of 16 bits.
         *
         * @param bytes 0, 8, 16 or 64
         * @param extended whether it follows the data of each block on its way to the host
         * @param protectionType the type of protection information, 1 to 3; 0 for none
         */
        public Metadata(int bytes, boolean extended, int protectionType) {
            this(bytes, extended, protectionType, ProtectionInformation.STANDARD);
        }
    }

    /**
     * Zones, which are written in order.
     *
     * @param sizeBytes the size of a zone, a power of two of at least a block; 0 for no zones
     * @param maximumOpen how many zones of a namespace can be open at a time; 0 for any number
     * @param maximumActive how many zones of a namespace can be open or closed at a time; 0 for any number
     */
    public record ZoneLimits(long sizeBytes, int maximumOpen, int maximumActive) {
        /** No zones. */
        public static final ZoneLimits NONE = new ZoneLimits(0, 0, 0);

        boolean isNone() {
            return sizeBytes == 0;
        }
    }

    /**
     * What the controller wants of the host's memory: the host memory buffer.
     *
     * @param preferredBytes how much it prefers, in whole pages of 4096; 0 for no host memory buffer
     * @param minimumBytes how little it takes
     * @param minimumPieceBytes how small a piece may be; 0 for any size
     * @param maximumPieces how many pieces there may be; 0 for any number
     */
    public record HostMemoryWish(long preferredBytes, long minimumBytes, long minimumPieceBytes, int maximumPieces) {
        /** No host memory buffer. */
        public static final HostMemoryWish NONE = new HostMemoryWish(0, 0, 0, 0);

        boolean isNone() {
            return preferredBytes == 0;
        }

        private void check() {
            boolean wholePages =
                    ((preferredBytes | minimumBytes | minimumPieceBytes) & (Identify.HOST_MEMORY_UNIT_BYTES - 1)) == 0;
            boolean inOrder = minimumBytes >= 0
                    && minimumPieceBytes >= 0
                    && minimumBytes <= preferredBytes
                    && minimumPieceBytes <= preferredBytes
                    && preferredBytes <= LARGEST_HOST_MEMORY;
            if (!wholePages || !inOrder || maximumPieces < 0 || maximumPieces > HostMemory.MOST_PIECES) {
                throw new IllegalArgumentException("the host memory buffer shall have " + preferredBytes
                        + " bytes, at least " + minimumBytes + ", in up to " + maximumPieces + " pieces of "
                        + minimumPieceBytes + " or more; sizes are whole pages of "
                        + Identify.HOST_MEMORY_UNIT_BYTES
                        + ", none above the first, which is 1G at most, and pieces are"
                        + " up to " + HostMemory.MOST_PIECES);
            }
        }
    }

    /**
     * Memory of the controller that keeps what it holds: the persistent memory region.
     *
     * @param sizeBytes its size, a power of two from 4096; 0 for none
     * @param file the file that holds it, created where there is none; null for memory that outlives resets and clients, and
     *     is lost with the model
     */
    public record PersistentRegion(long sizeBytes, @Nullable Path file) {
        /** No persistent memory region. */
        public static final PersistentRegion NONE = new PersistentRegion(0, null);

        boolean isNone() {
            return sizeBytes == 0;
        }
    }

    /** One namespace of 1 GiB of memory in blocks of 512 bytes, 32 I/O queues, doorbells a cache line apart. */
    public static final NvmeOptions DEFAULT = new NvmeOptions(
            1L << 30,
            512,
            1,
            Metadata.NONE,
            ZoneLimits.NONE,
            "OB0001",
            "Outboard Emulated NVMe",
            "0.1",
            32,
            4,
            0,
            HostMemoryWish.NONE,
            PersistentRegion.NONE,
            null);

    private static final int MAXIMUM_IO_QUEUES = 127;
    private static final int MAXIMUM_STRIDE = 6;
    private static final long SMALLEST_CONTROLLER_MEMORY = 4096;
    private static final long LARGEST_CONTROLLER_MEMORY = 1 << 30;
    private static final long LARGEST_HOST_MEMORY = 1 << 30;

    /** Checks everything that can be checked without touching the file. */
    public NvmeOptions {
        if (blockSizeBytes != 512 && blockSizeBytes != 4096) {
            throw new IllegalArgumentException("the block size is " + blockSizeBytes + "; it can be 512 or 4096");
        }
        if (sizeBytes < blockSizeBytes) {
            throw new IllegalArgumentException(
                    "the size is " + sizeBytes + " bytes; it must be one block of " + blockSizeBytes + " at least");
        }
        if (namespaces < 1 || namespaces > Namespaces.MAXIMUM) {
            throw new IllegalArgumentException(
                    "there are " + namespaces + " namespaces; there can be 1 to " + Namespaces.MAXIMUM);
        }
        if (!BlockFormat.of(blockSizeBytes, metadata).isPossible()) {
            throw new IllegalArgumentException("a block has " + metadata.bytes
                    + " bytes of metadata with protection information of type " + metadata.protectionType
                    + ", guards of " + metadata.protection.guard().bits() + " bits and storage tags of "
                    + metadata.protection.storageTagBits()
                    + "; it can have 0, 8, 16 or 64 bytes, and with types 1 to 3 not 0; with guards of 16 bits and"
                    + " storage tags of 16, 8; with guards of 32 bits 16 (tags of 16 or 40) or 64 (64); with guards of"
                    + " 64 bits 16 (0 or 16) or 64 (0 or 48)");
        }
        checkZones(sizeBytes, blockSizeBytes, zones);
        if (ioQueues < 1 || ioQueues > MAXIMUM_IO_QUEUES) {
            throw new IllegalArgumentException(
                    "there are " + ioQueues + " I/O queues; there can be 1 to " + MAXIMUM_IO_QUEUES);
        }
        if (doorbellStride < 0 || doorbellStride > MAXIMUM_STRIDE) {
            throw new IllegalArgumentException(
                    "the doorbell stride is " + doorbellStride + "; it can be 0 to " + MAXIMUM_STRIDE);
        }
        checkMemory("controller memory buffer", controllerMemoryBytes);
        checkMemory("persistent memory region", persistentRegion.sizeBytes);
        hostMemory.check();
        checkText("serial number", serial, 20);
        checkText("model", model, 40);
        checkText("firmware revision", firmware, 8);
    }

    private static void checkMemory(String what, long bytes) {
        boolean isPossible =
                bytes >= SMALLEST_CONTROLLER_MEMORY && bytes <= LARGEST_CONTROLLER_MEMORY && Long.bitCount(bytes) == 1;
        if (bytes != 0 && !isPossible) {
            throw new IllegalArgumentException(
                    "the " + what + " has " + bytes + " bytes; it must be a power of two, 4K to 1G");
        }
    }

    private static void checkZones(long sizeBytes, int blockSizeBytes, ZoneLimits zones) {
        if (zones.maximumOpen < 0 || zones.maximumActive < 0) {
            throw new IllegalArgumentException("a number of zones is negative; 0 is no limit");
        }
        if (zones.sizeBytes == 0 && (zones.maximumOpen != 0 || zones.maximumActive != 0)) {
            throw new IllegalArgumentException(
                    "open or active zones are limited, but there are no zones; give their size");
        }
        if (zones.sizeBytes != 0
                && (zones.sizeBytes < blockSizeBytes
                        || Long.bitCount(zones.sizeBytes) != 1
                        || zones.sizeBytes > sizeBytes
                        || sizeBytes / zones.sizeBytes > Integer.MAX_VALUE >> 3)) {
            throw new IllegalArgumentException("a zone has " + zones.sizeBytes
                    + " bytes; it must be a power of two, from a block to the whole namespace");
        }
        if (zones.maximumActive != 0 && zones.maximumOpen > zones.maximumActive) {
            throw new IllegalArgumentException(zones.maximumOpen + " zones can be open, but only " + zones.maximumActive
                    + " active; an open zone is active too");
        }
    }

    // ASCII alone, space padded. NVMe base specification 2.0, 1.4.2.
    private static void checkText(String what, String text, int maximum) {
        if (text.length() > maximum || !text.chars().allMatch(c -> c >= ' ' && c <= '~')) {
            throw new IllegalArgumentException(
                    "the " + what + " is \"" + text + "\"; it has up to " + maximum + " printable ASCII characters");
        }
    }

    BlockFormat format() {
        return BlockFormat.of(blockSizeBytes, metadata);
    }

    /**
     * {@return the same with another size}
     *
     * @param bytes the size of each namespace
     */
    public NvmeOptions withSizeBytes(long bytes) {
        return with(changed -> changed.sizeBytes = bytes);
    }

    /**
     * {@return the same with another block size}
     *
     * @param bytes 512 or 4096
     */
    public NvmeOptions withBlockSizeBytes(int bytes) {
        return with(changed -> changed.blockSizeBytes = bytes);
    }

    /**
     * {@return the same with another number of namespaces}
     *
     * @param count 1 to 16
     */
    public NvmeOptions withNamespaces(int count) {
        return with(changed -> changed.namespaces = count);
    }

    /**
     * {@return the same with other metadata}
     *
     * @param blockMetadata the metadata of each block
     */
    public NvmeOptions withMetadata(Metadata blockMetadata) {
        return with(changed -> changed.metadata = blockMetadata);
    }

    /**
     * {@return the same with other zones}
     *
     * @param zoned the zones
     */
    public NvmeOptions withZones(ZoneLimits zoned) {
        return with(changed -> changed.zones = zoned);
    }

    /**
     * {@return the same with another distance of doorbells}
     *
     * @param stride CAP.DSTRD
     */
    public NvmeOptions withDoorbellStride(int stride) {
        return with(changed -> changed.doorbellStride = stride);
    }

    /**
     * {@return the same with another controller memory buffer}
     *
     * @param bytes its size; 0 for none
     */
    public NvmeOptions withControllerMemoryBytes(long bytes) {
        return with(changed -> changed.controllerMemoryBytes = bytes);
    }

    /**
     * {@return the same with another wish for the host's memory}
     *
     * @param wish how much the controller wants
     */
    public NvmeOptions withHostMemory(HostMemoryWish wish) {
        return with(changed -> changed.hostMemory = wish);
    }

    /**
     * {@return the same with another persistent memory region}
     *
     * @param region the region
     */
    public NvmeOptions withPersistentRegion(PersistentRegion region) {
        return with(changed -> changed.persistentRegion = region);
    }

    /**
     * {@return the same with another file}
     *
     * @param path the file that holds the namespaces
     */
    public NvmeOptions withFile(Path path) {
        return with(changed -> changed.file = path);
    }

    private NvmeOptions with(Consumer<Changed> change) {
        var changed = new Changed(this);
        change.accept(changed);
        return changed.options();
    }

    /** The same components, of which one is set to another value. */
    private static final class Changed {
        private long sizeBytes;
        private int blockSizeBytes;
        private int namespaces;
        private Metadata metadata;
        private ZoneLimits zones;
        private String serial;
        private String model;
        private String firmware;
        private int ioQueues;
        private int doorbellStride;
        private long controllerMemoryBytes;
        private HostMemoryWish hostMemory;
        private PersistentRegion persistentRegion;
        private @Nullable Path file;

        Changed(NvmeOptions options) {
            sizeBytes = options.sizeBytes;
            blockSizeBytes = options.blockSizeBytes;
            namespaces = options.namespaces;
            metadata = options.metadata;
            zones = options.zones;
            serial = options.serial;
            model = options.model;
            firmware = options.firmware;
            ioQueues = options.ioQueues;
            doorbellStride = options.doorbellStride;
            controllerMemoryBytes = options.controllerMemoryBytes;
            hostMemory = options.hostMemory;
            persistentRegion = options.persistentRegion;
            file = options.file;
        }

        NvmeOptions options() {
            return new NvmeOptions(
                    sizeBytes,
                    blockSizeBytes,
                    namespaces,
                    metadata,
                    zones,
                    serial,
                    model,
                    firmware,
                    ioQueues,
                    doorbellStride,
                    controllerMemoryBytes,
                    hostMemory,
                    persistentRegion,
                    file);
        }
    }
}
