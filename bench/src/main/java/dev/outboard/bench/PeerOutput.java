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
        Map<String, Object> object;
        try {
            object = JSON.std.mapFrom(output);
        } catch (IOException e) {
            throw new IOException("the peer did not print a JSON object but \"" + output.strip() + "\"", e);
        }
        if (object.get(field) instanceof Number number) {
            return number.doubleValue();
        }
        throw new IOException("the peer printed no number \"" + field + "\" but \"" + output.strip() + "\"");
    }

    /** The requests a second of nvme_client and of {@code outboard nvme bench --json}; all must have succeeded. */
    static double iops(String output) throws IOException {
        double errors = number(output, "errors");
        if (errors != 0) {
            throw new IOException("%.0f of the peer's requests failed".formatted(errors));
        }
        return number(output, "iops");
    }

    /** The requests a second of SPDK's spdk_nvme_perf. */
    static double spdkIops(String output) throws IOException {
        Matcher total = SPDK_TOTAL.matcher(output);
        if (!total.find()) {
            throw new IOException("spdk_nvme_perf printed no line \"Total : …\" but \"" + output.strip() + "\"");
        }
        return Double.parseDouble(total.group(1));
    }
}
