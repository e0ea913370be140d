package dev.outboard.emulation.interpose;

import dev.outboard.memory.RegisterMap;
import dev.outboard.specs.edu.EduRegisters;
import dev.outboard.specs.idio.Idio16Registers;
import dev.outboard.specs.ivshmem.IvshmemRegisters;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.pci.PciConfiguration;
import dev.outboard.specs.serial.Uart16550;
import java.util.List;
import java.util.Optional;

/** The definitions that files and commands can call the registers of a region by. */
public final class RegisterNames {
    private static final List<RegisterMap> ALL = List.of(
            NvmeRegisters.ALL,
            PciConfiguration.ALL,
            EduRegisters.ALL,
            Uart16550.ALL,
            Idio16Registers.ALL,
            IvshmemRegisters.ALL);

    /** What can be said, for messages. */
    public static final String CHOICES = "nvme, pci, edu, 16550, idio16 or ivshmem";

    private RegisterNames() {}

    /**
     * Finds definitions.
     *
     * @param mapName for example {@code "nvme"}
     * @return the definitions, if there are such
     */
    public static Optional<RegisterMap> find(String mapName) {
        return ALL.stream().filter(map -> map.name().equals(mapName)).findFirst();
    }
}
