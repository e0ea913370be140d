package dev.outboard.emulation.fault;

import java.util.Locale;

/**
 * What a rule does.
 *
 * @param kind what it does
 * @param operand with what: bits, a value, a status, or nanoseconds; 0 if it takes none
 */
public record FaultAction(Kind kind, long operand) {
    /** What follows an action's name. */
    enum Operand {
        NONE,
        NUMBER,
        DURATION
    }

    /** What can be done, in the words of the file. */
    public enum Kind {
        /** Inverts bits: of a value, or of the first words that were stored. */
        FLIP(Operand.NUMBER),
        /** Puts another value in the place. */
        STICK(Operand.NUMBER),
        /** Puts all ones in the place. */
        ONES(Operand.NONE),
        /** Has it not happen. */
        DROP(Operand.NONE),
        /** Has it happen later. */
        DELAY(Operand.DURATION),
        /** Has it happen twice. */
        DUPLICATE(Operand.NONE),
        /** Gives a completion another status field. */
        STATUS(Operand.NUMBER),
        /** Gives a completion another command identifier. */
        COMMAND(Operand.NUMBER),
        /** Gives a completion the wrong phase bit. */
        PHASE(Operand.NONE),
        /** Has an interrupt come that the device did not send. */
        SPURIOUS(Operand.NONE),
        /** From now on, until a reset, the device hears no writes, stores nothing and sends no interrupts. */
        HANG(Operand.NONE),
        /** From now on the device is not there: all reads are ones. */
        REMOVE(Operand.NONE),
        /** The access fails as one of a disabled mapping does, by an {@link InternalError}. */
        SIGBUS(Operand.NONE);

        private final Operand operand;

        Kind(Operand operand) {
            this.operand = operand;
        }

        Operand operand() {
            return operand;
        }

        boolean fits(FaultTarget.Kind target) {
            boolean register = target == FaultTarget.Kind.READ || target == FaultTarget.Kind.WRITE;
            boolean dma = target == FaultTarget.Kind.DMA_IN || target == FaultTarget.Kind.DMA_OUT;
            boolean command = target == FaultTarget.Kind.COMPLETION || target == FaultTarget.Kind.COMMAND;
            return switch (this) {
                case FLIP, ONES -> register || dma;
                case STICK, SIGBUS -> register;
                case DROP -> target != FaultTarget.Kind.READ && target != FaultTarget.Kind.ANY;
                case DELAY -> target != FaultTarget.Kind.ANY;
                case DUPLICATE -> !dma && target != FaultTarget.Kind.ANY;
                case STATUS, COMMAND, PHASE -> command;
                case SPURIOUS -> target == FaultTarget.Kind.INTERRUPT;
                case HANG, REMOVE -> true;
            };
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Override
    public String toString() {
        return switch (kind.operand) {
            case NONE -> kind.toString();
            case NUMBER -> kind + " 0x" + Long.toHexString(operand);
            case DURATION -> kind + " " + FaultTiming.text(operand);
        };
    }
}
