package dev.outboard.pci.qemu;

import dev.outboard.driver.ByteSize;
import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Fd;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which device, and what QEMU needs behind it: a drive for those that store, a wire between the two ports of the serial card
 * that has two, memory for those that share it, a connection to the server of their peers. Everything else is as QEMU has
 * it.
 *
 * @param model QEMU's name for it
 * @param properties of its {@code -device} option
 * @param drive what it stores on, if it does
 */
record QemuDevice(
        String model,
        SequencedMap<String, String> properties,
        @Nullable Drive drive) {
    private static final Set<String> OURS = Set.of("id", "bus", "addr");
    private static final String WIRED_PORTS = "pci-serial-2x";
    private static final String SHARED_MEMORY = "ivshmem-plain";
    private static final ByteSize USUAL_SHARED_MEMORY = new ByteSize(1L << 20);
    private static final String SHARED_MEMORY_WITH_PEERS = "ivshmem-doorbell";
    private static final String PEERS = "peers";
    private static final ByteSize USUAL_DRIVE = new ByteSize(1L << 30);
    private static final int OWNER_ONLY = 0600;

    /**
     * A disk image.
     *
     * @param file the file that it is in; null for memory
     * @param size its least size; null for the file's own
     */
    record Drive(@Nullable String file, @Nullable ByteSize size) {
        Fd open() throws IOException {
            if (file == null) {
                return Fd.memfd("outboard-drive", (size == null ? USUAL_DRIVE : size).bytes());
            }
            Fd opened = Fd.open(file, Fd.O_RDWR | Fd.O_CREAT, OWNER_ONLY);
            try {
                long now = opened.regularFileBytes();
                if (now < 0) {
                    throw new DeviceException(file + " is no regular file; a drive of QEMU's needs one");
                }
                long wanted = size != null ? size.bytes() : now == 0 ? USUAL_DRIVE.bytes() : now;
                if (now < wanted) {
                    opened.truncate(wanted);
                }
                return opened;
            } catch (IOException e) {
                opened.close();
                throw e;
            }
        }
    }

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
        String file = properties.remove("file");
        String size = properties.remove("size");
        boolean stores = model.equals("nvme") || model.startsWith("virtio-blk");
        Drive drive = null;
        if (model.equals(SHARED_MEMORY)) {
            drive = new Drive(file, size == null ? USUAL_SHARED_MEMORY : ByteSize.parse(size));
        } else if (stores || file != null || size != null) {
            drive = new Drive(file, size == null ? null : ByteSize.parse(size));
        }
        if (model.equals("nvme")) {
            properties.putIfAbsent("serial", "outboard");
        }
        return new QemuDevice(model, properties, drive);
    }

    /**
     * The options that make it.
     *
     * @param place where it goes: the id, the bus and the slot
     * @param storage the file of its drive, if it has one
     * @param directory a directory that lasts until QEMU has started
     */
    List<String> arguments(String place, @Nullable String storage, Path directory) {
        List<String> arguments = new ArrayList<>();
        SequencedMap<String, String> all = new LinkedHashMap<>(properties);
        if (storage != null && model.equals(SHARED_MEMORY) && drive != null && drive.size() != null) {
            arguments.addAll(List.of(
                    "-object",
                    "memory-backend-file,id=shared,share=on,size="
                            + drive.size().bytes() + ",mem-path=" + value(storage)));
            all.put("memdev", "shared");
        } else if (storage != null) {
            arguments.addAll(List.of("-drive", "if=none,format=raw,id=drive,file=" + value(storage)));
            all.put("drive", "drive");
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
        String text = all.entrySet().stream()
                .map(each -> "," + value(each.getKey()) + "=" + value(each.getValue()))
                .collect(Collectors.joining());
        arguments.addAll(List.of("-device", model + "," + place + text));
        return arguments;
    }

    /** In QEMU's options a comma is written twice. */
    private static String value(String text) {
        return text.replace(",", ",,");
    }
}
