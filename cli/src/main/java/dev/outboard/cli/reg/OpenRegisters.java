package dev.outboard.cli.reg;

import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterTransfer;
import dev.outboard.memory.Registers;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Registers that a command has opened, by the offsets that the user writes. */
final class OpenRegisters implements AutoCloseable {
    /** Finds out whether the device is still there. */
    interface Presence {
        void check() throws IOException;
    }

    private final String name;
    private final Registers registers;
    private final long start;
    private final Presence presence;
    private final Runnable close;
    private final @Nullable List<String> owners;

    /**
     * @param name what messages call the region
     * @param start the offset of the first register, as the user counts
     * @param owners what the kernel says is there, outer before inner; null if it is not asked
     */
    OpenRegisters(
            String name,
            Registers registers,
            long start,
            Presence presence,
            Runnable close,
            @Nullable List<String> owners) {
        this.name = name;
        this.registers = registers;
        this.start = start;
        this.presence = presence;
        this.close = close;
        this.owners = owners;
    }

    /** How many bytes there are from an offset on; none if it is outside. */
    long bytesFrom(long offset) {
        return offset < start ? 0 : Math.max(0, start + registers.sizeBytes() - offset);
    }

    long read(Register register) {
        return registers.read(register.at(register.offset() - start));
    }

    void write(Register register, long value) {
        registers.write(register.at(register.offset() - start), value);
    }

    /** Reads successive registers. */
    void read(long offset, int widthBits, byte[] bytes) {
        RegisterTransfer.of(registers, widthBits).read(offset - start, MemorySegment.ofArray(bytes));
    }

    void checkPresent() throws IOException {
        presence.check();
    }

    String name() {
        return name;
    }

    /** What its end is, for messages. */
    String size() {
        return name + ", which has " + registers.sizeBytes() + " bytes (0x" + Long.toHexString(registers.sizeBytes())
                + ")";
    }

    /** What the kernel says is there; null if it is not asked. */
    @Nullable
    List<String> owners() {
        return owners;
    }

    @Override
    public void close() {
        close.run();
    }
}
