package dev.outboard.cli.nvme;

import dev.outboard.cli.DestroyOption;
import dev.outboard.cli.interpose.InterposeOptions;
import dev.outboard.driver.DeviceAddress;
import dev.outboard.nvme.NamespaceManagement;
import dev.outboard.nvme.Nvme;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeNamespace;
import dev.outboard.nvme.NvmeSettings;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which controller, and which of its namespaces. */
public final class DeviceOptions {
    /** What may take minutes on real media. */
    static final Duration LONG = Duration.ofMinutes(30);

    private static final String MODEL = "model:nvme";

    @Option(
            names = "--device",
            paramLabel = "ADDRESS",
            defaultValue = MODEL,
            description = "The controller, for example vfio:0000:03:00.0 or vfio-user:/run/nvme.sock; unless told"
                    + " ${DEFAULT-VALUE}, an emulated one in a process of its own.")
    private String device = MODEL;

    @Option(
            names = "--namespace",
            paramLabel = "ID",
            description = "The namespace; unless told the controller's first, or all where all are shown.")
    private @Nullable Long namespace;

    @Mixin
    private InterposeOptions interpose = new InterposeOptions();

    /** For picocli. */
    public DeviceOptions() {}

    /**
     * Opens the controller.
     *
     * @return the controller, to be closed
     * @throws IOException if it cannot be opened
     */
    public NvmeController open() throws IOException {
        return open(NvmeSettings.DEFAULT);
    }

    /** Opens the controller with settings of its own. */
    NvmeController open(NvmeSettings settings) throws IOException {
        return Nvme.open(interpose.open(device), settings);
    }

    /**
     * Finds the namespace.
     *
     * @param controller the controller
     * @return the namespace
     * @throws IllegalArgumentException if it is not there
     */
    public NvmeNamespace namespace(NvmeController controller) {
        if (namespace != null) {
            if (requireNamespaceId() == NamespaceManagement.ALL) {
                throw new IllegalArgumentException(
                        "--namespace " + namespace + " stands for all; this takes one of " + ids(controller));
            }
            return controller.namespace(requireNamespaceId());
        }
        if (controller.namespaces().isEmpty()) {
            throw new IllegalArgumentException(controller.address() + " has no active namespace");
        }
        return controller.namespaces().getFirst();
    }

    /** The namespace that was named, or all. */
    List<NvmeNamespace> namespaces(NvmeController controller) {
        return namespaceIdOr(NamespaceManagement.ALL) == NamespaceManagement.ALL
                ? controller.namespaces()
                : List.of(namespace(controller));
    }

    private static List<Integer> ids(NvmeController controller) {
        return controller.namespaces().stream().map(NvmeNamespace::id).toList();
    }

    /** The namespace's identifier, for what is not active. */
    int requireNamespaceId() {
        if (namespace == null) {
            throw new IllegalArgumentException("which namespace? say --namespace ID");
        }
        return namespaceIdOr(0);
    }

    /** The namespace's identifier, or what stands for none. */
    int namespaceIdOr(int none) {
        if (namespace == null) {
            return none;
        }
        if (namespace >>> Integer.SIZE != 0) {
            throw new IllegalArgumentException("--namespace is 0 to 0xffffffff, not " + namespace);
        }
        return namespace.intValue();
    }

    /**
     * Whether nothing can be lost on the device.
     *
     * @return whether it is an emulated one that this command starts
     */
    public boolean isModel() {
        return DeviceAddress.parse(device).isEmulated();
    }

    /** Refuses to lose something in the namespace, unless the user allowed it or it is a model's. */
    void requireDestroy(DestroyOption destroy, String loss) throws IOException {
        destroy.require(
                isModel(),
                loss + " of " + (namespace == null ? "the first namespace" : "namespace " + namespace) + " on "
                        + device);
    }

    @Override
    public String toString() {
        return device;
    }
}
