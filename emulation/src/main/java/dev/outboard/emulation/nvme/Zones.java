package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.outboard.emulation.nvme.NvmeOptions.ZoneLimits;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.Zone;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The zones of a namespace and their states. Zoned namespace command set specification 1.1, 2.1.1.3. What can be refused
 * returns a status.
 */
final class Zones {
    /** The size of the extension of a zone's descriptor. */
    static final int EXTENSION_BYTES = 64;

    private final ZoneLimits limits;
    private final int zoneShift;
    private final byte[] states;
    // How much is written, in blocks from the zone's start.
    private final long[] written;
    private final Map<Integer, byte[]> extensions = new HashMap<>();
    private int open;
    private int active;

    Zones(ZoneLimits limits, long blocks, int blockShift) {
        this.limits = limits;
        zoneShift = Long.numberOfTrailingZeros(limits.sizeBytes()) - blockShift;
        states = new byte[Math.toIntExact(blocks >>> zoneShift)];
        written = new long[states.length];
        Arrays.fill(states, (byte) Zone.EMPTY);
    }

    ZoneLimits limits() {
        return limits;
    }

    int count() {
        return states.length;
    }

    long zoneBlocks() {
        return 1L << zoneShift;
    }

    long blockCount() {
        return (long) states.length << zoneShift;
    }

    int zoneOf(long block) {
        return (int) (block >>> zoneShift);
    }

    long firstBlock(int zone) {
        return (long) zone << zoneShift;
    }

    boolean isFirstBlock(long block) {
        return Long.compareUnsigned(block, blockCount()) < 0 && (block & (zoneBlocks() - 1)) == 0;
    }

    int state(int zone) {
        return states[zone];
    }

    /** Where the next write goes. */
    long writePointer(int zone) {
        return firstBlock(zone) + written[zone];
    }

    boolean hasWritePointer(int zone) {
        return states[zone] < Zone.READ_ONLY;
    }

    byte @Nullable [] extension(int zone) {
        return extensions.get(zone);
    }

    /** Whether blocks can be read. */
    int checkRead(long first, long count) {
        for (int zone = zoneOf(first); zone <= zoneOf(first + count - 1); zone++) {
            if (states[zone] == Zone.IS_OFFLINE) {
                return Status.ZONE_IS_OFFLINE;
            }
        }
        return Status.SUCCESS;
    }

    /** Whether blocks can be written where they are asked to, which opens their zone. */
    int prepareWrite(long first, long count) {
        int zone = zoneOf(first);
        int status = checkWritable(zone, first - firstBlock(zone) + count);
        if (status == Status.SUCCESS && first != writePointer(zone)) {
            status = Status.ZONE_INVALID_WRITE;
        }
        return status == Status.SUCCESS ? open(zone, Zone.IMPLICITLY_OPENED) : status;
    }

    /** Whether blocks can be added to a zone, which opens it. */
    int prepareAppend(int zone, long count) {
        int status = checkWritable(zone, written[zone] + count);
        return status == Status.SUCCESS ? open(zone, Zone.IMPLICITLY_OPENED) : status;
    }

    private int checkWritable(int zone, long end) {
        return switch (states[zone]) {
            case Zone.FULL -> Status.ZONE_IS_FULL;
            case Zone.READ_ONLY -> Status.ZONE_IS_READ_ONLY;
            case Zone.IS_OFFLINE -> Status.ZONE_IS_OFFLINE;
            default -> end > zoneBlocks() ? Status.ZONE_BOUNDARY_ERROR : Status.SUCCESS;
        };
    }

    /** Moves the write pointer over blocks that were written. */
    void wrote(int zone, long count) {
        written[zone] += count;
        if (written[zone] == zoneBlocks()) {
            become(zone, Zone.FULL);
        }
    }

