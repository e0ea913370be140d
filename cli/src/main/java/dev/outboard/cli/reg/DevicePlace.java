package dev.outboard.cli.reg;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.emulation.recording.Recorder;
import dev.outboard.memory.Registers;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** {@code outboard reg}: a region of a device. */
final class DevicePlace extends Place {
    private static final String DEVICE = "DEVICE";
    private static final String REGION = "BAR";
    private static final String CONFIGURATION = "config";
    private static final String BAR = "bar";

    private final OptionSpec record = OptionSpec.builder("--record")
            .paramLabel("FILE")
            .type(Path.class)
            .description("Write all accesses into this file, for outboard trace; see docs/recordings.md.")
            .build();

    @Override
    void addParameters() {
        add(
                DEVICE,
                false,
                "For example vfio:0000:03:00.0, sysfs:0000:03:00.0, vfio-user:/run/nvme.sock, model:nvme or"
                        + " qemu:e1000e.");
        add(REGION, false, "bar0 to bar5, or config for configuration space.");
    }

    @Override
    void addOptions(CommandSpec spec) {
        spec.addOption(record);
    }

    @Override
    String label() {
        return "OFFSET";
    }

    @Override
    List<Integer> widths() {
        return List.of(Byte.SIZE, Short.SIZE, Integer.SIZE, Long.SIZE);
    }

    @Override
    int usualWidth() {
        return Integer.SIZE;
    }

    @Override
    @Nullable
    Long usualDumpBytes(long start) {
        return null;
    }

    private String region() {
        return required(REGION);
    }

    @Override
    void check() {
        if (!region().equals(CONFIGURATION) && (!region().matches(BAR + "[0-9]") || index() >= PciConfiguration.BARS)) {
            throw new IllegalArgumentException(
                    "\"" + region() + "\" is no region of a device; there are bar0 to bar5 and " + CONFIGURATION);
        }
    }

    private int index() {
        return region().charAt(BAR.length()) - '0';
    }

    @Override
    OpenRegisters open(long first, long lengthBytes, Purpose purpose) throws IOException {
        PciFunction function = purpose == Purpose.WRITE ? Pci.open(subject()) : Pci.look(subject());
        Path recording = record.getValue();
        if (recording != null) {
            function = Recorder.record(function, recording);
        }
        return open(function);
    }

    private OpenRegisters open(PciFunction function) throws IOException {
        try {
            Registers registers = region().equals(CONFIGURATION) ? function.configuration() : function.bar(index());
            return new OpenRegisters(region(), registers, 0, function::checkPresent, function::close, null);
        } catch (IOException | RuntimeException e) {
            function.close();
            throw e;
        }
    }

    @Override
    String subject() {
        return required(DEVICE);
    }

    @Override
    boolean isModel() {
        return DeviceAddress.parse(subject()).isEmulated();
    }

    @Override
    Map<String, Object> json() {
        Map<String, Object> json = super.json();
        json.put("device", subject());
        json.put("region", region());
        return json;
    }
}
