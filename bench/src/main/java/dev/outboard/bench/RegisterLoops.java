package dev.outboard.bench;

import dev.outboard.linux.Affinity;
import dev.outboard.linux.DevicePages;
import dev.outboard.linux.Fd;
import dev.outboard.memory.Registers;
import dev.outboard.specs.nvme.NvmeRegisters;
import java.io.IOException;
import java.util.BitSet;
import java.util.function.IntConsumer;

/**
 * Loops of register accesses, as a driver does them: the region in a field of an object, offsets and fields constants.
 * Cached memory stands for the device, as in bench/peers/registers.c, so that the cost of the code shows and not that of
 * a bus.
 */
final class RegisterLoops implements AutoCloseable {
    private static final int PAGE_BYTES = 4096;
    private static final int OFFSET = 64;
    // Some 15 ms a round, as the peer's: on a busy machine, longer rounds are never undisturbed.
    private static final int ACCESSES = 1 << 24;
    private static final int UPDATES = 1 << 23;
    // Short calls, so that the method is compiled as a whole and not only its loop while it runs.
    private static final int WARM_UP_CALLS = 20_000;
    private static final int WARM_UP_ACCESSES = 1 << 10;
    private static final int DISTINCT = 3;

    private static final long BARE_CC = 0x14;
    private static final int BARE_SHN_SHIFT = 14;
    private static final int BARE_SHN_MASK = 3 << BARE_SHN_SHIFT;

    private final DevicePages pages;
    private final Registers registers;

    RegisterLoops() throws IOException {
        try (Fd memory = Fd.memfd("registers", PAGE_BYTES)) {
            pages = DevicePages.map(memory, 0, PAGE_BYTES, true);
            registers = Registers.mapped("memory", pages, () -> {});
        }
    }

    void warmUp(String what) {
        IntConsumer loop = loop(what);
        for (int i = 0; i < WARM_UP_CALLS; i++) {
            loop.accept(WARM_UP_ACCESSES);
        }
    }

    /** One round, on the driver's processor. */
    double nanosPerAccess(String what) throws IOException {
        return nanos(loop(what), ACCESSES);
    }

    /** One round of an update through definitions, or by bare numbers. */
    double nanosPerUpdate(boolean bare) throws IOException {
        return nanos(bare ? this::updateBare : this::updateField, UPDATES);
    }

    private static double nanos(IntConsumer loop, int times) throws IOException {
        BitSet cpus = Affinity.get();
        Affinity.pin(Settings.DRIVER_CPU);
        try {
            long start = System.nanoTime();
            loop.accept(times);
            return (double) (System.nanoTime() - start) / times;
        } finally {
            Affinity.set(cpus);
        }
    }

    private IntConsumer loop(String what) {
        return switch (what) {
            case "read32" -> this::read32;
            case "write32" -> this::write32;
            case "read64" -> this::read64;
            case "write64" -> this::write64;
            case "update" -> this::updateField;
            case "bare update" -> this::updateBare;
            default -> throw new IllegalArgumentException(what);
        };
    }

    private void read32(int accesses) {
        for (int i = accesses; i != 0; i--) {
            registers.read32(OFFSET);
        }
    }

    private void write32(int accesses) {
        for (int i = accesses; i != 0; i--) {
            registers.write32(OFFSET, i);
        }
    }

    private void read64(int accesses) {
        for (int i = accesses; i != 0; i--) {
            registers.read64(OFFSET);
        }
    }

    private void write64(int accesses) {
        for (int i = accesses; i != 0; i--) {
            registers.write64(OFFSET, i);
        }
    }

    private void updateField(int updates) {
        for (int i = updates; i != 0; i--) {
            registers.modify(NvmeRegisters.CC, NvmeRegisters.CC_SHN, i & DISTINCT);
        }
    }

    private void updateBare(int updates) {
        for (int i = updates; i != 0; i--) {
            int value = registers.read32(BARE_CC);
            registers.write32(BARE_CC, (value & ~BARE_SHN_MASK) | ((i & DISTINCT) << BARE_SHN_SHIFT));
        }
    }

    @Override
    public void close() {
        pages.close();
    }
}
