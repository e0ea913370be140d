package dev.outboard.memory;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A value of a register, taken apart: what tools show.
 *
 * @param register the register
 * @param value its value, zero-extended
 * @param fields its readable fields, lowest first
 */
public record DecodedRegister(Register register, long value, List<DecodedField> fields) {
    /**
     * A value of a field.
     *
     * @param field the field
     * @param value its value, zero-extended
     */
    public record DecodedField(Field field, long value) {
        /**
         * The name of the value.
         *
         * @return the name, if it has one
         */
        public Optional<String> meaning() {
            return field.nameOf(value);
        }

        @Override
        public String toString() {
            return field.name() + "=" + meaning().orElse(number(value));
        }
    }

    private static final int SMALL = 10;

    /** Keeps the list. */
    public DecodedRegister {
        fields = List.copyOf(fields);
    }

    static DecodedRegister of(Register register, long value) {
        List<DecodedField> fields = register.fields().stream()
                .filter(field -> {
                    Register.Access own = field.access();
                    return own == null || own.isReadable();
                })
                .map(field -> new DecodedField(field, field.get(value)))
                .toList();
        return new DecodedRegister(register, value & (-1L >>> (Long.SIZE - register.widthBits())), fields);
    }

    /** Small numbers as they are, others hexadecimal. */
    private static String number(long value) {
        return value >= 0 && value < SMALL ? Long.toString(value) : "0x" + Long.toHexString(value);
    }

    /**
     * The value in all its digits.
     *
     * @return for example {@code "0x00460001"} for 32 bits
     */
    public String digits() {
        return digits(value, register.widthBits());
    }

    /**
     * A value of a given width in all its digits.
     *
     * @param value the value
     * @param widthBits 8, 16, 32 or 64
     * @return for example {@code "0x00460001"} for 32 bits
     */
    public static String digits(long value, int widthBits) {
        int digits = widthBits / 4;
        String all = String.format("%016x", value);
        return "0x" + all.substring(all.length() - digits);
    }

    /**
     * The value and its fields, for people.
     *
     * @return a line for the register, and one for each field
     */
    public String text() {
        StringBuilder text = new StringBuilder(String.format(
                "%06x  %-12s %-18s  %s%s",
                register.offset(),
                register.name(),
                digits(),
                register.access().words(),
                register.section().isEmpty() ? "" : ", " + register.section()));
        for (DecodedField field : fields) {
            text.append(String.format(
                    "%n        %5s  %-12s %s%s",
                    field.field().place(),
                    field.field().name(),
                    number(field.value()),
                    field.meaning().map(name -> "  " + name).orElse("")));
        }
        return text.toString();
    }

    /**
     * The value and its fields, for programs: maps, lists, text and numbers, in an order fit for print. Values are
     * hexadecimal text, since readers of JSON round numbers of 64 bits.
     *
     * @return what a JSON writer takes
     */
    public Map<String, Object> json() {
        Map<String, Object> json = definition(register);
        json.put("value", digits());
        json.put("fields", fields.stream().map(DecodedRegister::json).toList());
        return json;
    }

    /**
     * What is known of a register that was not read, for programs.
     *
     * @param register the register
     * @return what a JSON writer takes
     */
    public static Map<String, Object> definition(Register register) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", register.name());
        json.put("offset", register.offset());
        json.put("widthBits", register.widthBits());
        json.put("access", register.access().words());
        json.put("section", register.section());
        if (!register.description().isEmpty()) {
            json.put("description", register.description());
        }
        return json;
    }

    private static Map<String, Object> json(DecodedField field) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", field.field().name());
        json.put("bits", field.field().place());
        json.put("value", "0x" + Long.toHexString(field.value()));
        Register.Access own = field.field().access();
        if (own != null) {
            json.put("access", own.words());
        }
        field.meaning().ifPresent(name -> json.put("meaning", name));
        return json;
    }

    @Override
    public String toString() {
        return register.name() + " " + digits() + " " + fields;
    }
}
