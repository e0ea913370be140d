package dev.outboard.memory.svd;

import dev.outboard.memory.Register.Access;
import org.jspecify.annotations.Nullable;

/**
 * What registers and fields inherit from what is around them.
 *
 * @param sizeBits registers' width
 * @param access what {@code access} says; null if nothing says
 * @param written what {@code modifiedWriteValues} says; null if nothing says
 * @param read what {@code readAction} says; null if nothing says
 */
record SvdProperties(
        int sizeBits,
        @Nullable String access,
        @Nullable String written,
        @Nullable String read) {
    private static final int DEFAULT_SIZE = 32;

    /** What holds where nothing is said. */
    static final SvdProperties DEFAULT = new SvdProperties(DEFAULT_SIZE, null, null, null);

    /** What holds inside of an element. */
    SvdProperties in(SvdElement element, SvdNumbers numbers) throws SvdException {
        SvdElement size = element.child("size");
        return new SvdProperties(
                size == null ? sizeBits : numbers.number(size, 1, Long.SIZE),
                own(element, "access", access),
                own(element, "modifiedWriteValues", written),
                own(element, "readAction", read));
    }

    private static @Nullable String own(SvdElement element, String name, @Nullable String inherited) {
        SvdElement child = element.child(name);
        return child == null ? inherited : child.text();
    }

    /** The rule of a register or a field. */
    Access rule(SvdElement element, String file) throws SvdException {
        Access plain = switch (access == null ? "read-write" : access) {
            case "read-only" -> Access.READ_ONLY;
            case "write-only", "writeOnce" -> Access.WRITE_ONLY;
            case "read-write" -> Access.READ_WRITE;
            case "read-writeOnce" -> Access.WRITE_ONCE;
            default -> throw new SvdException(file, element.line(), "\"" + access + "\" is no access");
        };
        if (read != null && plain.isReadable()) {
            return plain.isWritable() ? Access.READ_HAS_EFFECT : Access.READ_TO_CLEAR;
        }
        if (written == null || plain == Access.READ_ONLY || plain == Access.WRITE_ONLY) {
            return plain;
        }
        return switch (written) {
            case "modify" -> plain;
            case "oneToClear" -> Access.WRITE_1_TO_CLEAR;
            case "oneToSet" -> Access.WRITE_1_TO_SET;
            case "oneToToggle" -> Access.WRITE_1_TO_TOGGLE;
            case "zeroToClear" -> Access.WRITE_0_TO_CLEAR;
            case "zeroToSet" -> Access.WRITE_0_TO_SET;
            case "zeroToToggle" -> Access.WRITE_0_TO_TOGGLE;
            case "clear", "set" -> Access.WRITE_HAS_EFFECT;
            default -> throw new SvdException(file, element.line(), "\"" + written + "\" is no modifiedWriteValues");
        };
    }
}
