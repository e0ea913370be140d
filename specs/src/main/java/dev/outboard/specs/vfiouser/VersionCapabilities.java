package dev.outboard.specs.vfiouser;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * What a peer of vfio-user says of itself in the JSON document of the {@link VfioUser#VERSION} message. Names that nobody
 * knows are passed over; a value of the wrong type is refused. The capability {@code migration} is checked and not kept:
 * neither of our sides migrates.
 *
 * @param maxMsgFds how many descriptors the sender takes with one message
 * @param maxDataXferSize how much data the sender takes with one message, in bytes
 * @param maxDmaMaps how many DMA maps the sender holds at a time
 * @param pageSizes the page sizes that DMA maps are made of, in bytes, or'ed together
 * @param writeMultiple whether the sender knows {@link VfioUser#REGION_WRITE_MULTI}
 * @param twinSocket whether the server's commands shall go over a socket of their own
 * @param twinSocketIndex which of the descriptors of the server's reply that socket is; {@link #NO_INDEX} if there is none
 */
public record VersionCapabilities(
        long maxMsgFds,
        long maxDataXferSize,
        long maxDmaMaps,
        long pageSizes,
        boolean writeMultiple,
        boolean twinSocket,
        long twinSocketIndex) {
    /** {@link #twinSocketIndex} of a message that comes without a socket. */
    public static final long NO_INDEX = -1;

    /** A peer that says nothing. */
    public static final VersionCapabilities DEFAULT = new VersionCapabilities(
            VfioUser.DEFAULT_MAX_MSG_FDS,
            VfioUser.DEFAULT_MAX_DATA_XFER_SIZE,
            VfioUser.DEFAULT_MAX_DMA_MAPS,
            VfioUser.DEFAULT_PAGE_SIZES,
            false,
            false,
            NO_INDEX);

    /** Every document that was ever seen fits many times; a larger one wants to fill memory. */
    private static final int MAXIMUM_BYTES = 16 << 10;

    /**
     * Reads what follows the version numbers.
     *
     * @param data a JSON document, usually with a NUL byte behind it; empty if the peer says nothing
     * @return what it says
     * @throws IllegalArgumentException if it is no such document; the message says what is wrong
     */
    public static VersionCapabilities parse(byte[] data) {
        int length = 0;
        while (length < data.length && data[length] != 0) {
            length++;
        }
        if (length == 0) {
            return DEFAULT;
        }
        if (length > MAXIMUM_BYTES) {
            throw new IllegalArgumentException("capabilities of " + length + " bytes; there are " + MAXIMUM_BYTES);
        }
        Map<?, ?> document =
                object(JsonReader.read(new String(data, 0, length, StandardCharsets.UTF_8)), "the document");
        Map<?, ?> capabilities = member(document, "capabilities");
        Map<?, ?> twin = member(capabilities, "twin_socket");
        Map<?, ?> migration = member(capabilities, "migration");
        boolean twinSocket = flag(twin, "supported");
        long twinSocketIndex = number(twin, "fd_index", NO_INDEX, 0);
        number(migration, "pgsize", DEFAULT.pageSizes, 1);
        number(migration, "max_bitmap_size", 0, 0);
        return new VersionCapabilities(
                number(capabilities, "max_msg_fds", DEFAULT.maxMsgFds, 0),
                number(capabilities, "max_data_xfer_size", DEFAULT.maxDataXferSize, 1),
                number(capabilities, "max_dma_maps", DEFAULT.maxDmaMaps, 0),
                number(capabilities, "pgsizes", DEFAULT.pageSizes, 1),
                flag(capabilities, "write_multiple"),
                twinSocket,
                twinSocket ? twinSocketIndex : NO_INDEX);
    }

    private static Map<?, ?> member(Map<?, ?> object, String name) {
        Object value = object.get(name);
        return value == null ? Map.of() : object(value, name);
    }

    private static Map<?, ?> object(Object value, String name) {
        if (value instanceof Map<?, ?> map) {
            return map;
        }
        throw new IllegalArgumentException(name + " is no JSON object");
    }

    private static long number(Map<?, ?> object, String name, long otherwise, long least) {
        Object value = object.get(name);
        if (value == null) {
            return otherwise;
        }
        // Also what no double holds exactly ends up as a number that is not too large for a long.
        if (value instanceof Double number && number == Math.rint(number) && number >= least && number < 0x1p63) {
            return number.longValue();
        }
        throw new IllegalArgumentException(name + " is no whole number from " + least);
    }

    private static boolean flag(Map<?, ?> object, String name) {
        Object value = object.get(name);
        if (value == null) {
            return false;
        }
        if (value instanceof Boolean flag) {
            return flag;
        }
        throw new IllegalArgumentException(name + " is neither true nor false");
    }

    /**
     * The document, in the form that libvfio-user, SPDK and QEMU write and expect.
     *
     * @return JSON in ASCII, with a NUL byte behind it
     */
    public byte[] toBytes() {
        StringBuilder json = new StringBuilder("{\"capabilities\":{\"max_msg_fds\":" + maxMsgFds
                + ",\"max_data_xfer_size\":" + maxDataXferSize + ",\"max_dma_maps\":" + maxDmaMaps + ",\"pgsizes\":"
                + pageSizes);
        if (writeMultiple) {
            json.append(",\"write_multiple\":true");
        }
        if (twinSocket) {
            json.append(",\"twin_socket\":{\"supported\":true");
            if (twinSocketIndex != NO_INDEX) {
                json.append(",\"fd_index\":").append(twinSocketIndex);
            }
            json.append('}');
        }
        return json.append("}}\0").toString().getBytes(StandardCharsets.US_ASCII);
    }
}
