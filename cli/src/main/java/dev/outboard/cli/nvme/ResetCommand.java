package dev.outboard.cli.nvme;

import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.nvme.NvmeController;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code outboard nvme reset}. */
@Command(name = "reset", description = "Resets the controller, and sees whether it is ready again.")
final class ResetCommand implements Callable<Integer> {
    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        try (NvmeController controller = device.open()) {
            controller.reset();
            if (output.json()) {
                Map<String, Object> json = Json.object();
                json.put("device", controller.address().toString());
                json.put("ready", true);
                Json.print(System.out, json);
            } else {
                System.out.println(controller + " was reset and is ready");
            }
        }
        return 0;
    }
}
