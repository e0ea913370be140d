package dev.outboard.pci;

import dev.outboard.memory.HugePages;
import java.io.IOException;

/** Asks for a huge page by its physical address; says why it cannot have it, and exits with 1. */
final class PhysicalAddressProgram {
    private PhysicalAddressProgram() {}

    public static void main(String[] arguments) {
        try (HugePages.Buffer buffer = HugePages.ofSize(2 << 20).buffer(1)) {
            System.out.println(buffer.pages());
        } catch (IOException e) {
            System.out.println(e.getMessage());
            System.exit(1);
        }
    }
}
