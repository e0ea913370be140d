package dev.outboard.cli.nvme;

import dev.outboard.cli.DestroyOption;
import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.nvme.NamespaceFormat;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeNamespace;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.NamespaceCommand;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code outboard nvme format}. */
@Command(name = "format", description = "Formats a namespace: all its data are gone.")
final class FormatCommand implements Callable<Integer> {
    /** How thoroughly. */
    enum SecureErase {
        NONE(NamespaceCommand.ERASE_NONE),
        USER_DATA(NamespaceCommand.ERASE_USER_DATA),
        CRYPTOGRAPHIC(NamespaceCommand.ERASE_CRYPTOGRAPHIC);

        private final int code;

        SecureErase(int code) {
            this.code = code;
        }
    }

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Option(
            names = "--lba-format",
            paramLabel = "N",
            description =
                    "Which of the controller's LBA formats (identify --json lists them); unless told the present one.")
    private @Nullable Integer lbaFormat;

    @Option(
            names = "--secure-erase",
            paramLabel = "HOW",
            defaultValue = "none",
            description = "none, user_data or cryptographic; unless told ${DEFAULT-VALUE}.")
    private SecureErase secureErase = SecureErase.NONE;

    @Option(
            names = "--protection",
            paramLabel = "TYPE",
            defaultValue = "0",
            description = "The type of protection information, 1 to 3; unless told 0, none.")
    private int protection;

    @Mixin
    private DestroyOption destroy = new DestroyOption();

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        device.requireDestroy(destroy, "all data");
        try (NvmeController controller = device.open()) {
            NvmeNamespace before = device.namespace(controller);
            int format = lbaFormat == null ? present(before) : lbaFormat;
            controller
                    .admin()
                    .withTimeout(DeviceOptions.LONG)
                    .namespaces()
                    .format(
                            before.id(),
                            new NamespaceFormat(format, before.hasExtendedBlocks(), protection, false),
                            secureErase.code);
            NvmeNamespace after = controller.namespace(before.id());
            if (output.json()) {
                Json.print(System.out, IdentifyJson.namespace(after));
            } else {
                System.out.println(after);
            }
        }
        return 0;
    }

    private static int present(NvmeNamespace namespace) {
        long flbas = namespace.identity().get("flbas");
        return (int) (Identify.FLBAS_INDEX_LOW.get(flbas)
                | Identify.FLBAS_INDEX_HIGH.get(flbas) << Identify.FLBAS_INDEX_LOW.widthBits());
    }
}
