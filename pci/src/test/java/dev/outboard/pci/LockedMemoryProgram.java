package dev.outboard.pci;

import java.io.IOException;

/** Allocates DMA memory of a function until there is no more; says why, and exits with 1. */
final class LockedMemoryProgram {
    private LockedMemoryProgram() {}

    public static void main(String[] arguments) throws IOException {
        try (PciFunction function = Pci.open("vfio:" + arguments[0])) {
            for (int i = 0; i < 100; i++) {
                function.dma().allocate(2 << 20);
            }
        } catch (IOException e) {
            System.out.println(e.getMessage());
            System.exit(1);
        }
    }
}
