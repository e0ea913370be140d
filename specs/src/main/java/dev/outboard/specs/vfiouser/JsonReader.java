package dev.outboard.specs.vfiouser;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a small JSON document from an untrusted peer: objects are maps, arrays lists, numbers doubles, and null is
 * {@link #NULL}. RFC 8259; lenient where no harm is done, as with leading zeros.
 */
final class JsonReader {
    static final Object NULL = new Object();

    private static final int MAXIMUM_DEPTH = 16;

    private final String text;
    private int at;

    private JsonReader(String text) {
        this.text = text;
    }

    /** Reads a whole document. Throws IllegalArgumentException, with the position, if it is none. */
    static Object read(String text) {
        JsonReader reader = new JsonReader(text);
        Object value = reader.value(0);
        reader.skipSpace();
        if (reader.at != text.length()) {
            throw reader.malformed();
        }
        return value;
    }

    private Object value(int depth) {
        if (depth > MAXIMUM_DEPTH) {
            throw malformed();
        }
        skipSpace();
        return switch (peek()) {
            case '{' -> object(depth);
            case '[' -> array(depth);
            case '"' -> string();
            case 't' -> literal("true", true);
            case 'f' -> literal("false", false);
            case 'n' -> literal("null", NULL);
            default -> number();
        };
    }

    private Map<String, Object> object(int depth) {
        Map<String, Object> members = new HashMap<>();
        at++;
        skipSpace();
        if (peek() == '}') {
            at++;
            return members;
        }
        do {
            skipSpace();
            String name = string();
            skipSpace();
            expect(":");
            members.put(name, value(depth + 1));
        } while (!endsList('}'));
        return members;
    }

    private List<Object> array(int depth) {
        List<Object> elements = new ArrayList<>();
        at++;
        skipSpace();
        if (peek() == ']') {
            at++;
            return elements;
        }
        do {
            elements.add(value(depth + 1));
        } while (!endsList(']'));
        return elements;
    }

    private boolean endsList(char end) {
        skipSpace();
        char next = peek();
        at++;
        if (next != ',' && next != end) {
            throw malformed();
        }
        return next == end;
    }

    private String string() {
        expect("\"");
        StringBuilder string = new StringBuilder();
        while (peek() != '"') {
            char c = text.charAt(at++);
            if (c == '\\') {
                // No name that matters has an escape in it.
                c = peek();
                at++;
            }
            string.append(c);
        }
        at++;
        return string.toString();
    }

    private Double number() {
        int start = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        try {
            return Double.valueOf(text.substring(start, at));
        } catch (NumberFormatException e) {
            throw malformed();
        }
    }

    private Object literal(String name, Object value) {
        expect(name);
        return value;
    }

    private char peek() {
        if (at >= text.length()) {
            throw malformed();
        }
        return text.charAt(at);
    }

    private void expect(String expected) {
        if (!text.startsWith(expected, at)) {
            throw malformed();
        }
        at += expected.length();
    }

    private void skipSpace() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private IllegalArgumentException malformed() {
        return new IllegalArgumentException("no JSON document: stopped at character " + at + " of " + text.length());
    }
}
