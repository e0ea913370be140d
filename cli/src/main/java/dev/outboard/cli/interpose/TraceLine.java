package dev.outboard.cli.interpose;

import dev.outboard.cli.Json;
import java.util.Map;

/**
 * A line of a trace.
 *
 * @param nanos when, since the device was opened
 * @param kind what happened, by which traces are filtered
 * @param text what more there is to say
 * @param details the same for programs
 */
record TraceLine(long nanos, String kind, String text, Map<String, Object> details) {
    private static final double NANOS_A_SECOND = 1e9;

    Map<String, Object> json() {
        Map<String, Object> json = Json.object();
        json.put("nanos", nanos);
        json.put("kind", kind);
        json.putAll(details);
        return json;
    }

    @Override
    public String toString() {
        return String.format("%13.9f  %-10s %s", nanos / NANOS_A_SECOND, kind, text);
    }
}
