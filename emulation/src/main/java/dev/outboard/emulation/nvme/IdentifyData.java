package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.outboard.emulation.DmaSpace;
import dev.outboard.emulation.nvme.NvmeOptions.ZoneLimits;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.AsynchronousEvent;
import dev.outboard.specs.nvme.CompletionEntry;
import dev.outboard.specs.nvme.Firmware;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.Maintenance;
import dev.outboard.specs.nvme.Reservation;
import dev.outboard.specs.nvme.SubmissionEntry;
import dev.outboard.specs.nvme.Zone;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Fills the pages that identify returns. NVMe base specification 2.0, 5.17; command set specifications, 4.1.5. */
final class IdentifyData {
    static final int CONTROLLER_ID = 1;
    /** How many power states there are. */
    static final int POWER_STATES = 3;

    private static final int RECOMMENDED_ARBITRATION_BURST = 6;
    private static final int IO_CONTROLLER = 1;
    private static final int ABORT_LIMIT = 3;
    private static final int HOST_IDS_OF_128_BITS = 0x01;
    // Security, format, firmware, namespace management, self-test, doorbell buffer.
    private static final int ADMIN_COMMANDS = 0x11f;
    // Compare, write uncorrectable, dataset management, write zeroes, save, reservations, timestamp, verify, copy.
    private static final int IO_COMMANDS = 0x1ff;
    private static final int COMPARE_AND_WRITE = 0x01;
    private static final int COPY_FORMATS = 0x03;
    // Command effects, offsets and 32-bit lengths, the log of log pages.
    private static final int LOG_PAGES = 0x26;
    private static final int CRYPTO_ERASE = 0x04;
    private static final int AUTONOMOUS_POWER_STATES = 0x01;
    private static final int SELF_TEST_MINUTES = 1;
    private static final int ONE_SELF_TEST = 0x01;
    private static final int FIRMWARE_GRANULARITY = 1;
    private static final int WRITE_PROTECTION = 0x01;
    // SGLs at any address; bit buckets; metadata at any address; longer than the data; SGLs for metadata.
    private static final int SCATTER_GATHER = 0x000f_0001;
    private static final int WARNING_KELVIN = 343;
    private static final int CRITICAL_KELVIN = 373;
    private static final int WRITE_CACHE_FLUSHES_ALL_NAMESPACES = 0x07;
    private static final int DEALLOCATED_READS_ZEROES = 0x09;
    private static final int METADATA_BOTH_WAYS = 0x03;
    private static final int PROTECTION_OF_ALL_TYPES = 0x1f;
    private static final int NAMESPACE_READY = 0x01;
    private static final int DESCRIPTOR_UUID = 3;
    private static final int DESCRIPTOR_COMMAND_SET = 4;
    private static final int UUID_BYTES = 16;
    private static final long UUID_VERSION_MASK = 0xf000;
    private static final long UUID_VERSION_8 = 0x8000;
    private static final long UUID_VARIANT_MASK = 0xc000_0000_0000_0000L;
    private static final long UUID_VARIANT = 0x8000_0000_0000_0000L;
    private static final long FNV_OFFSET = 0xcbf2_9ce4_8422_2325L;
    private static final long FNV_PRIME = 0x100_0000_01b3L;
    private static final int POWER_STATE_BYTES = 32;
    private static final int NON_OPERATIONAL = 1 << 25;
    private static final int[] POWER_CENTIWATTS = {500, 300, 10};
    private static final int[] LATENCY_MICROS = {0, 100, 5000};
    private static final long ENTRY_LATENCY = 4;
    private static final long EXIT_LATENCY = 8;

    private final NvmeOptions options;
    private final Namespaces namespaces;
    private final FirmwareSlots firmware;
    private final int maximumTransferShift;
    private final UUID uuid;

    IdentifyData(NvmeOptions options, Namespaces namespaces, FirmwareSlots firmware, int maximumTransferShift) {
        this.options = options;
        this.namespaces = namespaces;
        this.firmware = firmware;
        this.maximumTransferShift = maximumTransferShift;
        uuid = uuid("");
    }

