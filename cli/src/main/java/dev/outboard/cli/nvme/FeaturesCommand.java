package dev.outboard.cli.nvme;

import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.nvme.Features;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeException;
import dev.outboard.specs.nvme.Feature;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code outboard nvme features}. */
@Command(
        name = "features",
        description = {
            "The controller's settings; with --feature one, with --set sets it before.",
            "What is set holds until the next reset, and so until the command ends, unless it is saved."
        })
final class FeaturesCommand implements Callable<Integer> {
    private static final int LAST_FEATURE = 0xff;
    private static final Map<Integer, String> NAMES = new LinkedHashMap<>();

    static {
        NAMES.put(Feature.ARBITRATION, "arbitration");
        NAMES.put(Feature.POWER_MANAGEMENT, "power management");
        NAMES.put(Feature.TEMPERATURE_THRESHOLD, "temperature threshold");
        NAMES.put(Feature.ERROR_RECOVERY, "error recovery");
        NAMES.put(Feature.VOLATILE_WRITE_CACHE, "volatile write cache");
        NAMES.put(Feature.NUMBER_OF_QUEUES, "number of queues");
        NAMES.put(Feature.INTERRUPT_COALESCING, "interrupt coalescing");
        NAMES.put(Feature.INTERRUPT_VECTOR_CONFIGURATION, "interrupt vector configuration");
        NAMES.put(Feature.WRITE_ATOMICITY, "write atomicity");
        NAMES.put(Feature.ASYNCHRONOUS_EVENT_CONFIGURATION, "asynchronous event configuration");
        NAMES.put(Feature.HOST_MEMORY_BUFFER, "host memory buffer");
        NAMES.put(Feature.KEEP_ALIVE_TIMER, "keep alive timer");
        NAMES.put(Feature.NON_OPERATIONAL_POWER_STATE, "non-operational power state");
        NAMES.put(Feature.SANITIZE_CONFIGURATION, "sanitize configuration");
        NAMES.put(Feature.SOFTWARE_PROGRESS_MARKER, "software progress marker");
    }

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Option(names = "--feature", paramLabel = "ID", description = "The feature's identifier, for example 0x06.")
    private @Nullable Long feature;

    @Option(names = "--set", paramLabel = "VALUE", description = "What it shall be.")
    private @Nullable Long value;

    @Option(names = "--save", description = "It shall outlive resets and power-off.")
    private boolean save;

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        if (feature == null && value != null) {
            throw new IllegalArgumentException("which feature? say --feature ID");
        }
        Map<Integer, String> shown = NAMES;
        if (feature != null) {
            if (feature > LAST_FEATURE) {
                throw new IllegalArgumentException("--feature is 0 to 0xff, not " + feature);
            }
            if (value != null && value >>> Integer.SIZE != 0) {
                throw new IllegalArgumentException("--set is a number of 32 bits, not " + value);
            }
            int id = feature.intValue();
            shown = Map.of(id, NAMES.getOrDefault(id, "feature"));
        }
        try (NvmeController controller = device.open()) {
            Features features = controller.admin().features();
            int namespace = device.namespaceIdOr(0);
            if (feature != null && value != null) {
                features.set(feature.intValue(), value.intValue(), namespace, save);
            }
            show(features, shown, namespace);
        }
        return 0;
    }

    /** Whether a feature is a number alone, without data in memory. */
    static boolean isNumber(int id) {
        return NAMES.containsKey(id);
    }

    private void show(Features features, Map<Integer, String> shown, int namespace) throws IOException {
        List<Object> json = new ArrayList<>();
        for (Map.Entry<Integer, String> each : shown.entrySet()) {
            int current;
            Map<String, Long> fields = new LinkedHashMap<>();
            try {
                current = each.getKey() == Feature.HOST_MEMORY_BUFFER
                        ? hostMemory(features.hostMemory(), fields)
                        : features.get(each.getKey(), Feature.SELECT_CURRENT, namespace, 0);
            } catch (NvmeException refused) {
                if (feature != null) {
                    throw refused;
                }
                // The controller does not have it, or only namespaces do.
                continue;
            }
            if (output.json()) {
                Map<String, Object> object = Json.object();
                object.put("feature", each.getKey());
                object.put("name", each.getValue());
                object.put("value", Integer.toUnsignedLong(current));
                object.putAll(fields);
                json.add(object);
            } else {
                System.out.printf("0x%02x  %-33s 0x%08x", each.getKey(), each.getValue(), current);
                fields.forEach((name, field) -> System.out.printf("  %s 0x%x", name, field));
                System.out.println();
            }
        }
        if (output.json()) {
            Map<String, Object> document = Json.object();
            document.put("features", json);
            Json.print(System.out, document);
        }
    }

    /** Under nvme-cli's names; returns what it shows as the value. */
    private static int hostMemory(Features.HostMemory buffer, Map<String, Long> fields) {
        fields.put("hsize", buffer.pages());
        fields.put("hmdlal", buffer.listAddress() & 0xffff_ffffL);
        fields.put("hmdlau", buffer.listAddress() >>> Integer.SIZE);
        fields.put("hmdlec", buffer.pieces());
        return (int) Feature.HOST_MEMORY_ENABLED.of(buffer.enabled() ? 1 : 0);
    }
}
