package dev.outboard.pci.qemu;

import dev.outboard.driver.ByteSize;
import dev.outboard.driver.DeviceAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which device, and what QEMU needs behind it: drives for those that store, namespaces and their subsystem, a wire between
 * the two ports of the serial card that has two, memory for those that share it, a connection to the server of their peers.
 * Everything else is as QEMU has it.
 *
 * @param model QEMU's name for it
 * @param properties of its {@code -device} option
 * @param drive what it stores on, if it does so itself
 * @param namespaces what it stores on otherwise
 * @param persistentMemory what its persistent memory region is on, if it is a controller that has one
 */
record QemuDevice(
        String model,
        SequencedMap<String, String> properties,
        @Nullable QemuDrive drive,
        QemuNamespaces namespaces,
        @Nullable QemuDrive persistentMemory) {
    private static final String ID = "device";
    private static final Set<String> OURS = Set.of("id", "bus", "addr");
    private static final String CONTROLLER = "nvme";
    private static final String SUBSYSTEM = "subsys";
    private static final String PERSISTENT_MEMORY = "pmr.";
    private static final String WIRED_PORTS = "pci-serial-2x";
    private static final String SHARED_MEMORY = "ivshmem-plain";
    private static final String USUAL_SHARED_MEMORY = "1M";
    private static final String SHARED_MEMORY_WITH_PEERS = "ivshmem-doorbell";
    private static final String PEERS = "peers";

    static QemuDevice of(DeviceAddress address) {
        String model = address.deviceName();
        // QEMU would take a comma for the beginning of an option.
        if (!model.matches("[A-Za-z0-9._-]+")) {
            throw new IllegalArgumentException(
                    "\"" + model + "\" is no device of QEMU; one looks like nvme, and qemu-system-x86_64 -device help"
                            + " lists them");
        }
        SequencedMap<String, String> properties = address.options();
        for (String property : OURS) {
            if (properties.containsKey(property)) {
                throw new IllegalArgumentException(address + ": leave " + property + " out; Outboard chooses it");
            }
        }
        // A boot ROM would only have to be installed.
        properties.putIfAbsent("romfile", "");
        if (model.equals(SHARED_MEMORY)) {
            properties.putIfAbsent("size", USUAL_SHARED_MEMORY);
        }
        QemuDrive persistentMemory = model.equals(CONTROLLER) ? persistentMemory(address, properties) : null;
        QemuNamespaces namespaces = QemuNamespaces.takeFrom(address, properties);
        boolean hasNamespaces = !namespaces.all().isEmpty();
        boolean describesDrive = properties.containsKey("file") || properties.containsKey("size");
        if (hasNamespaces && (describesDrive || !model.equals(CONTROLLER))) {
            throw new IllegalArgumentException(address + ": "
                    + (describesDrive
                            ? "size and file are of a namespace each where there are some, as ns1.size"
                            : "only " + CONTROLLER + " has namespaces"));
        }
        boolean stores = (model.equals(CONTROLLER) && !hasNamespaces) || model.startsWith("virtio-blk");
        QemuDrive drive = stores || describesDrive ? QemuDrive.takeFrom(properties) : null;
        if (model.equals(CONTROLLER)) {
            properties.putIfAbsent("serial", "outboard");
        }
        return new QemuDevice(model, properties, drive, namespaces, persistentMemory);
    }

    private static @Nullable QemuDrive persistentMemory(DeviceAddress address, SequencedMap<String, String> options) {
        SequencedMap<String, String> own = new LinkedHashMap<>();
        options.entrySet().removeIf(option -> {
            boolean isOwn = option.getKey().startsWith(PERSISTENT_MEMORY);
            if (isOwn) {
                own.put(option.getKey().substring(PERSISTENT_MEMORY.length()), option.getValue());
            }
            return isOwn;
        });
        if (own.isEmpty()) {
            return null;
        }
        QemuDrive memory = QemuDrive.takeFrom(own);
        if (!own.isEmpty() || memory.size() == null) {
            throw new IllegalArgumentException(address + ": a persistent memory region has " + PERSISTENT_MEMORY
                    + "size, and " + PERSISTENT_MEMORY + "file if it is to be kept, and no more");
        }
        return memory;
    }

    /** What it stores on; the persistent memory region comes last. */
    List<QemuDrive> drives() {
        List<QemuDrive> drives = new ArrayList<>(drive == null ? namespaces.drives() : List.of(drive));
        if (persistentMemory != null) {
            drives.add(persistentMemory);
        }
        return drives;
    }

    /**
     * The options that make it.
     *
     * @param place where it goes: the bus and the slot
     * @param storage the files of its {@link #drives}
     * @param directory a directory that lasts until QEMU has started
     */
    List<String> arguments(String place, List<String> storage, Path directory) {
        List<String> arguments = new ArrayList<>();
        SequencedMap<String, String> all = new LinkedHashMap<>(properties);
        if (drive != null && drive.size() != null && model.equals(SHARED_MEMORY)) {
            addMemory(arguments, "shared", drive.size(), storage.getFirst());
            all.put("memdev", "shared");
        } else if (drive != null) {
            addDrive(arguments, "drive", storage.getFirst());
            all.put("drive", "drive");
        }
        if (persistentMemory != null && persistentMemory.size() != null) {
            addMemory(arguments, "persistent", persistentMemory.size(), storage.getLast());
            all.put("pmrdev", "persistent");
        }
        String subsystem = model.equals(CONTROLLER) ? all.remove(SUBSYSTEM) : null;
        if (subsystem != null) {
            arguments.addAll(List.of("-device", "nvme-subsys,id=subsystem,nqn=" + value(subsystem)));
            all.put(SUBSYSTEM, "subsystem");
        }
        if (model.equals(WIRED_PORTS) && !all.containsKey("chardev1") && !all.containsKey("chardev2")) {
            String wire = "path=" + value(directory.resolve("wire").toString());
            arguments.addAll(List.of("-chardev", "socket,id=wire1,server=on,wait=off," + wire));
            arguments.addAll(List.of("-chardev", "socket,id=wire2,server=off," + wire));
            all.put("chardev1", "wire1");
            all.put("chardev2", "wire2");
        }
        String peers = model.equals(SHARED_MEMORY_WITH_PEERS) ? all.remove(PEERS) : null;
        if (peers != null) {
            arguments.addAll(List.of("-chardev", "socket,id=peers,path=" + value(peers)));
            all.put("chardev", "peers");
        }
        arguments.addAll(List.of("-device", model + ",id=" + ID + "," + place + text(all)));
        for (int i = 0; i < namespaces.all().size(); i++) {
            QemuNamespaces.Namespace namespace = namespaces.all().get(i);
            String id = "namespace" + namespace.id();
            addDrive(arguments, id, storage.get(i));
            String onController = "nvme-ns,bus=%s,drive=%s,nsid=%d".formatted(ID, id, namespace.id());
            arguments.addAll(List.of("-device", onController + text(namespace.properties())));
        }
        return arguments;
    }

    private static void addMemory(List<String> arguments, String id, ByteSize size, String file) {
        String memory =
                "memory-backend-file,share=on,id=%s,size=%d,mem-path=%s".formatted(id, size.bytes(), value(file));
        arguments.addAll(List.of("-object", memory));
    }

    private static void addDrive(List<String> arguments, String id, String file) {
        arguments.addAll(List.of("-drive", "if=none,format=raw,discard=unmap,id=" + id + ",file=" + value(file)));
    }

    private static String text(SequencedMap<String, String> properties) {
        return properties.entrySet().stream()
                .map(each -> "," + value(each.getKey()) + "=" + value(each.getValue()))
                .collect(Collectors.joining());
    }

    /** In QEMU's options a comma is written twice. */
    private static String value(String text) {
        return text.replace(",", ",,");
    }
}
