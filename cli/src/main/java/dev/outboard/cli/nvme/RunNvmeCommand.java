package dev.outboard.cli.nvme;

import dev.outboard.cli.DestroyOption;
import dev.outboard.cli.Interruption;
import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.cli.Progress;
import dev.outboard.driver.ByteSize;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeNamespace;
import dev.outboard.nvme.load.LoadOptions;
import dev.outboard.nvme.load.LoadResult;
import dev.outboard.nvme.load.Operation;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code outboard run nvme}. */
@Command(
        name = "nvme",
        description = {
            "Brings a controller up, verifies a pass of writes and reads, measures a few loads, and stays up.",
            "On anything but a model it only reads, unless --destroy is given."
        })
public final class RunNvmeCommand implements Callable<Integer> {
    private static final Duration MEASURED = Duration.ofSeconds(1);
    private static final Duration WARM_UP = Duration.ofSeconds(1);
    private static final int KIB = 1024;

    private record Load(Operation operation, int blockSizeBytes, int queueDepth) {}

    private static final List<Load> LOADS = List.of(
            new Load(Operation.RANDREAD, 4 * KIB, 1),
            new Load(Operation.RANDREAD, 4 * KIB, 32),
            new Load(Operation.RANDWRITE, 4 * KIB, 32),
            new Load(Operation.RANDRW, 4 * KIB, 32),
            new Load(Operation.READ, 128 * KIB, 8));

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Mixin
    private DestroyOption destroy = new DestroyOption();

    @Mixin
    private JsonOption output = new JsonOption();

    /** For picocli. */
    public RunNvmeCommand() {}

    @Override
    public Integer call() throws IOException, InterruptedException {
        boolean writes = destroy.allows(device.isModel());
        try (NvmeController controller = device.open()) {
            NvmeNamespace namespace = device.namespace(controller);
            if (!output.json()) {
                IdentifyCommand.print(controller, controller.namespaces(), System.out);
            }
            VerifiedPass.Result pass;
            try (Progress progress = new Progress(writes ? "verifying" : "reading")) {
                pass = new VerifiedPass(controller, namespace, writes).run(progress);
            }
            if (!output.json() && !Interruption.requested()) {
                System.out.printf(
                        "%n%s: %s in %.2f s%n%n",
                        writes ? "wrote, read back and verified" : "read (add --destroy to write too)",
                        new ByteSize(pass.bytes()),
                        pass.seconds());
                System.out.println(BenchTable.HEADER);
            }
            List<Object> loads = measure(controller, namespace, writes, pass.bytes());
            if (output.json()) {
                Map<String, Object> document = IdentifyJson.controller(controller.identity());
                document.put("device", controller.address().toString());
                document.put("verifiedBytes", writes ? pass.bytes() : 0);
                document.put("loads", loads);
                Json.print(System.out, document);
            } else if (!Interruption.requested()) {
                System.out.printf("%n%s is up; Ctrl-C ends it.%n", controller.address());
            }
            Interruption.awaitWhile(controller::checkPresent);
        }
        return 0;
    }

    /** On the span that was just written: memory that nobody has touched would be measured with its page faults. */
    private List<Object> measure(NvmeController controller, NvmeNamespace namespace, boolean writes, long span)
            throws IOException {
        List<Object> results = new ArrayList<>();
        for (Load load : LOADS) {
            if ((load.operation().writes() && !writes) || Interruption.requested()) {
                continue;
            }
            LoadOptions options = new LoadOptions(
                    load.operation(),
                    load.blockSizeBytes(),
                    span,
                    load.queueDepth(),
                    MEASURED,
                    WARM_UP,
                    OptionalInt.empty());
            LoadResult result = BenchCommand.run(controller, namespace, options, 1);
            results.add(BenchCommand.json(controller, namespace, options, 1, result));
            if (!output.json()) {
                System.out.println(BenchTable.row(options, result));
            }
        }
        return results;
    }
}
