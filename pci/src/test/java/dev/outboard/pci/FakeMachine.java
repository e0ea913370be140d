package dev.outboard.pci;

import dev.outboard.memory.Claims;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The files of a machine that is not there: sysfs as Linux lays it out, in a folder. */
public final class FakeMachine {
    public static final String NVME = "0000:03:00.0";
    public static final String EDU = "0000:00:06.0";

    final Path root;

    FakeMachine(Path root) {
        this.root = root;
    }

    /** A machine with an NVMe controller behind a bridge, driven by the kernel, and an edu that nobody drives. */
    public static FakeMachine typical(Path root) throws IOException {
        FakeMachine machine = new FakeMachine(root);
        machine.write("sys/bus/pci/drivers_probe", "");
        machine.write("sys/bus/pci/drivers/nvme/unbind", "");
        machine.function("pci0000:00/0000:00:1c.0/" + NVME, 0x144d, 0xa80a, 0x010802, """
                0x00000000fe800000 0x00000000fe803fff 0x0000000000140204
                0x0000000000000000 0x0000000000000000 0x0000000000000000
                0x000000000000e000 0x000000000000e0ff 0x0000000000040101
                0x0000000000000000 0x0000000000000000 0x0000000000000000
                0x0000004000000000 0x00000040ffffffff 0x000000000014220c
                0x0000000000000000 0x0000000000000000 0x0000000000000000
                0x00000000fe810000 0x00000000fe81ffff 0x0000000000046200
                """);
        machine.function("pci0000:00/" + EDU, 0x1234, 0x11e8, 0x00ff00, """
                0x00000000fe900000 0x00000000fe9fffff 0x0000000000040200
                """);
        machine.bind(NVME, "nvme");
        machine.group(NVME, 14);
        machine.group(EDU, 15);
        machine.write(device(NVME) + "/numa_node", "1");
        return machine;
    }

    public static String device(String address) {
        return "sys/bus/pci/devices/" + address;
    }

    public Path write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        return Files.writeString(path, text + "\n");
    }

    String read(String file) throws IOException {
        return Files.readString(root.resolve(file)).strip();
    }

    void link(String link, String target) throws IOException {
        Path path = root.resolve(link);
        Files.createDirectories(path.getParent());
        Files.createDirectories(root.resolve(target));
        Files.deleteIfExists(path);
        Files.createSymbolicLink(path, path.getParent().relativize(root.resolve(target)));
    }

    public void function(String path, int vendor, int device, int classCode, String resource) throws IOException {
        String directory = "sys/devices/" + path;
        write(directory + "/vendor", "0x%04x".formatted(vendor));
        write(directory + "/device", "0x%04x".formatted(device));
        write(directory + "/subsystem_vendor", "0x1af4");
        write(directory + "/subsystem_device", "0x1100");
        write(directory + "/class", "0x%06x".formatted(classCode));
        write(directory + "/revision", "0x02");
        write(directory + "/numa_node", "-1");
        write(directory + "/driver_override", "(null)");
        write(directory + "/modalias", "pci:somebody");
        Files.writeString(root.resolve(directory).resolve("resource"), resource);
        link("sys/bus/pci/devices/" + path.substring(path.lastIndexOf('/') + 1), directory);
    }

    public void bind(String address, String driver) throws IOException {
        link(device(address) + "/driver", "sys/bus/pci/drivers/" + driver);
    }

    void group(String address, int number) throws IOException {
        link(device(address) + "/iommu_group", "sys/kernel/iommu_groups/" + number);
    }

    /** A namespace with two partitions, where the kernel has it if the controller has it alone. */
    void namespace() throws IOException {
        String controller = device(NVME) + "/nvme/nvme0";
        block(controller + "/nvme0n1", "nvme0n1", "259:0");
        block(controller + "/nvme0n1/nvme0n1p1", "nvme0n1p1", "259:1");
        block(controller + "/nvme0n1/nvme0n1p2", "nvme0n1p2", "259:2");
    }

    /** A namespace that several controllers could share, which hangs below their subsystem. */
    void sharedNamespace() throws IOException {
        String subsystem = "sys/devices/virtual/nvme-subsystem/nvme-subsys0";
        link(subsystem + "/nvme0", device(NVME) + "/nvme/nvme0");
        link("sys/class/nvme-subsystem/nvme-subsys0", subsystem);
        block(subsystem + "/nvme0n1", "nvme0n1", "259:0");
    }

    void block(String directory, String name, String numbers) throws IOException {
        write(directory + "/dev", numbers);
        Files.createDirectories(root.resolve(directory).resolve("holders"));
        link("sys/class/block/" + name, directory);
    }

    public PciBus bus() {
        return PciBus.at(root);
    }

    /** The claims of this machine. */
    public Claims claims() {
        return Claims.in(root.resolve("run/outboard/claims"));
    }
}
