package dev.outboard.pci;

import dev.outboard.driver.DeviceAddress;
import java.util.List;

/** A device address that begins with the name of no access path. The message has those that there are. */
public final class UnknownAccessPathException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    UnknownAccessPathException(DeviceAddress address, List<String> names) {
        super("\"" + address + "\" begins with no access path; there are "
                + String.join(", ", names.subList(0, names.size() - 1)) + " and " + names.getLast()
                + ", as in vfio:0000:03:00.0");
    }
}
