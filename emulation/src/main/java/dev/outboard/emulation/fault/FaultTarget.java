package dev.outboard.emulation.fault;

import dev.outboard.emulation.interpose.Region;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a rule watches.
 *
 * @param kind what kind of access or event
 * @param region of registers: which; else null
 * @param first the least offset in bytes, interrupt vector, number of a DMA buffer, or queue
 * @param last the greatest
 * @param opcode of completions and commands: which commands; negative for all
 */
public record FaultTarget(Kind kind, @Nullable Region region, long first, long last, int opcode) {
    /** All commands. */
    static final int ANY_OPCODE = -1;

    /** What can be watched, in the words of the file. */
    public enum Kind {
        /** Reads of registers. */
        READ,
        /** Writes of registers. */
        WRITE,
        /** Interrupts as the driver sees them. */
        INTERRUPT,
        /** What the device stored in DMA memory, as the driver is about to see it. */
        DMA_IN,
        /** What the driver stored in DMA memory, as the device is about to see it. */
        DMA_OUT,
        /** Completions of an NVMe controller. */
        COMPLETION,
        /** Commands to an NVMe controller, as the driver announces them; what is done to one, its completion shows. */
        COMMAND,
        /** All of these but completions and commands. */
        ANY;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    boolean matches(Kind seen, @Nullable Region where, long number) {
        return kind == Kind.ANY || (kind == seen && region == where && number >= first && number <= last);
    }

    boolean matchesCommand(Kind seen, int queue, int of) {
        return kind == seen && queue >= first && queue <= last && (opcode == ANY_OPCODE || opcode == of);
    }

    @Override
    public String toString() {
        if (kind == Kind.ANY) {
            return kind.toString();
        }
        boolean all = first == 0 && last == Long.MAX_VALUE;
        String number = region == null ? Long.toString(first) : "0x" + Long.toHexString(first);
        String end = region == null ? Long.toString(last) : "0x" + Long.toHexString(last);
        String range = all ? "*" : first == last ? number : number + "-" + end;
        return kind + (region == null ? "" : " " + region) + " " + range
                + (opcode == ANY_OPCODE ? "" : " opcode 0x" + Integer.toHexString(opcode));
    }
}
