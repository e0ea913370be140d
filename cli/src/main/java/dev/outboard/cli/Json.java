package dev.outboard.cli;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Map;

/** What {@code --json} prints: one document, fields in the order in which they were put. */
public final class Json {
    private static final JSON WRITER = JSON.builder()
            .enable(JSON.Feature.PRETTY_PRINT_OUTPUT)
            .disable(JSON.Feature.FAIL_ON_UNKNOWN_TYPE_WRITE)
            .build();

    private Json() {}

    /**
     * A JSON object.
     *
     * @return a map that keeps the order
     */
    public static Map<String, Object> object() {
        return new LinkedHashMap<>();
    }

    /**
     * Prints a document.
     *
     * @param out where to
     * @param document maps, lists, text, numbers, booleans, null
     * @throws IOException if it cannot be written
     */
    public static void print(PrintStream out, Object document) throws IOException {
        out.println(WRITER.asString(document));
        out.flush();
    }

    /**
     * Rounds for print: JSON is read by people too.
     *
     * @param value a number
     * @return the number with three decimals at most
     */
    public static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }
}
