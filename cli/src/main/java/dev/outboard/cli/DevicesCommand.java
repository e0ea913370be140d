package dev.outboard.cli;

import dev.outboard.memory.ClaimRecord;
import dev.outboard.pci.PciBar;
import dev.outboard.pci.PciBus;
import dev.outboard.pci.PciDevice;
import dev.outboard.pci.PciNames;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code outboard devices}. */
@Command(
        name = "devices",
        description =
                "Every device here: address, ids, kernel driver, IOMMU group, access paths that work now, claim, names.")
final class DevicesCommand implements Callable<Integer> {
    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        PciBus bus = PciBus.system();
        List<PciDevice> devices = bus.devices();
        Map<String, ClaimRecord> claims = claims(bus);
        if (output.json()) {
            List<Object> document = new ArrayList<>();
            for (PciDevice device : devices) {
                document.add(json(device, claims.get(device.address()), bus.names(device)));
            }
            Json.print(System.out, document);
        } else if (devices.isEmpty()) {
            System.err.println("no PCI devices here; an emulated one: outboard run nvme");
        } else {
            print(bus, devices, claims);
        }
        return 0;
    }

    /** Devices are there though nobody can say who has them. */
    private static Map<String, ClaimRecord> claims(PciBus bus) {
        try {
            return bus.claims();
        } catch (IOException e) {
            System.err.println("outboard devices: claims are not shown: " + e.getMessage());
            return Map.of();
        }
    }

    private static void print(PciBus bus, List<PciDevice> devices, Map<String, ClaimRecord> claims) throws IOException {
        List<String> owners = devices.stream()
                .map(device -> owner(claims.get(device.address())))
                .toList();
        int width = owners.stream().mapToInt(String::length).max().orElse(0);
        String format = "%-18s %-9s %-14s %5s  %-10s %-" + Math.max(width, "CLAIM".length()) + "s %s%n";
        System.out.printf(format, "ADDRESS", "IDS", "KERNEL DRIVER", "GROUP", "PATHS", "CLAIM", "NAME");
        for (PciDevice device : devices) {
            System.out.printf(
                    format,
                    "pci:" + device.address(),
                    "%04x:%04x".formatted(device.vendorId(), device.deviceId()),
                    device.driver() == null ? "-" : device.driver(),
                    device.iommuGroup().isPresent() ? device.iommuGroup().getAsInt() : "-",
                    device.accessPaths().isEmpty() ? "-" : String.join(",", device.accessPaths()),
                    owner(claims.get(device.address())),
                    name(device, bus.names(device)));
        }
    }

    private static String name(PciDevice device, PciNames names) {
        String kind = names.deviceClass() == null ? "class %06x".formatted(device.classCode()) : names.deviceClass();
        String vendor = names.vendor() == null ? "" : " " + names.vendor();
        String what = names.device() == null ? "" : " " + names.device();
        return kind + ":" + vendor + what;
    }

    private static String owner(@Nullable ClaimRecord claim) {
        return claim == null ? "-" : claim.owner().name() + " (" + claim.owner().pid() + ")";
    }

    private static Map<String, Object> json(PciDevice device, @Nullable ClaimRecord claim, PciNames names) {
        Map<String, Object> json = Json.object();
        json.put("address", "pci:" + device.address());
        json.put("vendorId", hex(device.vendorId()));
        json.put("deviceId", hex(device.deviceId()));
        json.put("subsystemVendorId", hex(device.subsystemVendorId()));
        json.put("subsystemId", hex(device.subsystemId()));
        json.put("classCode", "%06x".formatted(device.classCode()));
        json.put("revision", "%02x".formatted(device.revision()));
        json.put("vendor", names.vendor());
        json.put("device", names.device());
        json.put("class", names.deviceClass());
        json.put("kernelDriver", device.driver());
        json.put("accessPaths", device.accessPaths());
        json.put("iommuGroup", number(device.iommuGroup()));
        json.put("numaNode", number(device.numaNode()));
        json.put("claim", claim == null ? null : ClaimsCommand.json(claim.owner()));
        List<Object> bars = new ArrayList<>();
        device.bars().forEach(bar -> bars.add(json(bar)));
        json.put("bars", bars);
        return json;
    }

    private static Map<String, Object> json(PciBar bar) {
        Map<String, Object> json = Json.object();
        json.put("index", bar.index());
        json.put("address", "0x" + Long.toHexString(bar.address()));
        json.put("sizeBytes", bar.sizeBytes());
        return json;
    }

    private static String hex(int id) {
        return "%04x".formatted(id);
    }

    private static @Nullable Integer number(OptionalInt value) {
        return value.isPresent() ? value.getAsInt() : null;
    }
}
