package dev.outboard.cli.nvme;

import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.linux.StructView;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeNamespace;
import dev.outboard.nvme.QueuePair;
import dev.outboard.specs.nvme.Identify;
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

    @Option(names = "--destroy", description = "Yes, overwrite what is there; needed on anything but a model.")
    private boolean destroy;

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        device.requireDestroy(destroy);
        try (NvmeController controller = device.open()) {
            NvmeNamespace namespace = device.namespace(controller);
            long count = blocks.sizeBytes(namespace) / namespace.blockSizeBytes();
            check(namespace, count);
            copy(controller, namespace, count);
            if (output.json()) {
                Map<String, Object> json = blocks.json(controller, namespace, null);
                json.put("to", to);
                Json.print(System.out, json);
            }
        }
        return 0;
    }

    private void check(NvmeNamespace namespace, long count) {
        if (to < 0 || to > namespace.blockCount() - count) {
            throw new IndexOutOfBoundsException("--to " + to + " with --blocks " + count + " is outside of " + namespace
                    + ": its blocks are 0 to " + (namespace.blockCount() - 1));
        }
        if (Math.abs(to - blocks.lba()) < count) {
            throw new IllegalArgumentException("blocks " + blocks.lba() + " to " + (blocks.lba() + count - 1)
                    + " and their target overlap: copy them in parts, or by way of another place");
        }
    }

    /** In as many commands as the namespace's limits make it. NVM command set specification 1.0, 3.2.2. */
    private void copy(NvmeController controller, NvmeNamespace namespace, long count) throws IOException {
        StructView limits = namespace.identity();
        long most = Math.min(limits.get("mssrl"), limits.get("mcl"));
        if (!Identify.ONCS_COPY.isSet(controller.identity().data().get("oncs")) || most == 0) {
            throw new IllegalArgumentException(
                    controller + " copies nothing by itself in " + namespace + "; use read and write");
        }
        try (QueuePair queue = controller.createQueuePair(1)) {
            for (long done = 0; done < count; done += most) {
                queue.submit(dev.outboard.nvme.NvmeCommand.copy(namespace, to + done, false)
                                .range(blocks.lba() + done, Math.min(most, count - done)))
                        .await(controller.commandTimeout());
            }
            queue.flush(namespace).await(controller.commandTimeout());
        }
    }
}
