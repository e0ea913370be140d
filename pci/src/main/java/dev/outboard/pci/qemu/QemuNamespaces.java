package dev.outboard.pci.qemu;

import dev.outboard.driver.DeviceAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The namespaces of a controller that has several, or one that is not like the usual one: {@code ns1.size=64M}, {@code
 * ns2.zoned=on}. Each is a device of QEMU's too, {@code nvme-ns}, with properties and a drive of its own.
 *
 * @param all the namespaces, by rising identifier; none for a controller that has the usual one
 */
record QemuNamespaces(List<Namespace> all) {
    private static final Pattern OPTION = Pattern.compile("ns([1-9][0-9]{0,3})\\.(.+)");
    private static final List<String> OURS = List.of("id", "bus", "drive", "nsid");

    /**
     * One of them.
     *
     * @param id its identifier
     * @param properties of its {@code -device} option
     * @param drive what its blocks and their metadata are on
     */
    record Namespace(int id, SequencedMap<String, String> properties, QemuDrive drive) {}

    /** Takes the options of namespaces out of those of their controller. */
    static QemuNamespaces takeFrom(DeviceAddress address, SequencedMap<String, String> options) {
        Map<Integer, SequencedMap<String, String>> byId = new TreeMap<>();
        options.entrySet().removeIf(option -> {
            Matcher matcher = OPTION.matcher(option.getKey());
            if (!matcher.matches()) {
                return false;
            }
            if (OURS.contains(matcher.group(2))) {
                throw new IllegalArgumentException(
                        address + ": leave " + option.getKey() + " out; Outboard chooses it");
            }
            byId.computeIfAbsent(Integer.valueOf(matcher.group(1)), id -> new LinkedHashMap<>())
                    .put(matcher.group(2), option.getValue());
            return true;
        });
        List<Namespace> namespaces = new ArrayList<>();
        byId.forEach((id, properties) -> namespaces.add(new Namespace(id, properties, QemuDrive.takeFrom(properties))));
        return new QemuNamespaces(namespaces);
    }

    List<QemuDrive> drives() {
        return all.stream().map(Namespace::drive).toList();
    }
}
