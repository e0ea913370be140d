package dev.outboard.cli.nvme;

import dev.outboard.cli.DestroyOption;
import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.driver.Waiting;
import dev.outboard.nvme.NvmeBlockDevice;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeNamespace;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code outboard nvme trim}. */
@Command(
        name = "trim",
        description = "Gives blocks back to the controller, or makes them zero: what is in them is lost.")
final class TrimCommand implements Callable<Integer> {
    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Mixin
    private BlockOptions blocks = new BlockOptions();

    @Option(
            names = "--zero",
            description = "Make sure that they read as zeros afterwards; unless told that is the controller's choice.")
    private boolean zero;

    @Mixin
    private DestroyOption destroy = new DestroyOption();

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        device.requireDestroy(destroy, blocks.from(blocks.lba()));
        try (NvmeController controller = device.open()) {
            NvmeNamespace namespace = device.namespace(controller);
            long count = blocks.sizeBytes(namespace) / namespace.blockSizeBytes();
            try (NvmeBlockDevice disk = new NvmeBlockDevice(controller, namespace, Waiting.POLL)) {
                if (zero) {
                    disk.writeZeroes(blocks.lba(), count);
                } else if (disk.trims()) {
                    disk.trim(blocks.lba(), count);
                } else {
                    throw new IllegalArgumentException(controller + " takes no trims; use --zero");
                }
                disk.flush();
            }
            if (output.json()) {
                Map<String, Object> json = blocks.json(controller, namespace, null);
                json.put("zero", zero);
                Json.print(System.out, json);
            }
        }
        return 0;
    }
}
