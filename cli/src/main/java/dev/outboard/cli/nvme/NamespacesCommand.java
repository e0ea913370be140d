package dev.outboard.cli.nvme;

import dev.outboard.cli.DestroyOption;
import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.driver.ByteSize;
import dev.outboard.linux.StructView;
import dev.outboard.nvme.NamespaceFormat;
import dev.outboard.nvme.NamespaceManagement;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeNamespace;
import dev.outboard.specs.nvme.Identify;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code outboard nvme namespaces}. */
@Command(
        name = "namespaces",
        description = {
            "The namespaces that there are; or creates, deletes, attaches or detaches one, and shows what there is then.",
            "A new namespace is attached at once."
        })
final class NamespacesCommand implements Callable<Integer> {
    /** What to do. */
    enum Action {
        LIST,
        CREATE,
        DELETE,
        ATTACH,
        DETACH
    }

    @Parameters(
            arity = "0..1",
            paramLabel = "ACTION",
            defaultValue = "list",
            description = "list, create, delete, attach or detach; unless told ${DEFAULT-VALUE}.")
    private Action action = Action.LIST;

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Option(names = "--blocks", paramLabel = "N", description = "How many blocks a new one has.")
    private @Nullable Long blocks;

    @Option(
            names = "--lba-format",
            paramLabel = "N",
            defaultValue = "0",
            description = "Which of the controller's LBA formats a new one has; unless told ${DEFAULT-VALUE}.")
    private int lbaFormat;

    @Mixin
    private DestroyOption destroy = new DestroyOption();

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        if (action == Action.DELETE) {
            device.requireDestroy(destroy, "all data");
        }
        FormatCommand.checkLbaFormat(lbaFormat);
        try (NvmeController controller = device.open()) {
            NamespaceManagement namespaces =
                    controller.admin().withTimeout(DeviceOptions.LONG).namespaces();
            switch (action) {
                case LIST -> {
                    // That comes anyway.
                }
                case CREATE -> create(namespaces);
                case DELETE -> namespaces.delete(device.requireNamespaceId());
                case ATTACH -> namespaces.attach(device.requireNamespaceId());
                case DETACH -> namespaces.detach(device.requireNamespaceId());
            }
            show(controller);
        }
        return 0;
    }

    private void create(NamespaceManagement namespaces) throws IOException {
        if (blocks == null || blocks < 1) {
            throw new IllegalArgumentException("create needs --blocks, at least 1");
        }
        namespaces.attach(namespaces.create(blocks, NamespaceFormat.of(lbaFormat)));
    }

    private void show(NvmeController controller) throws IOException {
        List<Integer> allocated = allocated(controller);
        if (output.json()) {
            List<Object> json = new ArrayList<>();
            for (int id : allocated) {
                Map<String, Object> each = Json.object();
                NvmeNamespace active = active(controller, id);
                each.put("nsid", Integer.toUnsignedLong(id));
                each.put("attached", active != null);
                StructView identity =
                        active == null ? controller.admin().namespaces().identify(id) : active.identity();
                each.put("nsze", Long.toUnsignedString(identity.get("nsze")));
                if (active != null) {
                    each.put("blockSize", active.blockSizeBytes());
                    each.put("metadataSize", active.metadataBytes());
                }
                json.add(each);
            }
            Map<String, Object> document = Json.object();
            document.put("namespaces", json);
            Json.print(System.out, document);
            return;
        }
        for (int id : allocated) {
            NvmeNamespace active = active(controller, id);
            System.out.println(
                    active == null
                            ? "namespace " + Integer.toUnsignedString(id) + ": not attached"
                            : active + " (" + new ByteSize(active.sizeBytes()) + ")");
        }
    }

    /** Those that are attached, where the controller does not know of others. */
    private static List<Integer> allocated(NvmeController controller) throws IOException {
        boolean manages =
                Identify.OACS_NAMESPACES.isSet(controller.identity().data().get("oacs"));
        return manages
                ? controller.admin().namespaces().allocated()
                : controller.namespaces().stream().map(NvmeNamespace::id).toList();
    }

    private static @Nullable NvmeNamespace active(NvmeController controller, int id) {
        return controller.namespaces().stream()
                .filter(each -> each.id() == id)
                .findFirst()
                .orElse(null);
    }
}
