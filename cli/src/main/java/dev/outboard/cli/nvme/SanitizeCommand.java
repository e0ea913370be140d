package dev.outboard.cli.nvme;

import dev.outboard.cli.DestroyOption;
import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.SanitizeStatus;
import dev.outboard.specs.nvme.Maintenance;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code outboard nvme sanitize}. */
@Command(
        name = "sanitize",
        description = {
            "Starts to erase everything on the device, wherever a copy was, and shows how far it is.",
            "It goes on in the device after the command. Without --start only shows."
        })
final class SanitizeCommand implements Callable<Integer> {
    private static final int PERCENT = 100;

    /** What can be started. */
    enum Kind {
        EXIT_FAILURE(Maintenance.EXIT_FAILURE),
        BLOCK_ERASE(Maintenance.BLOCK_ERASE),
        OVERWRITE(Maintenance.OVERWRITE),
        CRYPTO_ERASE(Maintenance.CRYPTO_ERASE);

        private final int action;

        Kind(int action) {
            this.action = action;
        }
    }

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Option(
            names = "--start",
            paramLabel = "KIND",
            description = "block_erase, overwrite or crypto_erase; exit_failure leaves the state after a failed one.")
    private @Nullable Kind kind;

    @Mixin
    private DestroyOption destroy = new DestroyOption();

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        if (kind != null) {
            destroy.require(device.isModel(), "everything on " + device);
        }
        try (NvmeController controller = device.open()) {
            if (kind != null) {
                long passes = kind == Kind.OVERWRITE ? Maintenance.OVERWRITE_PASSES.of(1) : 0;
                controller.admin().sanitize((int) (Maintenance.SANITIZE_ACTION.of(kind.action) | passes), 0);
            }
            show(controller.admin().logs().sanitizeStatus());
        }
        return 0;
    }

    private void show(SanitizeStatus status) throws IOException {
        if (output.json()) {
            Map<String, Object> json = Json.object();
            json.put("sprog", status.data().get("sprog"));
            json.put("sstat", status.data().get("sstat"));
            json.put("cdw10_info", status.data().get("scdw10"));
            Json.print(System.out, json);
        } else {
            System.out.println(
                    switch (status.outcome()) {
                        case Maintenance.NEVER_SANITIZED -> "never sanitized";
                        case Maintenance.SANITIZED -> "the last sanitize succeeded";
                        case Maintenance.SANITIZING ->
                            String.format("sanitize runs: %.0f %%", status.progress() * PERCENT);
                        default -> String.format("the last sanitize ended with status %d", status.outcome());
                    });
        }
    }
}
