package dev.outboard.emulation.interpose;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What DMA memory holds, as far as the stores say that were applied to it. */
final class DmaImage {
    private final NavigableMap<Long, byte[]> buffers = new TreeMap<>(Long::compareUnsigned);

    void allocated(long address, long sizeBytes) {
        buffers.put(address, new byte[Math.toIntExact(sizeBytes)]);
    }

    void apply(List<DmaStore> stores) {
        for (DmaStore store : stores) {
            Map.Entry<Long, byte[]> below = holding(store.deviceAddress(), store.bytes().length);
            if (below != null) {
                System.arraycopy(
                        store.bytes(),
                        0,
                        below.getValue(),
                        (int) (store.deviceAddress() - below.getKey()),
                        store.bytes().length);
            }
        }
    }

    /** Some bytes, little-endian; all zero where there is no memory. */
    ByteBuffer bytes(long address, int length) {
        Map.Entry<Long, byte[]> below = holding(address, length);
        byte[] bytes = new byte[length];
        if (below != null) {
            int offset = (int) (address - below.getKey());
            bytes = Arrays.copyOfRange(below.getValue(), offset, offset + length);
        }
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private Map.@Nullable Entry<Long, byte[]> holding(long address, int length) {
        Map.Entry<Long, byte[]> below = buffers.floorEntry(address);
        return below != null && address - below.getKey() + length <= below.getValue().length ? below : null;
    }
}
