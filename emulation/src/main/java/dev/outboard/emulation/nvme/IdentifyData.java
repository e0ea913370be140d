package dev.outboard.emulation.nvme;

import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.CompletionEntry;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** Fills the pages that identify returns. NVMe base specification 2.0, 5.17; the controller is one of version 1.4. */
final class IdentifyData {
    private static final int RECOMMENDED_ARBITRATION_BURST = 6;
    private static final int CONTROLLER_ID = 1;
    private static final int IO_CONTROLLER = 1;
    private static final int ABORT_LIMIT = 3;
    private static final int ONE_READ_ONLY_FIRMWARE_SLOT = 0x03;
    private static final int LOG_PAGE_OFFSETS = 0x04;
    private static final int WARNING_KELVIN = 343;
    private static final int CRITICAL_KELVIN = 373;
    private static final int WRITE_ZEROES = 0x08;
    private static final int WRITE_CACHE_FLUSHES_ALL_NAMESPACES = 0x07;
    private static final int DEALLOCATED_READS_ZEROES = 0x01;
    private static final int DESCRIPTOR_UUID = 3;
    private static final int UUID_BYTES = 16;
    private static final int MAXIMUM_POWER_CENTIWATTS = 500;

    private final NvmeOptions options;
    private final long blockCount;
    private final int maximumTransferShift;
    private final UUID uuid;

    IdentifyData(NvmeOptions options, long blockCount, int maximumTransferShift) {
        this.options = options;
        this.blockCount = blockCount;
        this.maximumTransferShift = maximumTransferShift;
        uuid = UUID.nameUUIDFromBytes(("outboard:" + options.serial()).getBytes(StandardCharsets.UTF_8));
    }

    void controller(MemorySegment page) {
        StructView controller = Identify.CONTROLLER
                .view(page.fill((byte) 0))
                .set("vid", NvmeModel.VENDOR_ID)
                .set("ssvid", NvmeModel.VENDOR_ID)
                .set("rab", RECOMMENDED_ARBITRATION_BURST)
                .set("mdts", maximumTransferShift)
                .set("cntlid", CONTROLLER_ID)
                .set("ver", NvmeModel.VERSION)
                .set("cntrltype", IO_CONTROLLER)
                .set("acl", ABORT_LIMIT)
                .set("aerl", AsynchronousEvents.LIMIT)
                .set("frmw", ONE_READ_ONLY_FIRMWARE_SLOT)
                .set("lpa", LOG_PAGE_OFFSETS)
                .set("wctemp", WARNING_KELVIN)
                .set("cctemp", CRITICAL_KELVIN)
                // The smallest and the largest size of an entry, as powers of two.
                .set("sqes", SubmissionEntry.SIZE_SHIFT << 4 | SubmissionEntry.SIZE_SHIFT)
                .set("cqes", CompletionEntry.SIZE_SHIFT << 4 | CompletionEntry.SIZE_SHIFT)
                .set("nn", 1)
                .set("oncs", WRITE_ZEROES)
                .set("vwc", WRITE_CACHE_FLUSHES_ALL_NAMESPACES);
        text(controller.slice("sn"), options.serial(), ' ');
        text(controller.slice("mn"), options.model(), ' ');
        text(controller.slice("fr"), options.firmware(), ' ');
        text(controller.slice("subnqn"), "nqn.2014-08.org.nvmexpress:uuid:" + uuid, '\0');
        controller.slice("psd").set(ValueLayout.JAVA_SHORT_UNALIGNED, 0, (short) MAXIMUM_POWER_CENTIWATTS);
        bytes(controller.slice("tnvmcap"), blockCount * options.blockSizeBytes());
    }

    void namespace(MemorySegment page) {
        StructView namespace = Identify.NAMESPACE
                .view(page.fill((byte) 0))
                .set("nsze", blockCount)
                .set("ncap", blockCount)
                .set("nuse", blockCount)
                .set("dlfeat", DEALLOCATED_READS_ZEROES);
        bytes(namespace.slice("nvmcap"), blockCount * options.blockSizeBytes());
        uuidBytes(namespace.slice("nguid"));
        int shift = Integer.numberOfTrailingZeros(options.blockSizeBytes());
        namespace.slice("lbaf").set(ValueLayout.JAVA_INT_UNALIGNED, 0, (int) Identify.LBA_FORMAT_LBADS.of(shift));
    }

    void activeNamespaces(MemorySegment page, int above) {
        page.fill((byte) 0);
        if (above < IoCommands.NAMESPACE) {
            page.set(ValueLayout.JAVA_INT, 0, IoCommands.NAMESPACE);
        }
    }

    // A list of descriptors, each with a head of 4 bytes; a zero ends it. Figure 274.
    void namespaceDescriptors(MemorySegment page) {
        page.fill((byte) 0);
        page.set(ValueLayout.JAVA_BYTE, 0, (byte) DESCRIPTOR_UUID);
        page.set(ValueLayout.JAVA_BYTE, 1, (byte) UUID_BYTES);
        uuidBytes(page.asSlice(Integer.BYTES, UUID_BYTES));
    }

    private void uuidBytes(MemorySegment target) {
        ByteBuffer bytes = ByteBuffer.allocate(UUID_BYTES)
                .putLong(uuid.getMostSignificantBits())
                .putLong(uuid.getLeastSignificantBits());
        target.copyFrom(MemorySegment.ofArray(bytes.array()));
    }

    static void text(MemorySegment target, String text, char padding) {
        target.fill((byte) padding);
        target.copyFrom(MemorySegment.ofArray(text.getBytes(StandardCharsets.US_ASCII)));
    }

    private static void bytes(MemorySegment number128, long value) {
        number128.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, value);
    }
}
