package dev.outboard.cli.reg;

import dev.outboard.memory.RegisterMap;
import dev.outboard.memory.svd.SvdDevice;
import dev.outboard.memory.svd.SvdPeripheral;
import dev.outboard.specs.edu.EduRegisters;
import dev.outboard.specs.idio.Idio16Registers;
import dev.outboard.specs.ivshmem.IvshmemRegisters;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.pci.PciConfiguration;
import dev.outboard.specs.serial.Uart16550;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which definitions the registers have. */
final class NamesOption {
    /** What can be said, for messages. */
    static final String CHOICES = "nvme, pci, edu, 16550, idio16, ivshmem or FILE.svd[#PERIPHERAL]";

    private static final Map<String, RegisterMap> KNOWN = Stream.of(
                    NvmeRegisters.ALL,
                    PciConfiguration.ALL,
                    EduRegisters.ALL,
                    Uart16550.ALL,
                    Idio16Registers.ALL,
                    IvshmemRegisters.ALL)
            .collect(Collectors.toMap(RegisterMap::name, Function.identity()));
    private static final char PERIPHERAL_MARK = '#';

    @Option(
            names = "--names",
            paramLabel = "NAMES",
            description = "What the registers are called: " + CHOICES + ". The last is a CMSIS-SVD file.")
    private @Nullable String names;

    @Option(
            names = "--base",
            paramLabel = "OFFSET",
            defaultValue = "0",
            description = "Where the named registers start in the region; unless told ${DEFAULT-VALUE}.")
    private String base = "0";

    /** The definitions, or null. */
    @Nullable
    RegisterMap map() throws IOException {
        if (names == null) {
            return null;
        }
        RegisterMap known = KNOWN.get(names);
        RegisterMap map = known == null ? peripheral(names).registers() : known;
        try {
            return map.shiftedBy(RegisterNumber.parse(base));
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("--base " + base + " is beyond every region", e);
        }
    }

    /** A peripheral of a file, which is named unless the file has one only. */
    static SvdPeripheral peripheral(String names) throws IOException {
        int mark = names.lastIndexOf(PERIPHERAL_MARK);
        String file = mark < 0 ? names : names.substring(0, mark);
        if (!file.endsWith(".svd") && !file.endsWith(".xml")) {
            throw new IllegalArgumentException("\"" + names + "\" names no registers; there are " + CHOICES);
        }
        if (!Files.isRegularFile(Path.of(file))) {
            throw new IllegalArgumentException(file + " is no file; --names takes " + CHOICES);
        }
        SvdDevice device = SvdDevice.read(Path.of(file));
        if (mark < 0 && device.peripherals().size() == 1) {
            return device.peripherals().getFirst();
        }
        String all =
                device.peripherals().stream().map(SvdPeripheral::name).toList().toString();
        if (mark < 0) {
            throw new IllegalArgumentException(file + " has several peripherals; say which: " + file + PERIPHERAL_MARK
                    + device.peripherals().getFirst().name() + " of " + all);
        }
        String name = names.substring(mark + 1);
        return device.find(name)
                .orElseThrow(() ->
                        new IllegalArgumentException(file + " has no peripheral \"" + name + "\"; it has " + all));
    }
}
