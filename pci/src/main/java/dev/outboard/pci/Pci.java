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
     * @throws IllegalArgumentException if there is no such access path
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
     * @throws IllegalArgumentException if there is no such access path
     */
    public static PciFunction open(DeviceAddress address) throws IOException {
        List<String> names = new ArrayList<>();
        for (AccessPath path : ServiceLoader.load(AccessPath.class)) {
            if (path.name().equals(address.path())) {
                return path.open(address);
            }
            names.add(path.name());
        }
        throw new IllegalArgumentException(
                "\"" + address + "\": there is no access path \"" + address.path() + "\"; there are " + names);
    }
}
