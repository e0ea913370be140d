package dev.outboard.driver;

import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * A name for a device and for the way to it: {@code vfio:0000:03:00.0}, {@code vfio-user:/run/nvme.sock},
 * {@code model:nvme}.
 *
 * @param path the access path, before the first colon
 * @param device the device, after it, in the form that the access path understands
 */
public record DeviceAddress(String path, String device) {
    /** Checks that both parts are there. */
    public DeviceAddress {
        if (path.isEmpty() || device.isEmpty()) {
            throw new IllegalArgumentException(
                    "\"" + path + ":" + device
                            + "\" is no device address; one looks like vfio:0000:03:00.0, vfio-user:/run/nvme.sock or model:nvme");
        }
    }

    /**
     * Reads an address.
     *
     * @param text for example {@code "vfio:0000:03:00.0"}
     * @return the address
     * @throws IllegalArgumentException if it has no access path or no device
     */
    public static DeviceAddress parse(String text) {
        int colon = text.indexOf(':');
        return colon < 0
                ? new DeviceAddress("", text)
                : new DeviceAddress(text.substring(0, colon), text.substring(colon + 1));
    }

    /**
     * The device without options: what stands before a question mark.
     *
     * @return {@code "nvme"} of {@code model:nvme?size=64M&serial=X}
     */
    public String deviceName() {
        int mark = device.indexOf('?');
        return mark < 0 ? device : device.substring(0, mark);
    }

    /**
     * The options of the device: what follows a question mark.
     *
     * @return their values by name, in the order that they come
     * @throws IllegalArgumentException if one has no value, or comes twice
     */
    public SequencedMap<String, String> options() {
        SequencedMap<String, String> options = new LinkedHashMap<>();
        String text = device.substring(Math.min(device.length(), deviceName().length() + 1));
        for (String part : text.isEmpty() ? new String[0] : text.split("&", -1)) {
            int equals = part.indexOf('=');
            if (equals <= 0) {
                throw new IllegalArgumentException("\"" + part + "\" is no option; one looks like size=64M");
            }
            if (options.put(part.substring(0, equals), part.substring(equals + 1)) != null) {
                throw new IllegalArgumentException("the option " + part.substring(0, equals) + " comes twice");
            }
        }
        return options;
    }

    /**
     * Whether opening the address makes the device, for who opens it: then it holds no data but what that one gave it.
     *
     * @return true for {@code model:} and {@code qemu:}
     */
    public boolean isEmulated() {
        return path.equals("model") || path.equals("qemu");
    }

    @Override
    public String toString() {
        return path + ":" + device;
    }
}
