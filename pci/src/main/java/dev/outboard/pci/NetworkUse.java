package dev.outboard.pci;

import dev.outboard.driver.DeviceBusyException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Whether somebody's connections would be lost with a PCI function: whether a network interface of it is up. */
final class NetworkUse {
    // netdevice(7), SIOCGIFFLAGS.
    private static final int IFF_UP = 0x1;

    private NetworkUse() {}

    /**
     * Looks whether a function's network interfaces are up. Only those of this process's network namespace are seen.
     *
     * @param bus the bus
     * @param address the function's canonical address
     * @throws DeviceBusyException if one is up; the message says which, and how to end that
     * @throws IOException if it cannot be found out
     */
    static void refuseIfUsed(PciBus bus, String address) throws IOException {
        Path function = bus.directory(address);
        List<Path> interfaces = new ArrayList<>(entries(function.resolve("net"), "*"));
        // A function of virtio has the interface below its virtio device.
        for (Path virtio : entries(function, "virtio*")) {
            interfaces.addAll(entries(virtio.resolve("net"), "*"));
        }
        for (Path each : interfaces) {
            if (isUp(each)) {
                String name = each.getFileName().toString();
                throw new DeviceBusyException(address + " is not free: the network interface " + name
                        + " is up; if nothing needs it, this machine's connections too: ip link set " + name + " down");
            }
        }
    }

    private static boolean isUp(Path networkInterface) throws IOException {
        try {
            String flags = Files.readString(networkInterface.resolve("flags")).strip();
            return (Long.decode(flags) & IFF_UP) != 0;
        } catch (NoSuchFileException removed) {
            return false;
        } catch (NumberFormatException e) {
            throw new IOException(networkInterface.resolve("flags") + " is no number", e);
        }
    }

    private static List<Path> entries(Path directory, String glob) throws IOException {
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory, glob)) {
            List<Path> entries = new ArrayList<>();
            stream.forEach(entries::add);
            entries.sort(null);
            return entries;
        } catch (NoSuchFileException | NotDirectoryException none) {
            return List.of();
        }
    }
}
