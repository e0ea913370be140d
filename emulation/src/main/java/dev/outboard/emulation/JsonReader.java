package dev.outboard.emulation;

import dev.outboard.linux.Errno;
import java.util.HashMap;
import java.util.Map;

/**
 * Reads a small JSON document from an untrusted peer and keeps its whole numbers, by their dotted path. Everything else is
 * checked for syntax and dropped. RFC 8259.
 */
final class JsonReader {
    private static final int MAXIMUM_DEPTH = 16;

    private final String text;
    private final Map<String, Long> numbers = new HashMap<>();
    private int at;

    JsonReader(String text) {
        this.text = text;
    }

    long number(String path, long otherwise) {
        return numbers.getOrDefault(path, otherwise);
    }

    void readDocument() throws ErrorReply {
        readValue("", 0);
        skipSpace();
        if (at != text.length()) {
            throw malformed();
        }
    }

    private void readValue(String path, int depth) throws ErrorReply {
        if (depth > MAXIMUM_DEPTH) {
            throw malformed();
        }
        skipSpace();
        switch (peek()) {
            case '{' -> readObject(path, depth);
            case '[' -> readArray(path, depth);
            case '"' -> readString();
            case 't' -> expect("true");
            case 'f' -> expect("false");
            case 'n' -> expect("null");
            default -> readNumber(path);
        }
    }

    private void readObject(String path, int depth) throws ErrorReply {
        at++;
        skipSpace();
        if (peek() == '}') {
            at++;
            return;
        }
        while (true) {
            skipSpace();
            String name = readString();
            skipSpace();
            expect(":");
            readValue(path.isEmpty() ? name : path + "." + name, depth + 1);
            if (endsList('}')) {
                return;
            }
        }
    }

    private void readArray(String path, int depth) throws ErrorReply {
        at++;
        skipSpace();
        if (peek() == ']') {
            at++;
            return;
        }
        do {
            readValue(path + "[]", depth + 1);
        } while (!endsList(']'));
    }

    private boolean endsList(char end) throws ErrorReply {
        skipSpace();
        char next = peek();
        at++;
        if (next != ',' && next != end) {
            throw malformed();
        }
        return next == end;
    }

    private String readString() throws ErrorReply {
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

    private void readNumber(String path) throws ErrorReply {
        int start = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        try {
            double value = Double.parseDouble(text.substring(start, at));
            if (value == Math.rint(value)) {
                numbers.put(path, (long) value);
            }
        } catch (NumberFormatException e) {
            throw malformed();
        }
    }

    private char peek() throws ErrorReply {
        if (at >= text.length()) {
            throw malformed();
        }
        return text.charAt(at);
    }

    private void expect(String expected) throws ErrorReply {
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

    private static ErrorReply malformed() {
        return new ErrorReply(Errno.EINVAL);
    }
}
