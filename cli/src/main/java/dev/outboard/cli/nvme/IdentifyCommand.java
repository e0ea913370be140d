package dev.outboard.cli.nvme;

import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.driver.ByteSize;
import dev.outboard.nvme.ControllerIdentity;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeNamespace;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.ProtectionInformation;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code outboard nvme identify}. */
@Command(
        name = "identify",
        description =
                "What the controller and its namespaces say that they are. With --json under nvme-cli's field names.")
final class IdentifyCommand implements Callable<Integer> {
    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        try (NvmeController controller = device.open()) {
            if (output.json()) {
                Map<String, Object> document = IdentifyJson.controller(controller.identity());
                List<Object> namespaces = new ArrayList<>();
                device.namespaces(controller).forEach(namespace -> namespaces.add(IdentifyJson.namespace(namespace)));
                document.put("namespaces", namespaces);
                Json.print(System.out, document);
            } else {
                print(controller, device.namespaces(controller), System.out);
            }
        }
        return 0;
    }

    /** What a person wants to know about a controller and some of its namespaces. */
    static void print(NvmeController controller, List<NvmeNamespace> namespaces, PrintStream out) {
        ControllerIdentity identity = controller.identity();
        long version = identity.data().get("ver");
        out.printf("device          %s%n", controller.address());
        out.printf("model           %s%n", identity.modelNumber());
        out.printf("serial number   %s%n", identity.serialNumber());
        out.printf("firmware        %s%n", identity.firmwareRevision());
        out.printf(
                "PCI vendor      %04x, of the subsystem %04x%n",
                identity.data().get("vid"), identity.data().get("ssvid"));
        out.printf(
                "NVMe version    %d.%d.%d%n",
                NvmeRegisters.VS_MJR.get(version),
                NvmeRegisters.VS_MNR.get(version),
                NvmeRegisters.VS_TER.get(version));
        out.printf("queue pairs     %d%n", controller.maximumQueuePairs());
        out.printf("transfer limit  %s%n", new ByteSize(controller.maximumTransferBytes()));
        if (identity.data().get("hmpre") != 0) {
            out.printf(
                    "host memory     %s (hmpre %d, hmmin %d, hmminds %d, hmmaxd %d)%n",
                    new ByteSize(controller.hostMemoryBytes()),
                    identity.data().get("hmpre"),
                    identity.data().get("hmmin"),
                    identity.data().get("hmminds"),
                    identity.data().get("hmmaxd"));
        }
        for (NvmeNamespace namespace : namespaces) {
            out.printf(
                    "namespace %-5d %d blocks of %d bytes%s (%s)%s%n",
                    namespace.id(),
                    namespace.blockCount(),
                    namespace.blockSizeBytes(),
                    namespace.metadataBytes() == 0 ? "" : " and " + namespace.metadataBytes() + " bytes of metadata",
                    new ByteSize(namespace.sizeBytes()),
                    more(namespace));
        }
    }

    private static String more(NvmeNamespace namespace) {
        return protection(namespace) + (namespace.zones() == null ? "" : ", " + namespace.zones());
    }

    private static String protection(NvmeNamespace namespace) {
        if (namespace.protectionType() == 0) {
            return "";
        }
        String type = ", protection information of type " + namespace.protectionType();
        ProtectionInformation made = namespace.protection();
        return made.equals(ProtectionInformation.STANDARD)
                ? type
                : type + " with guards of " + made.guard().bits() + " bits"
                        + (made.storageTagBits() == 0 ? "" : " and storage tags of " + made.storageTagBits() + " bits");
    }
}