    /** Opens a zone, in one of the two open states. */
    int open(int zone, int how) {
        switch (states[zone]) {
            case Zone.EXPLICITLY_OPENED -> {
                return Status.SUCCESS;
            }
            case Zone.IMPLICITLY_OPENED -> {
                states[zone] = (byte) how;
                return Status.SUCCESS;
            }
            case Zone.EMPTY -> {
                if (limits.maximumActive() != 0 && active == limits.maximumActive()) {
                    return Status.TOO_MANY_ACTIVE_ZONES;
                }
            }
            case Zone.CLOSED -> {
                // It is active already.
            }
            default -> {
                return Status.INVALID_ZONE_STATE_TRANSITION;
            }
        }
        if (limits.maximumOpen() != 0 && open == limits.maximumOpen() && !closeImplicitlyOpened()) {
            return Status.TOO_MANY_OPEN_ZONES;
        }
        become(zone, how);
        return Status.SUCCESS;
    }

    // The controller may close what the host did not open itself. 2.1.1.4.1.
    private boolean closeImplicitlyOpened() {
        for (int zone = 0; zone < states.length; zone++) {
            if (states[zone] == Zone.IMPLICITLY_OPENED) {
                become(zone, Zone.CLOSED);
                return true;
            }
        }
        return false;
    }

    int close(int zone) {
        switch (states[zone]) {
            case Zone.IMPLICITLY_OPENED, Zone.EXPLICITLY_OPENED, Zone.CLOSED -> become(zone, Zone.CLOSED);
            default -> {
                return Status.INVALID_ZONE_STATE_TRANSITION;
            }
        }
        return Status.SUCCESS;
    }

    int finish(int zone) {
        if (states[zone] >= Zone.READ_ONLY && states[zone] != Zone.FULL) {
            return Status.INVALID_ZONE_STATE_TRANSITION;
        }
        become(zone, Zone.FULL);
        return Status.SUCCESS;
    }

    /** Makes a zone empty; its blocks are the caller's. */
    int reset(int zone) {
        if (states[zone] >= Zone.READ_ONLY && states[zone] != Zone.FULL) {
            return Status.INVALID_ZONE_STATE_TRANSITION;
        }
        become(zone, Zone.EMPTY);
        written[zone] = 0;
        extensions.remove(zone);
        return Status.SUCCESS;
    }

    void resetAll() {
        Arrays.fill(states, (byte) Zone.EMPTY);
        Arrays.fill(written, 0);
        extensions.clear();
        open = 0;
        active = 0;
    }

    int takeOffline(int zone) {
        if (states[zone] != Zone.READ_ONLY && states[zone] != Zone.IS_OFFLINE) {
            return Status.INVALID_ZONE_STATE_TRANSITION;
        }
        become(zone, Zone.IS_OFFLINE);
        return Status.SUCCESS;
    }

    /** What worn media do; no command does it. */
    void makeReadOnly(int zone) {
        become(zone, Zone.READ_ONLY);
    }

    int setExtension(int zone, MemorySegment extension) {
        if (states[zone] != Zone.EMPTY) {
            return Status.INVALID_ZONE_STATE_TRANSITION;
        }
        if (limits.maximumActive() != 0 && active == limits.maximumActive()) {
            return Status.TOO_MANY_ACTIVE_ZONES;
        }
        extensions.put(zone, extension.toArray(JAVA_BYTE));
        become(zone, Zone.CLOSED);
        return Status.SUCCESS;
    }

    private void become(int zone, int state) {
        open += (isOpen(state) ? 1 : 0) - (isOpen(states[zone]) ? 1 : 0);
        active += (isActive(state) ? 1 : 0) - (isActive(states[zone]) ? 1 : 0);
        states[zone] = (byte) state;
    }

    private static boolean isOpen(int state) {
        return state == Zone.IMPLICITLY_OPENED || state == Zone.EXPLICITLY_OPENED;
    }

    private static boolean isActive(int state) {
        return isOpen(state) || state == Zone.CLOSED;
    }
}
