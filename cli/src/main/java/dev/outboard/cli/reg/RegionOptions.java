package dev.outboard.cli.reg;

import dev.outboard.cli.Json;
import dev.outboard.driver.DeviceAddress;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.util.Map;
import picocli.CommandLine.Parameters;

/** Which device, and which of its regions. */
final class RegionOptions {
    private static final String CONFIGURATION = "config";
    private static final String BAR = "bar";

    @Parameters(
            index = "0",
            paramLabel = "DEVICE",
            description = "For example vfio:0000:03:00.0, vfio-user:/run/nvme.sock, model:nvme or qemu:e1000e.")
    private String device = "";

    @Parameters(index = "1", paramLabel = "BAR", description = "bar0 to bar5, or config for configuration space.")
    private String region = "";

    String device() {
        return device;
    }

    String region() {
        return region;
    }

    boolean isConfiguration() {
        return region.equals(CONFIGURATION);
    }

    /** Refuses what cannot be, before a device is opened. */
    void check() {
        if (!isConfiguration() && (!region.matches(BAR + "[0-9]") || index() >= PciConfiguration.BARS)) {
            throw new IllegalArgumentException(
                    "\"" + region + "\" is no region of a device; there are bar0 to bar5 and " + CONFIGURATION);
        }
    }

    private int index() {
        return region.charAt(BAR.length()) - '0';
    }

    Registers registers(PciFunction function) throws IOException {
        return isConfiguration() ? function.configuration() : function.bar(index());
    }

    /** Refuses to write to anything but a model, unless the user said so. */
    void requireDestroy(boolean destroy) {
        if (!destroy && !DeviceAddress.parse(device).isEmulated()) {
            throw new IllegalArgumentException("writing registers of " + device
                    + " can lose data or hang the machine; add --destroy if that is what you want, or --dry-run");
        }
    }

    /** What every document starts with. */
    Map<String, Object> json() {
        Map<String, Object> json = Json.object();
        json.put("device", device);
        json.put("region", region);
        return json;
    }
}
