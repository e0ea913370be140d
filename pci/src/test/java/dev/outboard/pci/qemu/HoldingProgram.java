package dev.outboard.pci.qemu;

import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import java.io.IOException;

/** Opens a device, says so, and holds it until its input ends. */
final class HoldingProgram {
    private HoldingProgram() {}

    public static void main(String[] arguments) throws IOException {
        try (PciFunction function = Pci.open(arguments[0])) {
            System.out.println(function);
            System.in.transferTo(System.out);
        }
    }
}
