package dev.outboard.pci;

import dev.outboard.driver.DeviceAddress;
import java.io.IOException;

/** One way of reaching PCI functions: VFIO, vfio-user, a model, …. Providers are found by {@link java.util.ServiceLoader}. */
public interface AccessPath {
    /**
     * What stands before the colon in the addresses of this path.
     *
     * @return for example {@code "vfio"}
     */
    String name();

    /**
     * Opens a function.
     *
     * @param address an address whose path is {@link #name}
     * @return the function, bus mastering off, interrupts off
     * @throws IOException if it is not there, or somebody else has it, or this user may not; the message says what to do
     */
    PciFunction open(DeviceAddress address) throws IOException;

    /**
     * Opens a function under another address: that by which the user knows it.
     *
     * @param address an address whose path is {@link #name}
     * @param known what the function is called, by itself and in messages
     * @return the function, as {@link #open(DeviceAddress)} has it
     * @throws IOException as {@link #open(DeviceAddress)}
     */
    default PciFunction open(DeviceAddress address, DeviceAddress known) throws IOException {
        return open(address);
    }

    /**
     * Opens a function to read its registers, and nothing else: what {@link Pci#look} does.
     *
     * @param address an address whose path is {@link #name}
     * @return the function; unless a path can do with less, as {@link #open} has it
     * @throws IOException as {@link #open}
     */
    default PciFunction look(DeviceAddress address) throws IOException {
        return open(address);
    }
}
