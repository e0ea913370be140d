package dev.outboard.memory.svd;

import java.util.Set;
import java.util.regex.Pattern;

/** Text of strangers in Java source: it becomes a name, a literal or a comment, and nothing else. */
final class JavaText {
    private static final Pattern IDENTIFIER = Pattern.compile("[A-Za-z_$][A-Za-z0-9_$]*");
    private static final char FIRST_PLAIN = ' ';
    private static final char LAST_PLAIN = '~';
    // JLS 3.9, reserved keywords and literals, and the contextual keywords that no type may be named by.
    private static final Set<String> RESERVED = Set.of(
            ("abstract assert boolean break byte case catch char class const continue default do double else enum extends"
                            + " final finally float for goto if implements import instanceof int interface long native"
                            + " new package private protected public return short static strictfp super switch"
                            + " synchronized this throw throws transient try void volatile while _ true false null"
                            + " permits record sealed var yield")
                    .split(" ", -1));

    private JavaText() {}

    static boolean isIdentifier(String name) {
        return IDENTIFIER.matcher(name).matches() && !RESERVED.contains(name);
    }

    static boolean isPackage(String name) {
        for (String part : name.split("\\.", -1)) {
            if (!isIdentifier(part)) {
                return false;
            }
        }
        return true;
    }

    /** A name that is an identifier, and the same if it was one. */
    static String identifier(String name) {
        String identifier = name.replaceAll("[^A-Za-z0-9_]", "_");
        return isIdentifier(identifier) ? identifier : "_" + identifier + "_";
    }

    /** A sentence that neither ends its comment nor means anything to javadoc. */
    static String comment(String text) {
        StringBuilder harmless = new StringBuilder();
        String stripped = text.strip();
        for (int i = 0; i < stripped.length(); i++) {
            char c = stripped.charAt(i);
            // A backslash might begin a Unicode escape, which counts in comments too.
            boolean plain = c >= FIRST_PLAIN && c <= LAST_PLAIN && "\\<>&@*/{}".indexOf(c) < 0;
            harmless.append(plain ? Character.toString(c) : Character.isSurrogate(c) ? "?" : "&#" + (int) c + ";");
        }
        return harmless.append(harmless.toString().endsWith(".") ? "" : ".").toString();
    }

    /** A string literal. */
    static String literal(String text) {
        StringBuilder literal = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                // Not as Unicode escapes: those are undone before literals are looked for.
                literal.append('\\').append(c);
            } else if (c < FIRST_PLAIN) {
                literal.append(String.format("\\%03o", (int) c));
            } else {
                literal.append(c <= LAST_PLAIN ? Character.toString(c) : String.format("\\u%04x", (int) c));
            }
        }
        return literal.append('"').toString();
    }
}
