package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.specs.nvme.Firmware;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Replaces the firmware: an image is downloaded, then committed to a slot. Errors are those of {@link AdminCommands}. NVMe
 * base specification 2.0, 3.11, 5.11 and 5.12.
 */
public final class FirmwareUpdate {
    private static final int GRANULARITY_UNIT_BYTES = 4096;
    private static final int NO_GRANULARITY = 0xff;
    private static final long MAXIMUM_PIECE_BYTES = 128 << 10;

    private final AdminCommands commands;
    private final NvmeController controller;

    FirmwareUpdate(AdminCommands commands, NvmeController controller) {
        this.commands = commands;
        this.controller = controller;
    }

    /**
     * Hands the controller an image, in pieces as large as it takes.
     *
     * @param image the image: a multiple of 4 bytes
     * @throws IOException if the controller refuses a piece; it keeps no image then
     */
    public void download(MemorySegment image) throws IOException {
        if (image.byteSize() == 0 || image.byteSize() % Integer.BYTES != 0) {
            throw new IllegalArgumentException(
                    "a firmware image has a multiple of 4 bytes, not " + image.byteSize() + "; is this one?");
        }
        long piece = pieceBytes();
        for (long at = 0; at < image.byteSize(); at += piece) {
            MemorySegment part = image.asSlice(at, Math.min(piece, image.byteSize() - at));
            commands.send(
                    NvmeCommand.of(Opcode.FIRMWARE_DOWNLOAD)
                            .dword(10, (int) (part.byteSize() / Integer.BYTES) - 1)
                            .dword(11, (int) (at / Integer.BYTES)),
                    part);
        }
    }

    /** FWUG, in units of 4 KiB: pieces are multiples of it. 0 says nothing. */
    private long pieceBytes() throws DeviceException {
        int units = controller.identity().data().getInt("fwug");
        long granularity =
                units == 0 || units == NO_GRANULARITY ? GRANULARITY_UNIT_BYTES : (long) units * GRANULARITY_UNIT_BYTES;
        long transfer = controller.maximumTransferBytes();
        if (granularity > transfer) {
            throw new DeviceException(controller.address() + " wants firmware in pieces of " + granularity
                    + " bytes (FWUG), and transfers up to " + transfer + " at once (MDTS), which cannot be");
        }
        long most = Math.min(MAXIMUM_PIECE_BYTES, transfer);
        return Math.max(granularity, most - most % granularity);
    }

    /**
     * Stores the image, runs it, or both.
     *
     * @param slot the slot, 1 to 7; 0 lets the controller choose
     * @param action {@link Firmware#REPLACE}, {@link Firmware#REPLACE_AND_ACTIVATE}, {@link Firmware#ACTIVATE} or {@link
     *     Firmware#ACTIVATE_NOW}
     * @return {@link Status#SUCCESS}; or what it takes until it runs: {@link Status#FIRMWARE_NEEDS_CONVENTIONAL_RESET}, {@link
     *     Status#FIRMWARE_NEEDS_SUBSYSTEM_RESET}, {@link Status#FIRMWARE_NEEDS_CONTROLLER_RESET}
     * @throws IOException if it fails
     */
    public int commit(int slot, int action) throws IOException {
        try {
            commands.execute(NvmeCommand.of(Opcode.FIRMWARE_COMMIT)
                    .dword(10, (int) (Firmware.SLOT.of(slot) | Firmware.ACTION.of(action))));
            return Status.SUCCESS;
        } catch (NvmeException e) {
            int code = Status.code(e.status());
            return switch (code) {
                case Status.FIRMWARE_NEEDS_CONVENTIONAL_RESET,
                        Status.FIRMWARE_NEEDS_SUBSYSTEM_RESET,
                        Status.FIRMWARE_NEEDS_CONTROLLER_RESET -> code;
                default -> throw e;
            };
        }
    }
}
