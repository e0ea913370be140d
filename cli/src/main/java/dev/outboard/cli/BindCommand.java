package dev.outboard.cli;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.PciBus;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code outboard bind}. */
@Command(
        name = "bind",
        description = {
            "Takes a device from its kernel driver and gives it to user space.",
            "Refused while a file system of the device is mounted, used as swap, or held by md or LVM."
        })
final class BindCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "DEVICE", description = "The device, for example 0000:03:00.0.")
    private String device = "";

    @Parameters(
            index = "1",
            paramLabel = "PATH",
            defaultValue = "vfio",
            description = {
                "How it will be reached: vfio, unless told.",
                "For sysfs it is taken from its kernel driver, and no other gets it."
            })
    private String path = "vfio";

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        String address = pciAddress(device);
        DriverBinding binding = new DriverBinding(PciBus.system(), address);
        switch (path) {
            case "vfio", DriverBinding.VFIO_PCI ->
                report(address, binding.bind(DriverBinding.VFIO_PCI), DriverBinding.VFIO_PCI, output.json());
            case "sysfs" -> report(address, binding.detach(), null, output.json());
            default ->
                throw new IllegalArgumentException(
                        "a device can be bound for \"vfio\" or \"sysfs\", not \"" + path + "\"");
        }
        return 0;
    }

    /** The address without its access path, as the kernel writes it. */
    static String pciAddress(String device) {
        boolean withPath = device.matches("(pci|vfio|sysfs):.*");
        return PciBus.canonical(withPath ? DeviceAddress.parse(device).device() : device);
    }

    static void report(String address, @Nullable String before, @Nullable String now, boolean asJson)
            throws IOException {
        if (asJson) {
            Map<String, Object> json = Json.object();
            json.put("address", "pci:" + address);
            json.put("formerDriver", before);
            json.put("kernelDriver", now);
            Json.print(System.out, json);
        } else {
            System.out.println(address + ": " + (before == null ? "no driver" : before) + " -> "
                    + (now == null ? "no driver" : now));
        }
    }
}
