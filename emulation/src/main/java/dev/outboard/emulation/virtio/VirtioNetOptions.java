package dev.outboard.emulation.virtio;

import dev.outboard.specs.virtio.VirtioNet;
import java.util.HexFormat;

/**
 * What a virtio network card shall be.
 *
 * @param mac its address, as {@code 02:00:00:00:00:01}
 * @param queuePairs how many pairs of queues it has
 * @param queueSize how many descriptors each queue can have, a power of two
 * @param mtu the longest payload of a frame, in bytes
 * @param mergeable whether a received frame may take several buffers
 */
public record VirtioNetOptions(String mac, int queuePairs, int queueSize, int mtu, boolean mergeable) {
    /** One pair of queues, and what Ethernet usually has. */
    public static final VirtioNetOptions DEFAULT = new VirtioNetOptions("02:00:00:00:00:01", 1, 256, 1500, true);

    private static final int MOST_PAIRS = 32;
    private static final int SMALLEST_QUEUE = 4;
    private static final int LARGEST_QUEUE = 1024;
    private static final int LEAST_MTU = 68;
    private static final int LARGEST_MTU = 65_535;
    private static final int GROUP_BIT = 1;

    /** Checks all of it. */
    public VirtioNetOptions {
        if (!mac.matches("[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){" + (VirtioNet.MAC_BYTES - 1) + "}")
                || (parse(mac)[0] & GROUP_BIT) != 0) {
            throw new IllegalArgumentException(
                    "the address \"" + mac + "\"; give six bytes, the first even, as " + "02:00:00:00:00:01");
        }
        if (queuePairs < 1 || queuePairs > MOST_PAIRS) {
            throw new IllegalArgumentException(queuePairs + " pairs of queues; there can be 1 to " + MOST_PAIRS);
        }
        if (Integer.bitCount(queueSize) != 1 || queueSize < SMALLEST_QUEUE || queueSize > LARGEST_QUEUE) {
            throw new IllegalArgumentException("queues of " + queueSize + " descriptors; they can have "
                    + SMALLEST_QUEUE + " to " + LARGEST_QUEUE + ", a power of two");
        }
        if (mtu < LEAST_MTU || mtu > LARGEST_MTU) {
            throw new IllegalArgumentException(
                    "an MTU of " + mtu + " bytes; it can be " + LEAST_MTU + " to " + LARGEST_MTU);
        }
    }

    private static byte[] parse(String mac) {
        return HexFormat.ofDelimiter(":").parseHex(mac);
    }

    /**
     * The address.
     *
     * @return six bytes
     */
    public byte[] macBytes() {
        return parse(mac);
    }
}
