package dev.outboard.emulation.interpose;

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
import java.util.List;

/** The definitions that files and commands can call the registers of a region by. */
public final class RegisterNames {
    private static final List<RegisterMap> KNOWN = List.of(
            NvmeRegisters.ALL,
            PciConfiguration.ALL,
            EduRegisters.ALL,
            Uart16550.ALL,
            Idio16Registers.ALL,
            IvshmemRegisters.ALL);

    /** What can be said, for messages. */
    public static final String CHOICES = "nvme, pci, edu, 16550, idio16, ivshmem or FILE.svd[#PERIPHERAL]";

    private static final char PERIPHERAL_MARK = '#';

    private RegisterNames() {}

    /**
     * Finds definitions.
     *
     * @param names for example {@code "nvme"}, or {@code "board.svd#TIMER0"} for those of a CMSIS-SVD file
     * @return the definitions
     * @throws IOException if the file cannot be read, or makes no sense
     * @throws IllegalArgumentException if there are no such definitions; the message says what there is
     */
    public static RegisterMap find(String names) throws IOException {
        for (RegisterMap map : KNOWN) {
            if (map.name().equals(names)) {
                return map;
            }
        }
        return peripheral(names).registers();
    }

    /**
     * Finds a peripheral of a CMSIS-SVD file.
     *
     * @param names the file, and after {@code #} the peripheral, unless the file has one only
     * @return the peripheral
     * @throws IOException if the file cannot be read, or makes no sense
     * @throws IllegalArgumentException if there is no such file or peripheral; the message says what there is
     */
    public static SvdPeripheral peripheral(String names) throws IOException {
        int mark = names.lastIndexOf(PERIPHERAL_MARK);
        String file = mark < 0 ? names : names.substring(0, mark);
        if (!file.endsWith(".svd") && !file.endsWith(".xml")) {
            throw new IllegalArgumentException("\"" + names + "\" names no registers; there are " + CHOICES);
        }
        if (!Files.isRegularFile(Path.of(file))) {
            throw new IllegalArgumentException(file + " is no file; the names of registers are " + CHOICES);
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