    /**
     * The same for the same serial number. RFC 9562, version 8: of two FNV-1a hashes. MD5, as version 3 has it, would load
     * the security providers of the JVM, a seventh of what the process of a model takes to start.
     */
    private UUID uuid(String suffix) {
        byte[] name = ("outboard:" + options.serial() + suffix).getBytes(StandardCharsets.UTF_8);
        long high = (hash(FNV_OFFSET, name) & ~UUID_VERSION_MASK) | UUID_VERSION_8;
        long low = (hash(high, name) & ~UUID_VARIANT_MASK) | UUID_VARIANT;
        return new UUID(high, low);
    }

    private static long hash(long start, byte[] bytes) {
        long hash = start;
        for (byte value : bytes) {
            hash = (hash ^ Byte.toUnsignedInt(value)) * FNV_PRIME;
        }
        return hash;
    }

    private UUID uuid(Namespace namespace) {
        return uuid(":" + namespace.id());
    }

    void controller(MemorySegment page) {
        int mostBlocks = (int) (DmaSpace.PAGE_BYTES << maximumTransferShift) / Media.UNIT_BYTES;
        StructView controller = Identify.CONTROLLER
                .view(page)
                .set("vid", NvmeModel.VENDOR_ID)
                .set("ssvid", NvmeModel.VENDOR_ID)
                .set("rab", RECOMMENDED_ARBITRATION_BURST)
                .set("mdts", maximumTransferShift)
                .set("cntlid", CONTROLLER_ID)
                .set("ver", NvmeModel.VERSION)
                .set("oaes", AsynchronousEvent.ENABLE_NAMESPACES.mask() | AsynchronousEvent.ENABLE_FIRMWARE.mask())
                .set("ctratt", HOST_IDS_OF_128_BITS | Identify.CTRATT_EXTENDED_FORMATS.mask())
                .set("cntrltype", IO_CONTROLLER)
                .set("oacs", ADMIN_COMMANDS)
                .set("acl", ABORT_LIMIT)
                .set("aerl", AsynchronousEvents.LIMIT)
                .set(
                        "frmw",
                        Firmware.FIRST_SLOT_READ_ONLY
                                | Firmware.SLOTS.of(FirmwareSlots.SLOTS)
                                | Firmware.ACTIVATION_WITHOUT_RESET)
                .set("lpa", LOG_PAGES)
                .set("elpe", ErrorLog.ENTRIES - 1)
                .set("npss", POWER_STATES - 1)
                .set("apsta", AUTONOMOUS_POWER_STATES)
                .set("wctemp", WARNING_KELVIN)
                .set("cctemp", CRITICAL_KELVIN)
                .set("hmpre", options.hostMemory().preferredBytes() / Identify.HOST_MEMORY_UNIT_BYTES)
                .set("hmmin", options.hostMemory().minimumBytes() / Identify.HOST_MEMORY_UNIT_BYTES)
                .set("hmminds", options.hostMemory().minimumPieceBytes() / Identify.HOST_MEMORY_UNIT_BYTES)
                .set("hmmaxd", options.hostMemory().maximumPieces())
                .set("edstt", SELF_TEST_MINUTES)
                .set("dsto", ONE_SELF_TEST)
                .set("fwug", FIRMWARE_GRANULARITY)
                .set("kas", KeepAlive.GRANULARITY)
                .set("sanicap", Maintenance.SANITIZE_ALL)
                // The smallest and the largest size of an entry, as powers of two.
                .set("sqes", SubmissionEntry.SIZE_SHIFT << 4 | SubmissionEntry.SIZE_SHIFT)
                .set("cqes", CompletionEntry.SIZE_SHIFT << 4 | CompletionEntry.SIZE_SHIFT)
                .set("nn", Namespaces.MAXIMUM)
                .set("mnan", Namespaces.MAXIMUM)
                .set("oncs", IO_COMMANDS)
                .set("fuses", COMPARE_AND_WRITE)
                .set("fna", CRYPTO_ERASE)
                .set("vwc", WRITE_CACHE_FLUSHES_ALL_NAMESPACES)
                // Commands are carried out one after the other: each is atomic for the others. Less one.
                .set("awun", mostBlocks - 1)
                .set("acwu", mostBlocks - 1)
                .set("nwpc", WRITE_PROTECTION)
                .set("ocfs", COPY_FORMATS)
                .set("sgls", SCATTER_GATHER);
        text(controller.slice("sn"), options.serial(), ' ');
        text(controller.slice("mn"), options.model(), ' ');
        text(controller.slice("fr"), firmware.revision(), ' ');
        text(controller.slice("subnqn"), "nqn.2014-08.org.nvmexpress:uuid:" + uuid, '\0');
        bytes(controller.slice("tnvmcap"), namespaces.totalBytes());
        bytes(controller.slice("unvmcap"), namespaces.unallocatedBytes());
        MemorySegment powerStates = controller.slice("psd");
        for (int i = 0; i < POWER_STATES; i++) {
            int flags = i == POWER_STATES - 1 ? NON_OPERATIONAL : 0;
            long at = (long) i * POWER_STATE_BYTES;
            powerStates.set(JAVA_INT_UNALIGNED, at, POWER_CENTIWATTS[i] | flags);
            powerStates.set(JAVA_INT_UNALIGNED, at + ENTRY_LATENCY, LATENCY_MICROS[i]);
            powerStates.set(JAVA_INT_UNALIGNED, at + EXIT_LATENCY, LATENCY_MICROS[i]);
        }
    }

