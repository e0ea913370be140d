package dev.outboard.cli.nvme;

import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.nvme.ErrorEntry;
import dev.outboard.nvme.NvmeController;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code outboard nvme error-log}. */
@Command(name = "error-log", description = "The last errors. With --json under nvme-cli's field names.")
final class ErrorLogCommand implements Callable<Integer> {
    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Option(
            names = "--entries",
            paramLabel = "N",
            defaultValue = "64",
            description = "How many at most; unless told ${DEFAULT-VALUE}.")
    private int entries;

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        if (entries < 1) {
            throw new IllegalArgumentException("--entries is at least 1, not " + entries);
        }
        try (NvmeController controller = device.open()) {
            // An entry whose count is 0 is empty. NVMe base specification 2.0, figure 206.
            List<ErrorEntry> errors = controller.admin().logs().errors(entries).stream()
                    .filter(error -> error.count() != 0)
                    .toList();
            if (output.json()) {
                Map<String, Object> json = Json.object();
                json.put("errors", errors.stream().map(ErrorLogCommand::json).toList());
                Json.print(System.out, json);
            } else {
                print(errors);
            }
        }
        return 0;
    }

    private static Map<String, Object> json(ErrorEntry error) {
        Map<String, Object> json = Json.object();
        json.put("error_count", unsigned(error.count()));
        json.put("sqid", error.data().get("sqid"));
        json.put("cmdid", error.data().get("cmdid"));
        json.put("status_field", error.status());
        json.put("phase_tag", error.phase());
        json.put("parm_error_location", error.data().get("parm_error_location"));
        json.put("lba", unsigned(error.data().get("lba")));
        json.put("nsid", error.data().get("nsid"));
        json.put("vs", error.data().get("vs"));
        json.put("trtype", error.data().get("trtype"));
        json.put("cs", unsigned(error.data().get("cs")));
        json.put("trtype_spec_info", error.data().get("trtype_spec_info"));
        return json;
    }

    private static BigInteger unsigned(long value) {
        return new BigInteger(Long.toUnsignedString(value));
    }

    private static void print(List<ErrorEntry> errors) {
        if (errors.isEmpty()) {
            System.out.println("no errors");
            return;
        }
        System.out.printf("%8s %5s %8s %10s %16s  %s%n", "error", "queue", "command", "namespace", "lba", "status");
        for (ErrorEntry error : errors) {
            System.out.printf(
                    "%8s %5d %8d %10s %16s  %s%n",
                    unsigned(error.count()),
                    error.data().get("sqid"),
                    error.data().get("cmdid"),
                    error.data().get("nsid"),
                    unsigned(error.data().get("lba")),
                    Status.describe(error.status()));
        }
    }
}
