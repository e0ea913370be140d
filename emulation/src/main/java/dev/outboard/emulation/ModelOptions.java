package dev.outboard.emulation;

import dev.outboard.driver.ByteSize;
import dev.outboard.driver.DeviceAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Options of a model by name, as they stand in an address ({@code size=64M&serial=X}) or on a command line. */
public final class ModelOptions {

    private final SequencedMap<String, String> values;

    private ModelOptions(SequencedMap<String, String> values) {
        this.values = values;
    }

    /**
     * Options by name.
     *
     * @param values their values
     * @return the options
     */
    public static ModelOptions of(Map<String, String> values) {
        return new ModelOptions(new LinkedHashMap<>(values));
    }

    /**
     * Reads options as they stand in an address after the question mark.
     *
     * @param text for example {@code "size=64M&serial=X"}; may be empty
     * @return the options
     * @throws IllegalArgumentException if one has no value, or comes twice
     */
    public static ModelOptions parse(String text) {
        return of(new DeviceAddress("model", "?" + text).options());
    }

    /**
     * All options.
     *
     * @return their values by name, in the order that they came
     */
    public SequencedMap<String, String> values() {
        return new LinkedHashMap<>(values);
    }

    /**
     * The options without one of them.
     *
     * @param name which one
     * @return the others
     */
    public ModelOptions without(String name) {
        SequencedMap<String, String> others = values();
        others.remove(name);
        return new ModelOptions(others);
    }

    /**
     * Looks an option up.
     *
     * @param name its name
     * @return its value, or null if it is not there
     */
    public @Nullable String text(String name) {
        return values.get(name);
    }

    /**
     * Looks an option up.
     *
     * @param name its name
     * @param otherwise what it is if it is not there
     * @return its value
     */
    public String text(String name, String otherwise) {
        return values.getOrDefault(name, otherwise);
    }

    /**
     * Looks a path up.
     *
     * @param name its name
     * @return its value, or null if it is not there
     */
    public @Nullable Path path(String name) {
        String value = values.get(name);
        return value == null ? null : Path.of(value);
    }

    /**
     * Looks a number up.
     *
     * @param name its name
     * @param otherwise what it is if it is not there
     * @return its value
     * @throws IllegalArgumentException if it is no number
     */
    public int number(String name, int otherwise) {
        String value = values.get(name);
        try {
            return value == null ? otherwise : Integer.decode(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + "=" + value + ": that is no number", e);
        }
    }

    /**
     * Looks a choice up.
     *
     * @param <E> the choices, by their names in lower case
     * @param name its name
     * @param otherwise what it is if it is not there
     * @return the choice
     * @throws IllegalArgumentException if it is none of them
     */
    public <E extends Enum<E>> E choice(String name, E otherwise) {
        String value = values.get(name);
        if (value == null) {
            return otherwise;
        }
        List<String> names = new ArrayList<>();
        for (E each : otherwise.getDeclaringClass().getEnumConstants()) {
            String word = each.name().toLowerCase(Locale.ROOT);
            if (word.equals(value)) {
                return each;
            }
            names.add(word);
        }
        throw new IllegalArgumentException(name + "=" + value + ": it can be " + String.join(" or ", names));
    }

    /**
     * Looks a size up: bytes, or with a unit of 1024 bytes and its powers, as {@code 64M}.
     *
     * @param name its name
     * @param otherwise what it is if it is not there
     * @return its value, in bytes
     * @throws IllegalArgumentException if it is no size
     */
    public long sizeBytes(String name, long otherwise) {
        String value = values.get(name);
        try {
            return value == null ? otherwise : ByteSize.parse(value).bytes();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(name + "=" + value + ": " + e.getMessage(), e);
        }
    }

    /** Refuses options that nobody knows, before any of them has an effect. */
    void check(String owner, Set<String> known) {
        for (String name : values.keySet()) {
            if (!known.contains(name)) {
                throw new IllegalArgumentException(
                        owner + " has no option \"" + name + "\"; it has " + String.join(", ", known));
            }
        }
    }

    @Override
    public String toString() {
        return String.join(
                "&", values.entrySet().stream().map(Map.Entry::toString).toList());
    }
}
