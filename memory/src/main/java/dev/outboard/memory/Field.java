package dev.outboard.memory;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A field of a register or of a word of a structure.
 *
 * @param name its name in the specification
 * @param lowBit its lowest bit, from 0
 * @param widthBits how many bits it has, at least 1
 * @param access what reading and writing it do; null if that is as its register says
 * @param values the values that have names, each value once; empty if its value is a number
 * @param description what it means, for people; may be empty
 */
public record Field(
        String name,
        int lowBit,
        int widthBits,
        Register.@Nullable Access access,
        List<Value> values,
        String description) {
    /**
     * A value of a field that has a name.
     *
     * @param value the value
     * @param name its name in the specification
     * @param description what it means, for people; may be empty
     */
    public record Value(long value, String name, String description) {}

    /** Checks that the field lies in a word of 64 bits, and its named values in the field. */
    public Field {
        if (lowBit < 0 || widthBits < 1 || lowBit > Long.SIZE - widthBits) {
            throw new IllegalArgumentException(
                    name + " has " + widthBits + " bits from bit " + lowBit + ", outside of 63:0");
        }
        values = List.copyOf(values);
        Set<Long> seen = new HashSet<>();
        for (Value value : values) {
            if ((value.value() & ~(-1L >>> (Long.SIZE - widthBits))) != 0) {
                throw new IllegalArgumentException(
                        value.name() + " = " + value.value() + " does not fit the " + widthBits + " bits of " + name);
            }
            if (!seen.add(value.value())) {
                throw new IllegalArgumentException(name + " names its value " + value.value() + " twice");
            }
        }
    }

    /**
     * A field whose values have no names.
     *
     * @param name its name in the specification
     * @param lowBit its lowest bit, from 0
     * @param widthBits how many bits it has, at least 1
     */
    public Field(String name, int lowBit, int widthBits) {
        this(name, lowBit, widthBits, null, List.of(), "");
    }

    /**
     * A field of one bit.
     *
     * @param name its name in the specification
     * @param bit the bit, from 0
     * @return the definition
     */
    public static Field bit(String name, int bit) {
        return new Field(name, bit, 1);
    }

    /**
     * A field of several bits, in the order of specifications.
     *
     * @param name its name in the specification
     * @param highBit its highest bit
     * @param lowBit its lowest bit, from 0
     * @return the definition
     */
    public static Field bits(String name, int highBit, int lowBit) {
        return new Field(name, lowBit, highBit - lowBit + 1);
    }

    /**
     * The same field with a name for one of its values.
     *
     * @param value the value
     * @param valueName its name in the specification
     * @return the definition
     */
    public Field value(long value, String valueName) {
        List<Value> more = new ArrayList<>(values);
        more.add(new Value(value, valueName, ""));
        return new Field(name, lowBit, widthBits, access, more, description);
    }

    /**
     * The same field with a rule of its own, which differs from its register's: a write-1-to-clear bit among others.
     *
     * @param own what reading and writing it do
     * @return the definition
     */
    public Field with(Register.Access own) {
        return new Field(name, lowBit, widthBits, own, values, description);
    }

    /**
     * The field's bits in place.
     *
     * @return ones where the field is
     */
    public long mask() {
        return (-1L >>> (Long.SIZE - widthBits)) << lowBit;
    }

    /**
     * Takes the field out of a word.
     *
     * @param word the word
     * @return the field's value, zero-extended
     */
    public long get(long word) {
        return (word >>> lowBit) & (-1L >>> (Long.SIZE - widthBits));
    }

    /**
     * Whether the field is not zero.
     *
     * @param word the word
     * @return false if all its bits are zero
     */
    public boolean isSet(long word) {
        return (word & mask()) != 0;
    }

    /**
     * Replaces the field in a word.
     *
     * @param word the word
     * @param value the field's new value
     * @return the word with the new value
     * @throws IllegalArgumentException if the value does not fit
     */
    public long set(long word, long value) {
        if (value >>> (widthBits - 1) >>> 1 != 0) {
            throw new IllegalArgumentException(value + " does not fit the " + widthBits + " bits of " + name);
        }
        return (word & ~mask()) | (value << lowBit);
    }

    /**
     * A word in which only this field is set.
     *
     * @param value the field's value
     * @return the word
     * @throws IllegalArgumentException if the value does not fit
     */
    public long of(long value) {
        return set(0, value);
    }

    /**
     * A new value for this field, for {@link Registers#modify(Register, FieldUpdate)}. Costs nothing over the bare mask
     * once compiled.
     *
     * @param value the field's new value
     * @return the update
     * @throws IllegalArgumentException if the value does not fit
     */
    public FieldUpdate to(long value) {
        return new FieldUpdate(mask(), of(value));
    }

    /**
     * The name of a value.
     *
     * @param value the field's value
     * @return the name, if that value has one
     */
    public Optional<String> nameOf(long value) {
        return values.stream()
                .filter(named -> named.value() == value)
                .map(Value::name)
                .findFirst();
    }

    /**
     * The value of a name; not for hot paths.
     *
     * @param valueName the name of a value, in any case
     * @return the value
     * @throws IllegalArgumentException if no value has that name
     */
    public long valueOf(String valueName) {
        return values.stream()
                .filter(named -> named.name().equalsIgnoreCase(valueName))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(name + " has no value \"" + valueName + "\"; it has "
                        + values.stream().map(Value::name).toList()))
                .value();
    }

    /**
     * Its place, as specifications write it.
     *
     * @return {@code "6:4"}, or {@code "0"} for one bit
     */
    public String place() {
        return widthBits == 1 ? Integer.toString(lowBit) : (lowBit + widthBits - 1) + ":" + lowBit;
    }
}
