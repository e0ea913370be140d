package dev.outboard.memory.svd;

import dev.outboard.memory.Field;
import dev.outboard.memory.Register.Access;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The fields of a register and their enumerated values. */
final class SvdFields {
    private static final int HIGHEST_BIT = Long.SIZE - 1;

    private final String file;
    private final SvdNumbers numbers;
    private final SvdDerivation derivation;

    SvdFields(String file, SvdNumbers numbers, SvdDerivation derivation) {
        this.file = file;
        this.numbers = numbers;
        this.derivation = derivation;
    }

    /** All fields, lowest first, each with its own rule. */
    List<Field> fields(SvdElement register, String scope, SvdProperties properties) throws SvdException {
        SvdElement container = register.child("fields");
        if (container == null) {
            return List.of();
        }
        List<Field> fields = new ArrayList<>();
        for (SvdElement raw : container.children("field")) {
            SvdElement field = derivation.complete(raw, scope);
            SvdArray array = SvdArray.of(field, numbers, file);
            Access access = properties.in(field, numbers).rule(field, file);
            String inner = SvdDerivation.join(scope, field.text("name", ""));
            int[] range = range(field);
            List<Field.Value> values = values(field, inner);
            for (int i = 0; i < array.names().size(); i++) {
                long low = range[0] + i * array.increment();
                if (low > HIGHEST_BIT || fields.size() > HIGHEST_BIT * 2) {
                    throw new SvdException(file, field.line(), array.names().get(i) + " is beyond bit 63");
                }
                fields.add(field(field, array.names().get(i), (int) low, range[1], access, values));
            }
        }
        fields.sort(Comparator.comparingInt(Field::lowBit));
        return fields;
    }

    private Field field(SvdElement element, String name, int low, int width, Access access, List<Field.Value> values)
            throws SvdException {
        try {
            return new Field(name, low, width, access, values, element.text("description", ""));
        } catch (IllegalArgumentException e) {
            throw new SvdException(file, element.line(), String.valueOf(e.getMessage()), e);
        }
    }

    /** The lowest bit and the width, in one of the format's three ways. */
    private int[] range(SvdElement field) throws SvdException {
        SvdElement range = field.child("bitRange");
        SvdElement low = field.child(field.child("lsb") == null ? "bitOffset" : "lsb");
        SvdElement high = field.child("msb");
        SvdElement width = field.child("bitWidth");
        int from;
        int to;
        if (range != null) {
            if (!range.text().matches("\\[[0-9]{1,2}:[0-9]{1,2}]")) {
                throw new SvdException(file, range.line(), "\"" + range.text() + "\" is no bitRange like [7:4]");
            }
            int colon = range.text().indexOf(':');
            to = Integer.parseInt(range.text().substring(1, colon));
            from = Integer.parseInt(
                    range.text().substring(colon + 1, range.text().length() - 1));
        } else if (low != null) {
            from = numbers.number(low, 0, HIGHEST_BIT);
            if (high != null) {
                to = numbers.number(high, 0, HIGHEST_BIT);
            } else {
                to = from + (width == null ? 1 : numbers.number(width, 1, Long.SIZE)) - 1;
            }
        } else {
            throw new SvdException(file, field.line(), field.text("name", "") + " has no bits");
        }
        if (to < from || to > HIGHEST_BIT) {
            throw new SvdException(file, field.line(), field.text("name", "") + " has the bits " + to + ":" + from);
        }
        return new int[] {from, to - from + 1};
    }

    private List<Field.Value> values(SvdElement field, String scope) throws SvdException {
        // Names for reading come first: a value may mean one thing when read and another when written.
        List<SvdElement> groups = new ArrayList<>();
        for (SvdElement raw : field.children("enumeratedValues")) {
            SvdElement group = derivation.complete(raw, scope);
            groups.add(group.text("usage", "").equals("write") ? groups.size() : 0, group);
        }
        Map<Long, Field.Value> values = new LinkedHashMap<>();
        for (SvdElement group : groups) {
            for (SvdElement element : group.children("enumeratedValue")) {
                SvdElement value = element.child("value");
                String name = element.text("name", "");
                if (value != null && !name.isEmpty()) {
                    for (long number : numbers.values(value)) {
                        values.putIfAbsent(number, new Field.Value(number, name, element.text("description", "")));
                    }
                }
            }
        }
        return List.copyOf(values.values());
    }
}
