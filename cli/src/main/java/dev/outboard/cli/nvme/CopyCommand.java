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

/** {@code outboard nvme copy}. */
@Command(
        name = "copy",
        description = "Has the controller copy blocks to another place of their namespace; no data pass through here.")
final class CopyCommand implements Callable<Integer> {
    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Mixin
    private BlockOptions blocks = new BlockOptions();

    @Option(names = "--to", paramLabel = "N", required = true, description = "The first block of the target.")
    private long to;

    @Mixin
    private DestroyOption destroy = new DestroyOption();

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        device.requireDestroy(destroy, blocks.from(to));
        try (NvmeController controller = device.open()) {
            NvmeNamespace namespace = device.namespace(controller);
            long count = blocks.sizeBytes(namespace) / namespace.blockSizeBytes();
            blocks.check(namespace, "--to", to);
            try (NvmeBlockDevice disk = new NvmeBlockDevice(controller, namespace, Waiting.POLL)) {
                disk.copy(blocks.lba(), count, to);
                disk.flush();
            }
            if (output.json()) {
                Map<String, Object> json = blocks.json(controller, namespace, null);
                json.put("to", to);
                Json.print(System.out, json);
            }
        }
        return 0;
    }
}
