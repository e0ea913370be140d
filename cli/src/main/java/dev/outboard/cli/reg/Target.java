package dev.outboard.cli.reg;

import dev.outboard.cli.Json;
import dev.outboard.emulation.interpose.RegisterNames;
import dev.outboard.memory.DecodedRegister;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
     * @param access the width, if it is told, and how many, one after the other
     * @param map the definitions, or null
     * @param place where it is: says the width that is usual there
     */
    static List<Target> of(String where, AccessOptions access, @Nullable RegisterMap map, Place place) {
        long count = access.countOrOne();
        boolean number = !where.isEmpty() && Character.isDigit(where.charAt(0));
        if (where.startsWith("-")) {
            throw new IllegalArgumentException("\"" + where + "\" is negative; offsets and addresses start at 0");
        }
        if (!number && map == null) {
            throw new IllegalArgumentException(
                    "\"" + where + "\" is no number; for a name say whose with --names " + RegisterNames.CHOICES);
        }
        Register first = null;
        if (map != null) {
            first = number ? map.at(RegisterNumber.parse(where)).orElse(null) : map.get(where);
        }
        int widthBits = access.widthOr(first != null ? first.widthBits() : place.usualWidth());
        place.checkWidth(widthBits);
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

    /** Opens the place with all targets in it. */
    static OpenRegisters open(List<Target> targets, Place place, Place.Purpose purpose) throws IOException {
        for (Target target : targets) {
            target.checkAligned();
        }
        long first = first(targets);
        OpenRegisters registers = place.open(first, lengthBytes(targets), purpose);
        try {
            for (Target target : targets) {
                target.checkInside(registers);
            }
            return registers;
        } catch (RuntimeException e) {
            registers.close();
            throw e;
        }
    }

    /** The lowest offset. */
    static long first(List<Target> targets) {
        return targets.stream()
                .mapToLong(target -> target.register().offset())
                .min()
                .orElseThrow();
    }

    /** How many bytes there are from the lowest offset to the end of the last. */
    static long lengthBytes(List<Target> targets) {
        return targets.stream()
                        .mapToLong(target ->
                                target.register().offset() + target.register().widthBytes())
                        .max()
                        .orElseThrow()
                - first(targets);
    }

    private void checkAligned() {
        if (register.offset() % register.widthBytes() != 0) {
            throw new IllegalArgumentException("0x" + Long.toHexString(register.offset()) + " is not a multiple of "
                    + register.widthBytes() + ", the width of the access in bytes; say a smaller --width");
        }
    }

    /** Says where a region ends before anything is read from it. */
    private void checkInside(OpenRegisters registers) {
        if (registers.bytesFrom(register.offset()) < register.widthBytes()) {
            throw new IndexOutOfBoundsException(
                    register.name() + " with " + register.widthBits() + " bits is outside of " + registers.size());
        }
    }

    /** A value as a line, or as lines if its fields are known. */
    String text(long value) {
        return named
                ? register.decode(value).text()
                : String.format("%06x  %s", register.offset(), DecodedRegister.digits(value, register.widthBits()));
    }

    /** A value as JSON. */
    Map<String, Object> json(long value) {
        if (named) {
            return register.decode(value).json();
        }
        Map<String, Object> json = Json.object();
        json.put("offset", register.offset());
        json.put("widthBits", register.widthBits());
        json.put("value", DecodedRegister.digits(value, register.widthBits()));
        return json;
    }
}
