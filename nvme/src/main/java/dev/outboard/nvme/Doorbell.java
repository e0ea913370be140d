package dev.outboard.nvme;

import dev.outboard.memory.Registers;
import org.jspecify.annotations.Nullable;

/**
 * Tells the controller how far the driver is in a queue: by a register, or, where doorbells are shadowed, by a word in
 * memory, and by the register only when the controller asks for that.
 */
final class Doorbell {
    private final Registers register;
    private final ShadowDoorbells.@Nullable Shadow shadow;

    Doorbell(Registers register, ShadowDoorbells.@Nullable Shadow shadow) {
        this.register = register;
        this.shadow = shadow;
    }

    /** Tells the controller of a new tail or head. All that was stored before is seen by it before that. */
    void ring(int position) {
        if (shadow == null || shadow.store(position)) {
            register.write32(0, position);
        }
    }

    /** The queue is about to be created anew, and starts from its beginning. */
    void clear() {
        if (shadow != null) {
            shadow.clear();
        }
    }
}
