package dev.outboard.rig;

import dev.outboard.linux.DevicePages;
import dev.outboard.linux.Fd;
import dev.outboard.linux.Mman;
import dev.outboard.memory.Registers;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Makes known accesses to devices in a guest, while QEMU traces: {@code WARM_UPS ROUNDS {DEVICE BASE WIDTHS}…}. DEVICE is a
 * device address for {@link RegisterExactnessProgram} on BAR 0, or a file for {@link PlainAccesses}. For each number in
 * WARM_UPS the accesses are made to memory that often, so that the JVM compiles them, and then to the devices.
 */
final class AccessesInGuest implements AutoCloseable {
    /** Printed, with the number of the turn, before the first and after the last access to the devices. */
    static final String BEGIN = "begin ";

    static final String END = "end ";

    private static final long PAGE_BYTES = 4096;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory = arena.allocate(PAGE_BYTES, Long.BYTES);
    private final DevicePages pages;
    private final Registers memoryRegisters;
    private final List<PciFunction> open = new ArrayList<>();
    private final List<Runnable> onMemory = new ArrayList<>();
    private final List<Runnable> onDevices = new ArrayList<>();

    private AccessesInGuest() throws IOException {
        try (Fd file = Fd.memfd("memory", PAGE_BYTES)) {
            pages = DevicePages.map(file, 0, PAGE_BYTES, true);
        }
        memoryRegisters = Registers.mapped("memory", pages, () -> {});
    }

    public static void main(String... arguments) throws IOException {
        int rounds = Integer.parseInt(arguments[1]);
        try (AccessesInGuest accesses = new AccessesInGuest();
                TraceSwitch trace = TraceSwitch.open()) {
            for (int i = 2; i < arguments.length; i += 3) {
                long base = Long.decode(arguments[i + 1]);
                if (arguments[i].startsWith("/")) {
                    accesses.plain(arguments[i], base, rounds);
                } else {
                    List<Integer> widths = Arrays.stream(arguments[i + 2].split(",", -1))
                            .map(Integer::valueOf)
                            .toList();
                    accesses.exact(arguments[i], new RegisterExactnessProgram(base, widths, rounds));
                }
            }
            trace.on();
            int turn = 0;
            for (String warmUps : arguments[0].split(",", -1)) {
                for (int i = 0; i < Integer.parseInt(warmUps); i++) {
                    accesses.onMemory.forEach(Runnable::run);
                }
                System.out.println(BEGIN + turn);
                accesses.onDevices.forEach(Runnable::run);
                System.out.println(END + turn++);
            }
            trace.off();
        }
    }

    private void exact(String address, RegisterExactnessProgram program) throws IOException {
        PciFunction function = Pci.open(address);
        open.add(function);
        Registers device = function.bar(0);
        onMemory.add(() -> program.run(memoryRegisters));
        onDevices.add(() -> program.run(device));
    }

    private void plain(String file, long base, int rounds) throws IOException {
        try (Fd fd = Fd.open(file, Fd.O_RDWR | Fd.O_SYNC)) {
            int protection = Mman.PROT_READ | Mman.PROT_WRITE;
            MemorySegment device = fd.mmap(base & -PAGE_BYTES, PAGE_BYTES, protection, Mman.MAP_SHARED, arena);
            long offset = base & (PAGE_BYTES - 1);
            onMemory.add(() -> PlainAccesses.run(memory, offset, rounds));
            onDevices.add(() -> PlainAccesses.run(device, offset, rounds));
        }
    }

    @Override
    public void close() {
        open.forEach(PciFunction::close);
        pages.close();
        arena.close();
    }
}
