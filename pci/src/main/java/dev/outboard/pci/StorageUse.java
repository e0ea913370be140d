package dev.outboard.pci;

import dev.outboard.driver.DeviceBusyException;
import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether somebody's data would be lost with a PCI function: whether a block device behind it is mounted, used as swap, or
 * part of a device-mapper, md or btrfs device.
 */
final class StorageUse {
    private static final Pattern OCTAL_ESCAPE = Pattern.compile("\\\\([0-7]{3})");
    private static final int OCTAL = 8;
    // proc(5), /proc/pid/mountinfo.
    private static final int MOUNT_NUMBERS = 2;
    private static final int MOUNT_POINT = 4;

    private final Path root;
    private final String address;
    /** The block devices behind the function, partitions too: name to {@code major:minor}. */
    private final Map<String, String> blocks = new TreeMap<>();

    private StorageUse(Path root, String address) {
        this.root = root;
        this.address = address;
    }

    /**
     * Looks what a function's block devices are used for.
     *
     * @param bus the bus
     * @param address the function's canonical address
     * @throws DeviceBusyException if one is used; the message says for what, and how to end that
     * @throws IOException if it cannot be found out
     */
    static void refuseIfUsed(PciBus bus, String address) throws IOException {
        look(bus, address);
    }

    /**
     * The same, and keeps the block devices from being mounted, or used otherwise, until what is returned is closed.
     * Claims need permission to read the devices; without it none is made.
     */
    static List<Fd> claim(PciBus bus, String address) throws IOException {
        return look(bus, address).claimAll();
    }

    private static StorageUse look(PciBus bus, String address) throws IOException {
        StorageUse use = new StorageUse(bus.root(), address);
        use.findBlocks(bus.directory(address));
        if (!use.blocks.isEmpty()) {
            use.refuseMounted();
            use.refuseSwap();
            use.refuseHeld();
            use.refuseBtrfs();
            use.claimAll().forEach(Fd::close);
        }
        return use;
    }

    private void findBlocks(Path function) throws IOException {
        Path real = function.toRealPath();
        List<Path> parents = new ArrayList<>(List.of(real));
        // A namespace of an NVMe controller that can share it belongs to a subsystem, which is no child of the
        // function.
        for (Path subsystem : entries(root.resolve("sys/class/nvme-subsystem"))) {
            for (Path member : entries(subsystem)) {
                if (Files.isSymbolicLink(member) && isBelow(member, real)) {
                    parents.add(subsystem.toRealPath());
                }
            }
        }
        for (Path block : entries(root.resolve("sys/class/block"))) {
            try {
                for (Path parent : parents) {
                    if (block.toRealPath().startsWith(parent)) {
                        Path numbers = block.resolve("dev");
                        // The hidden paths to a shared namespace have no numbers.
                        String known = Files.exists(numbers)
                                ? Files.readString(numbers).strip()
                                : "";
                        blocks.put(block.getFileName().toString(), known);
                    }
                }
            } catch (NoSuchFileException removed) {
                // A block device that went away holds nobody's data.
            }
        }
    }

    private static boolean isBelow(Path link, Path directory) throws IOException {
        try {
            return link.toRealPath().startsWith(directory);
        } catch (NoSuchFileException removed) {
            return false;
        }
    }

    private void refuseMounted() throws IOException {
        for (String line : lines("proc/self/mountinfo")) {
            String[] fields = line.split(" ", -1);
            int separator = List.of(fields).indexOf("-");
            if (separator <= MOUNT_POINT || separator + 2 >= fields.length) {
                continue;
            }
            String numbers = fields[MOUNT_NUMBERS];
            String source = nameOf(unescape(fields[separator + 2]));
            for (Map.Entry<String, String> block : blocks.entrySet()) {
                // By source too: what btrfs mounts has numbers of its own.
                if (block.getValue().equals(numbers) || block.getKey().equals(source)) {
                    String point = unescape(fields[MOUNT_POINT]);
                    throw busy(block.getKey() + " is mounted at " + point, "unmount it first: umount " + point);
                }
            }
        }
    }

