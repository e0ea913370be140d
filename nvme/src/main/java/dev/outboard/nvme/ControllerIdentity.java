package dev.outboard.nvme;

import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.Identify;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * What a controller says that it is.
 *
 * @param data the data of identify controller, {@link Identify#CONTROLLER}
 */
public record ControllerIdentity(StructView data) {
    /**
     * The serial number.
     *
     * @return text, without the padding
     */
    public String serialNumber() {
        return text("sn");
    }

    /**
     * The model number.
     *
     * @return text, without the padding
     */
    public String modelNumber() {
        return text("mn");
    }

    /**
     * The firmware revision.
     *
     * @return text, without the padding
     */
    public String firmwareRevision() {
        return text("fr");
    }

    /**
     * A field that holds text.
     *
     * @param field its name in {@link Identify#CONTROLLER}
     * @return the text, without the padding of spaces and NUL bytes; characters that are not printable ASCII become '?'
     */
    public String text(String field) {
        return text(data.slice(field));
    }

    static String text(MemorySegment padded) {
        byte[] bytes = padded.toArray(ValueLayout.JAVA_BYTE);
        int end = bytes.length;
        while (end > 0 && (bytes[end - 1] == ' ' || bytes[end - 1] == 0)) {
            end--;
        }
        return new String(bytes, 0, end, StandardCharsets.US_ASCII).replaceAll("[^\\x20-\\x7e]", "?");
    }
}