    void namespace(MemorySegment page, Namespace namespace, boolean extendedFormats) {
        BlockFormat format = namespace.format();
        long mostBlocks = (DmaSpace.PAGE_BYTES << maximumTransferShift) >>> namespace.blockShift();
        StructView data = Identify.NAMESPACE
                .view(page)
                .set("nsze", namespace.blockCount())
                .set("ncap", namespace.blockCount())
                .set("nuse", namespace.blockCount())
                .set("nlbaf", BlockFormat.count(extendedFormats) - 1)
                .set("flbas", format.flbas())
                .set("mc", METADATA_BOTH_WAYS)
                .set("dpc", PROTECTION_OF_ALL_TYPES)
                .set("dps", format.dps())
                .set("rescap", Reservation.ALL_CAPABILITIES)
                .set("dlfeat", DEALLOCATED_READS_ZEROES)
                .set("mssrl", mostBlocks)
                .set("mcl", mostBlocks * (RangeCommands.MAXIMUM_SOURCE_RANGES + 1))
                .set("msrc", RangeCommands.MAXIMUM_SOURCE_RANGES)
                .set("nsattr", namespace.isWriteProtected() ? 1 : 0);
        bytes(data.slice("nvmcap"), namespace.sizeBytes());
        uuidBytes(data.slice("nguid"), uuid(namespace));
        formats(data.slice("lbaf"), extendedFormats);
    }

    /** What all namespaces have in common: what can be asked for with the identifier of all of them. */
    void commonNamespace(MemorySegment page, boolean extendedFormats) {
        StructView data = Identify.NAMESPACE
                .view(page)
                .set("nlbaf", BlockFormat.count(extendedFormats) - 1)
                .set("mc", METADATA_BOTH_WAYS)
                .set("dpc", PROTECTION_OF_ALL_TYPES)
                .set("rescap", Reservation.ALL_CAPABILITIES)
                .set("dlfeat", DEALLOCATED_READS_ZEROES);
        formats(data.slice("lbaf"), extendedFormats);
    }

    private static void formats(MemorySegment table, boolean extendedFormats) {
        for (int i = 0; i < BlockFormat.count(extendedFormats); i++) {
            table.set(JAVA_INT_UNALIGNED, (long) i * Identify.LBA_FORMAT_BYTES, BlockFormat.describe(i));
        }
    }

