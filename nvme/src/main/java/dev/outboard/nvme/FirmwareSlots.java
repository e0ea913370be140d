package dev.outboard.nvme;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.Firmware;
import dev.outboard.specs.nvme.LogPage;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the firmware slots hold. NVMe base specification 2.0, 5.16.1.4.
 *
 * @param active the slot that runs, 1 to 7
 * @param next the slot that runs from the next reset; 0 if that is the same
 * @param revisions the revisions by slot, of those that hold one
 * @param data all that the controller says, {@link LogPage#FIRMWARE_SLOT_INFORMATION}
 */
public record FirmwareSlots(int active, int next, SortedMap<Integer, String> revisions, StructView data) {
    private static final int SLOTS = 7;

    /** Reads them from what the controller said, which is checked. */
    static FirmwareSlots of(StructView data, DeviceAddress device) throws DeviceException {
        long information = data.get("afi");
        int active = (int) Firmware.ACTIVE_SLOT.get(information);
        if (active == 0) {
            throw new DeviceException(device + " says that firmware slot 0 runs, which cannot be");
        }
        SortedMap<Integer, String> revisions = new TreeMap<>();
        for (int slot = 1; slot <= SLOTS; slot++) {
            String revision = ControllerIdentity.text(data.slice("frs" + slot));
            if (!revision.isEmpty()) {
                revisions.put(slot, revision);
            }
        }
        return new FirmwareSlots(active, (int) Firmware.NEXT_SLOT.get(information), revisions, data);
    }
}
