package dev.outboard.bench;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads what peers print. */
final class PeerOutput {
    // "Total : 1083021.40 4230.55 0.92 0.77 215.31": IOPS, MiB/s and three latencies; the titles stand lines above.
    private static final Pattern SPDK_TOTAL = Pattern.compile("(?m)^Total\\s*:\\s*([0-9]+(?:\\.[0-9]+)?)\\s");

    private PeerOutput() {}

    /** A number of the JSON object that a program of bench/peers printed. */
    static double number(String output, String field) throws IOException {
        return number(object(output), field, output);
    }

    private static double latency(String output, String percentile) throws IOException {
        if (object(output).get("latencyMicros") instanceof Map<?, ?> latency) {
            return number(latency, percentile, output);
        }
        throw new IOException("the peer printed no object \"latencyMicros\" but \"" + output.strip() + "\"");
    }

    private static Map<String, Object> object(String output) throws IOException {
        try {
            return JSON.std.mapFrom(output);
        } catch (IOException e) {
            throw new IOException("the peer did not print a JSON object but \"" + output.strip() + "\"", e);
        }
    }

    private static double number(Map<?, ?> object, String field, String output) throws IOException {
        if (object.get(field) instanceof Number number) {
            return number.doubleValue();
        }
        throw new IOException("the peer printed no number \"" + field + "\" but \"" + output.strip() + "\"");
    }

    /** The figures of nvme_client and of {@code outboard nvme bench --json}; all requests must have succeeded. */
    static double[] ofClient(String output) throws IOException {
        double errors = number(output, "errors");
        if (errors != 0) {
            throw new IOException("%.0f of the peer's requests failed".formatted(errors));
        }
        return new double[] {
            number(output, "iops"), latency(output, "p99"), latency(output, "p9999"),
        };
    }

    /** The figures of SPDK's spdk_nvme_perf, which does not print percentiles. */
    static double[] ofSpdk(String output) throws IOException {
        Matcher total = SPDK_TOTAL.matcher(output);
        if (!total.find()) {
            throw new IOException("spdk_nvme_perf printed no line \"Total : …\" but \"" + output.strip() + "\"");
        }
        return new double[] {Double.parseDouble(total.group(1)), Double.NaN, Double.NaN};
    }
}