    private void refuseSwap() throws IOException {
        for (String line : lines("proc/swaps")) {
            String name = nameOf(unescape(line.split("\\s+", -1)[0]));
            // Null for the table's heading, and for files.
            if (name != null && blocks.containsKey(name)) {
                throw busy(name + " is used as swap", "end that first: swapoff /dev/" + name);
            }
        }
    }

    private void refuseHeld() throws IOException {
        for (String block : blocks.keySet()) {
            for (Path holder :
                    entries(root.resolve("sys/class/block").resolve(block).resolve("holders"))) {
                String name = holder.getFileName().toString();
                throw busy(
                        block + " is part of " + describe(name),
                        name.startsWith("md")
                                ? "stop that first: mdadm --stop /dev/" + name
                                : "end that first: dmsetup info " + name + " says what it is");
            }
        }
    }

    private String describe(String holder) throws IOException {
        Path name = root.resolve("sys/class/block").resolve(holder).resolve("dm/name");
        return Files.exists(name) ? holder + " (" + Files.readString(name).strip() + ")" : holder;
    }

    private void refuseBtrfs() throws IOException {
        for (Path fileSystem : entries(root.resolve("sys/fs/btrfs"))) {
            for (Path member : entries(fileSystem.resolve("devices"))) {
                String name = member.getFileName().toString();
                if (blocks.containsKey(name)) {
                    throw busy(
                            name + " is part of the mounted btrfs " + fileSystem.getFileName(), "unmount that first");
                }
            }
        }
    }

    /** Opens the devices as a file system does: what uses one in a way that was not looked for keeps this from it. */
    private List<Fd> claimAll() throws IOException {
        List<Fd> claims = new ArrayList<>();
        for (String block : blocks.keySet()) {
            Path node = root.resolve("dev").resolve(block);
            boolean partition =
                    Files.exists(root.resolve("sys/class/block").resolve(block).resolve("partition"));
            // A claim on the whole is one on its partitions, which cannot be claimed besides.
            if (!partition && Files.exists(node) && !Files.isRegularFile(node)) {
                try {
                    claims.add(Fd.open(node.toString(), Fd.O_RDONLY | Fd.O_EXCL | Fd.O_NONBLOCK));
                } catch (LinuxException e) {
                    if (e.errno() == Errno.EBUSY) {
                        claims.forEach(Fd::close);
                        throw busy(
                                block + " is in use, perhaps mounted in a container",
                                "end that first: lsblk and fuser -v /dev/" + block + " may say who it is");
                    }
                    // Without permission there is no binding either; what else fails here fails there.
                }
            }
        }
        return claims;
    }

    private DeviceBusyException busy(String what, String advice) {
        return new DeviceBusyException(address + " is not free: " + what + "; " + advice);
    }

    private List<String> lines(String file) throws IOException {
        Path path = root.resolve(file);
        return Files.exists(path) ? Files.readAllLines(path) : List.of();
    }

    /** The kernel's name of a device file, which may be a link such as those of /dev/disk; empty if it is none. */
    private String nameOf(String source) throws IOException {
        if (!source.startsWith("/dev/")) {
            return "";
        }
        Path file = root.resolve(source.substring(1));
        Path name = (Files.exists(file) ? file.toRealPath() : file).getFileName();
        return name == null ? "" : name.toString();
    }

    private static String unescape(String text) {
        return OCTAL_ESCAPE.matcher(text).replaceAll(StorageUse::unescaped);
    }

    private static String unescaped(MatchResult escape) {
        String character = String.valueOf((char) Integer.parseInt(escape.group(1), OCTAL));
        return Matcher.quoteReplacement(character);
    }

    private static List<Path> entries(Path directory) throws IOException {
        List<Path> entries = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
            stream.forEach(entries::add);
        } catch (NoSuchFileException | NotDirectoryException none) {
            return List.of();
        }
        entries.sort(null);
        return entries;
    }
}
