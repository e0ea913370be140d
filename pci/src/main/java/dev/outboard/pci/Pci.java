package dev.outboard.pci;

import dev.outboard.driver.DeviceAddress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;

/** Opens PCI functions. */
public final class Pci {
    private Pci() {}

    /**
     * Opens the function at an address, over the access path that the address names.
     *
     * @param address for example {@code "vfio:0000:03:00.0"}
     * @return the function
     * @throws IOException if it cannot be opened
     * @throws UnknownAccessPathException if there is no such access path
     */
    public static PciFunction open(String address) throws IOException {
        return open(DeviceAddress.parse(address));
    }

    /**
     * Opens the function at an address, over the access path that the address names.
     *
     * @param address the address
     * @return the function
     * @throws IOException if it cannot be opened
     * @throws UnknownAccessPathException if there is no such access path
     */
    public static PciFunction open(DeviceAddress address) throws IOException {
        return path(address).open(address);
    }

    /**
     * Opens the function at an address, for an access path that is built on another.
     *
     * @param address the address
     * @param known the address by which the user knows the function: what messages call it
     * @return the function
     * @throws IOException if it cannot be opened
     * @throws UnknownAccessPathException if there is no such access path
     */
    public static PciFunction open(DeviceAddress address, DeviceAddress known) throws IOException {
        return path(address).open(address, known);
    }

    /**
     * Opens the function at an address to read its registers, for tools. By sysfs that works while a kernel driver has the
     * function: nothing is enabled, reset or written then, and what would write throws {@link IllegalStateException} or
     * {@link UnsupportedOperationException}. Other access paths open it as {@link #open(String)}.
     *
     * @param address for example {@code "sysfs:0000:03:00.0"}
     * @return the function
     * @throws IOException if it cannot be opened
     * @throws UnknownAccessPathException if there is no such access path
     */
    public static PciFunction look(String address) throws IOException {
        DeviceAddress parsed = DeviceAddress.parse(address);
        return path(parsed).look(parsed);
    }

    private static AccessPath path(DeviceAddress address) {
        List<String> names = new ArrayList<>();
        for (AccessPath path : ServiceLoader.load(AccessPath.class)) {
            if (path.name().equals(address.path())) {
                return path;
            }
            names.add(path.name());
        }
        names.sort(null);
        throw new UnknownAccessPathException(address, names);
    }
}
