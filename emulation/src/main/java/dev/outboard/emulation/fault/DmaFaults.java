package dev.outboard.emulation.fault;

import dev.outboard.emulation.interpose.DmaStore;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** What is done to stores in DMA memory. */
final class DmaFaults {
    private final RandomGenerator random;

    DmaFaults(RandomGenerator random) {
        this.random = random;
    }

    /** A store as the actions would have it; null if it does not happen. Delays are the caller's. */
    @Nullable
    DmaStore changed(DmaStore store, List<FaultAction> actions) {
        DmaStore seen = store;
        for (FaultAction action : actions) {
            switch (action.kind()) {
                case DROP -> {
                    return null;
                }
                case FLIP -> seen = flipped(seen, action.operand());
                case ONES -> {
                    byte[] bytes = new byte[seen.bytes().length];
                    Arrays.fill(bytes, (byte) -1);
                    seen = new DmaStore(seen.deviceAddress(), bytes);
                }
                default -> {
                    // Changes nothing.
                }
            }
        }
        return seen;
    }

    /** Inverts bits in one of the words, whichever chance takes. */
    private DmaStore flipped(DmaStore store, long mask) {
        byte[] bytes = store.bytes().clone();
        int word = random.nextInt(bytes.length / DmaStore.WORD_BYTES) * DmaStore.WORD_BYTES;
        for (int i = 0; i < Math.min(Long.BYTES, bytes.length - word); i++) {
            bytes[word + i] ^= (byte) (mask >>> (i * Byte.SIZE));
        }
        return new DmaStore(store.deviceAddress(), bytes);
    }
}
