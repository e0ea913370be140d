package dev.outboard.driver;

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

    @Override
    public String toString() {
        return path + ":" + device;
    }
}
