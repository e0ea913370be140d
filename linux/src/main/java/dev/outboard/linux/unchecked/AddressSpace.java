package dev.outboard.linux.unchecked;

import java.lang.foreign.MemorySegment;

/** All memory of this process. */
public final class AddressSpace {
    /**
     * Every address, at the offset that it is. A constant, so that compiled code folds all that a segment checks but
     * bounds and alignment: an access through it costs half of one through a segment that is held in a field. An access
     * to what is not mapped ends the JVM.
     */
    public static final MemorySegment SEGMENT = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private AddressSpace() {}
}
