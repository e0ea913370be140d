package dev.outboard.cli.reg;

import dev.outboard.memory.DecodedRegister;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;
import dev.outboard.memory.Registers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A register that a command accesses.
 *
 * @param register where it is and how wide; its name is its offset if nobody named it
 * @param named whether it is a definition's
 */
record Target(Register register, boolean named) {
    /** A register at an offset that somebody wrote. */
    static Target at(long offset, int widthBits) {
        String name = "0x" + Long.toHexString(offset);
        return new Target(Register.of(name, offset, widthBits, Register.Access.READ_WRITE, ""), false);
    }

    /**
     * What an offset, a name and the options mean.
     *
     * @param where a number or a name
     * @param width the width in bits, or null for the register's own, else 32
     * @param count how many, one after the other
     * @param map the definitions, or null
     */
    static List<Target> of(String where, @Nullable Integer width, long count, @Nullable RegisterMap map) {
        boolean number = !where.isEmpty() && Character.isDigit(where.charAt(0));
        if (!number && map == null) {
            throw new IllegalArgumentException(
                    "\"" + where + "\" is no offset; for a name say whose with --names " + NamesOption.CHOICES);
        }
        Register first = null;
        if (map != null) {
            first = number ? map.at(RegisterNumber.parse(where)).orElse(null) : map.get(where);
        }
        int widthBits = width != null ? width : first != null ? first.widthBits() : Integer.SIZE;
        checkWidth(widthBits);
        long offset = first == null ? RegisterNumber.parse(where) : first.offset();
        int widthBytes = widthBits / Byte.SIZE;
        if (offset < 0 || offset > Long.MAX_VALUE - count * widthBytes) {
            throw new IllegalArgumentException(where + " is beyond every region");
        }
        List<Target> targets = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            targets.add(named(map, offset + i * widthBytes, widthBits));
        }
        if (count == 1 && first != null && first.widthBits() == widthBits) {
            // Of several registers in one place the one that was asked for.
            targets.set(0, new Target(first, true));
        }
        return targets;
    }

    static void checkWidth(int widthBits) {
        if (widthBits != Byte.SIZE && widthBits != Short.SIZE && widthBits != Integer.SIZE && widthBits != Long.SIZE) {
            throw new IllegalArgumentException("--width " + widthBits + ": an access is 8, 16, 32 or 64 bits wide");
        }
    }

    private static Target named(@Nullable RegisterMap map, long offset, int widthBits) {
        Register register = map == null ? null : map.at(offset).orElse(null);
        return register != null && register.widthBits() == widthBits
                ? new Target(register, true)
                : at(offset, widthBits);
    }

    /** Refuses to read what reading changes, or what cannot be read, unless it is forced. */
    void checkRead(@Nullable RegisterMap map, boolean force) {
        if (force) {
            return;
        }
        for (Register touched : touched(map)) {
            if (touched.readChanges()) {
                throw new IllegalArgumentException(
                        touched.name() + " is " + touched.access().words()
                                + ": reading it changes the device; add --force if it shall be read");
            }
            if (!touched.access().isReadable()) {
                throw new IllegalArgumentException(touched.name() + " is write-only: what it reads means nothing; add"
                        + " --force to see it nevertheless");
            }
        }
    }

    /** Refuses to write what cannot be written, unless it is forced. */
    void checkWrite(@Nullable RegisterMap map, boolean force) {
        for (Register touched : touched(map)) {
            if (!force && !touched.access().isWritable()) {
                throw new IllegalArgumentException(touched.name() + " is "
                        + touched.access().words() + ": writing it has no effect; add --force to try nevertheless");
            }
        }
    }

    private List<Register> touched(@Nullable RegisterMap map) {
        if (named) {
            return List.of(register);
        }
        return map == null ? List.of() : map.touchedBy(register.offset(), register.widthBytes());
    }

    /** Says where a region ends before anything is read from it. */
    static void checkInside(List<Target> targets, Registers registers, String region) throws IOException {
        for (Target target : targets) {
            Register register = target.register();
            long offset = register.offset();
            if (offset > registers.sizeBytes() - register.widthBytes()) {
                throw new IndexOutOfBoundsException(register.name() + " with " + register.widthBits()
                        + " bits is outside of " + region + ", which has " + registers.sizeBytes() + " bytes (0x"
                        + Long.toHexString(registers.sizeBytes()) + ")");
            }
            if (offset % register.widthBytes() != 0) {
                throw new IllegalArgumentException("0x" + Long.toHexString(offset) + " is not a multiple of "
                        + register.widthBytes() + ", the width of the access in bytes; say a smaller --width");
            }
        }
    }

    /** A value as a line, or as lines if its fields are known. */
    String text(long value) {
        return named
                ? register.decode(value).text()
                : String.format("%06x  %s", register.offset(), DecodedRegister.digits(value, register.widthBits()));
    }
}
