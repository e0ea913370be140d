package dev.outboard.cli.nvme;

import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.cli.NamedFile;
import dev.outboard.nvme.AdminCommands;
import dev.outboard.nvme.FirmwareSlots;
import dev.outboard.nvme.NvmeController;
import dev.outboard.specs.nvme.Firmware;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code outboard nvme firmware}. */
@Command(
        name = "firmware",
        description = "What the firmware slots hold; with --download and --commit replaces it before.")
final class FirmwareCommand implements Callable<Integer> {
    /** What a commit does. */
    enum Action {
        REPLACE(Firmware.REPLACE),
        REPLACE_AND_ACTIVATE(Firmware.REPLACE_AND_ACTIVATE),
        ACTIVATE(Firmware.ACTIVATE),
        ACTIVATE_NOW(Firmware.ACTIVATE_NOW);

        private final int code;

        Action(int code) {
            this.code = code;
        }
    }

    /** The slot's field has three bits. NVMe base specification 2.0, figure 179. */
    private static final int LAST_SLOT = 7;

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Option(names = "--download", paramLabel = "F", description = "Hands the controller the image in this file.")
    private @Nullable Path image;

    @Option(
            names = "--commit",
            paramLabel = "ACTION",
            description = "replace, replace_and_activate or activate (from the next reset), or activate_now.")
    private @Nullable Action action;

    @Option(
            names = "--slot",
            paramLabel = "N",
            defaultValue = "0",
            description = "The slot to commit to, 1 to 7; unless told the controller chooses.")
    private int slot;

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        if (slot > LAST_SLOT) {
            throw new IllegalArgumentException("--slot is 1 to 7, or 0 for the controller's choice, not " + slot);
        }
        MemorySegment bytes = image == null ? null : MemorySegment.ofArray(new NamedFile(image).read());
        try (NvmeController controller = device.open()) {
            AdminCommands admin = controller.admin().withTimeout(DeviceOptions.LONG);
            if (bytes != null) {
                admin.firmware().download(bytes);
            }
            if (action != null) {
                int needed = admin.firmware().commit(slot, action.code);
                if (needed != Status.SUCCESS) {
                    System.err.println(Status.describe(needed));
                }
            }
            FirmwareSlots slots = admin.logs().firmwareSlots();
            if (output.json()) {
                Json.print(System.out, json(slots));
            } else {
                print(slots);
            }
        }
        return 0;
    }

    private static Map<String, Object> json(FirmwareSlots slots) {
        Map<String, Object> json = Json.object();
        json.put("Active Firmware Slot (afi)", slots.data().get("afi"));
        slots.revisions().forEach((slot, revision) -> json.put("Firmware Rev Slot " + slot, revision));
        return json;
    }

    private static void print(FirmwareSlots slots) {
        slots.revisions()
                .forEach((slot, revision) -> System.out.println("slot " + slot + "  " + revision
                        + (slot == slots.active() ? "  runs" : "")
                        + (slot == slots.next() ? "  runs from the next reset" : "")));
    }
}