    /** What the NVM command set says of a namespace besides; of all of them if it is null. */
    static void nvmNamespace(MemorySegment page, @Nullable Namespace namespace, boolean extendedFormats) {
        StructView data = Identify.NVM_NAMESPACE
                .view(page)
                .set("lbstm", namespace == null ? 0 : namespace.storageTagMask())
                .set("pic", Identify.PIC_STORAGE_TAGS.mask() | Identify.PIC_STORAGE_TAG_CHECK_READ.mask());
        MemorySegment table = data.slice("elbaf");
        for (int i = 0; i < BlockFormat.count(extendedFormats); i++) {
            long at = (long) i * Identify.EXTENDED_LBA_FORMAT_BYTES;
            table.set(JAVA_INT_UNALIGNED, at, BlockFormat.describeExtension(i));
        }
    }

    void independentNamespace(MemorySegment page, Namespace namespace) {
        Identify.INDEPENDENT_NAMESPACE
                .view(page)
                .set("rescap", Reservation.ALL_CAPABILITIES)
                .set("nsattr", namespace.isWriteProtected() ? 1 : 0)
                .set("nstat", NAMESPACE_READY);
    }

    /** What a namespace of the zoned command set is, beyond its blocks. */
    static void zonedNamespace(MemorySegment page, Zones zones) {
        ZoneLimits limits = zones.limits();
        // Less one; all ones is no limit.
        StructView data = Zone.NAMESPACE
                .view(page)
                .set("ozcs", Zone.READ_ACROSS_BOUNDARIES)
                .set("mar", Integer.toUnsignedLong(limits.maximumActive() - 1))
                .set("mor", Integer.toUnsignedLong(limits.maximumOpen() - 1));
        MemorySegment extensions = data.slice("lbafe");
        for (int i = 0; i < BlockFormat.COUNT; i++) {
            long at = (long) i * Zone.FORMAT_EXTENSION_BYTES;
            extensions.set(JAVA_LONG_UNALIGNED, at, limits.sizeBytes() >>> BlockFormat.blockShift(i));
            // In units of 64 bytes.
            extensions.set(JAVA_BYTE, at + Long.BYTES, (byte) (Zones.EXTENSION_BYTES / 64));
        }
    }

    // A list of descriptors, each with a head of 4 bytes; a zero ends it. Figure 277.
    void namespaceDescriptors(MemorySegment page, Namespace namespace) {
        page.set(JAVA_BYTE, 0, (byte) DESCRIPTOR_UUID);
        page.set(JAVA_BYTE, 1, (byte) UUID_BYTES);
        uuidBytes(page.asSlice(Integer.BYTES, UUID_BYTES), uuid(namespace));
        long next = Integer.BYTES + UUID_BYTES;
        page.set(JAVA_BYTE, next, (byte) DESCRIPTOR_COMMAND_SET);
        page.set(JAVA_BYTE, next + 1, (byte) 1);
        page.set(JAVA_BYTE, next + Integer.BYTES, (byte) namespace.commandSet());
    }

    static void primaryController(MemorySegment page) {
        Identify.PRIMARY_CONTROLLER.view(page).set("cntlid", CONTROLLER_ID);
    }

    private static void uuidBytes(MemorySegment target, UUID value) {
        ByteBuffer bytes = ByteBuffer.allocate(UUID_BYTES)
                .putLong(value.getMostSignificantBits())
                .putLong(value.getLeastSignificantBits());
        target.copyFrom(MemorySegment.ofArray(bytes.array()));
    }

    static void text(MemorySegment target, String text, char padding) {
        target.fill((byte) padding);
        target.copyFrom(MemorySegment.ofArray(text.getBytes(StandardCharsets.US_ASCII)));
    }

    private static void bytes(MemorySegment number128, long value) {
        number128.set(JAVA_LONG_UNALIGNED, 0, value);
    }
}
