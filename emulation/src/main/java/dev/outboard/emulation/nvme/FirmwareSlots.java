package dev.outboard.emulation.nvme;

import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.AsynchronousEvent;
import dev.outboard.specs.nvme.CommandEffects;
import dev.outboard.specs.nvme.Firmware;
import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.function.IntConsumer;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * Firmware: images are downloaded in pieces, stored in slots and run, at once or from the next reset. NVMe base
 * specification 2.0, 5.11 and 5.12. An image of this controller is the text {@code OUTBOARD}, the revision in 8 ASCII
 * characters, the CRC-32 of all that follows (4 bytes, little endian), and anything; running it changes the revision.
 */
final class FirmwareSlots {
    /** How many slots there are; the first holds what the controller was made with. */
    static final int SLOTS = 3;

    static final int HEAD_BYTES = 20;
    static final String MAGIC = "OUTBOARD";

    private static final int REVISION_BYTES = 8;
    private static final int CRC_AT = 16;
    private static final int MAXIMUM_IMAGE_BYTES = 1 << 20;
    private static final int PIECE_BYTES = 4096;

    private final DataPointer pointer;
    private final long maximumTransferBytes;
    private final IntConsumer events;
    private final @Nullable String[] revisions = new String[SLOTS + 1];
    private final MemorySegment image = MemorySegment.ofArray(new long[MAXIMUM_IMAGE_BYTES / Long.BYTES]);
    private long imageBytes;
    private int activeSlot = 1;
    private int nextSlot;

    FirmwareSlots(String revision, DataPointer pointer, long maximumTransferBytes, IntConsumer events) {
        revisions[1] = revision;
        this.pointer = pointer;
        this.maximumTransferBytes = maximumTransferBytes;
        this.events = events;
    }

    void addTo(AdminCommands commands, LogPages logs) {
        commands.add(Opcode.FIRMWARE_DOWNLOAD, 0, this::download);
        commands.add(Opcode.FIRMWARE_COMMIT, CommandEffects.CHANGES_CONTROLLER, this::commit);
        logs.add(LogPage.FIRMWARE_SLOT, (command, page) -> fill(page));
    }

    /** The revision that runs. */
    String revision() {
        return revision(activeSlot);
    }

    private String revision(int slot) {
        String revision = revisions[slot];
        return revision == null ? "" : revision;
    }

    /** A controller level reset: what was committed runs, what was downloaded is forgotten. */
    void reset() {
        imageBytes = 0;
        if (nextSlot != 0) {
            activeSlot = nextSlot;
            nextSlot = 0;
        }
    }

    private int download(Command command) {
        long bytes = (Integer.toUnsignedLong(command.dword(SubmissionEntry.CDW10)) + 1) * Integer.BYTES;
        long offset = Integer.toUnsignedLong(command.dword(SubmissionEntry.CDW11)) * Integer.BYTES;
        if (bytes > maximumTransferBytes || ((bytes | offset) & (PIECE_BYTES - 1)) != 0) {
            return command.invalid(SubmissionEntry.CDW10);
        }
        if (offset + bytes > MAXIMUM_IMAGE_BYTES) {
            return command.invalid(SubmissionEntry.CDW11);
        }
        // Pieces come in order; the first starts a new image.
        if (offset != 0 && offset != imageBytes) {
            return command.invalid(SubmissionEntry.CDW11, Status.OVERLAPPING_RANGE);
        }
        int status = pointer.fromHost(command, image, offset, bytes);
        if (status == Status.SUCCESS) {
            imageBytes = offset + bytes;
        }
        return status;
    }

    private int commit(Command command) {
        int dword10 = command.dword(SubmissionEntry.CDW10);
        int action = (int) Firmware.ACTION.get(dword10);
        int slot = (int) Firmware.SLOT.get(dword10);
        if (action > Firmware.ACTIVATE_NOW) {
            return command.invalid(SubmissionEntry.CDW10);
        }
        boolean stores = action <= Firmware.REPLACE_AND_ACTIVATE || (action == Firmware.ACTIVATE_NOW && imageBytes > 0);
        if (slot == 0 && stores) {
            slot = activeSlot == SLOTS ? 2 : SLOTS;
        }
        if (slot < 1 || slot > SLOTS || (stores && slot == 1)) {
            return command.invalid(SubmissionEntry.CDW10, Status.INVALID_FIRMWARE_SLOT);
        }
        if (stores) {
            String revision = checkImage();
            if (revision == null) {
                return Status.INVALID_FIRMWARE_IMAGE;
            }
            revisions[slot] = revision;
            imageBytes = 0;
        }
        if (revisions[slot] == null) {
            return Status.INVALID_FIRMWARE_IMAGE;
        }
        if (action == Firmware.ACTIVATE_NOW) {
            activeSlot = slot;
            nextSlot = 0;
            events.accept(AsynchronousEvent.FIRMWARE_ACTIVATION);
        } else if (action != Firmware.REPLACE) {
            nextSlot = slot;
        }
        return Status.SUCCESS;
    }

    /** Returns the image's revision, or null if it is no image. */
    private @Nullable String checkImage() {
        if (imageBytes < HEAD_BYTES) {
            return null;
        }
        byte[] head = image.asSlice(0, HEAD_BYTES).toArray(ValueLayout.JAVA_BYTE);
        CRC32 crc = new CRC32();
        crc.update(image.asSlice(HEAD_BYTES, imageBytes - HEAD_BYTES).toArray(ValueLayout.JAVA_BYTE));
        String magic = new String(head, 0, MAGIC.length(), StandardCharsets.US_ASCII);
        String revision = new String(head, MAGIC.length(), REVISION_BYTES, StandardCharsets.US_ASCII);
        int expected = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getInt(CRC_AT);
        boolean isText = revision.chars().allMatch(c -> c >= ' ' && c <= '~');
        return magic.equals(MAGIC) && isText && (int) crc.getValue() == expected ? revision : null;
    }

    private int fill(MemorySegment page) {
        StructView slots = LogPage.FIRMWARE_SLOT_INFORMATION
                .view(page)
                .set("afi", Firmware.ACTIVE_SLOT.of(activeSlot) | Firmware.NEXT_SLOT.of(nextSlot));
        for (int slot = 1; slot <= SLOTS; slot++) {
            if (revisions[slot] != null) {
                IdentifyData.text(slots.slice("frs" + slot), revision(slot), ' ');
            }
        }
        return (int) LogPage.FIRMWARE_SLOT_INFORMATION.byteSize();
    }
}
