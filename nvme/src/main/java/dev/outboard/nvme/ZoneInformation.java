package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.Zone;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * What the zones of a namespace are like. Zoned namespace command set specification 1.1, 4.1.5.
 *
 * @param zoneBlocks how many blocks lie between the first blocks of two zones; a zone may have room for fewer
 * @param count how many zones there are
 * @param maximumOpen how many can be open at a time; 0 for any number
 * @param maximumActive how many can be open or closed at a time; 0 for any number
 * @param extensionBytes the size of a zone descriptor's extension; 0 for none
 * @param readsAcrossZones whether one read may reach into the next zone
 * @param maximumAppendBytes the most that one append can transfer, as the controller says; 0 for no limit of its own
 */
public record ZoneInformation(
        long zoneBlocks,
        long count,
        long maximumOpen,
        long maximumActive,
        int extensionBytes,
        boolean readsAcrossZones,
        long maximumAppendBytes) {
    /** So that a report of all zones fits into memory; a disk of 256 TB in zones of 256 MB has as many. */
    private static final long MAXIMUM_ZONES = 1 << 20;

    /** Reads them from what the controller said, which is checked. */
    static ZoneInformation of(
            NvmeNamespace namespace, MemorySegment data, MemorySegment controller, ControllerAccess access)
            throws IOException {
        StructView identity = Zone.NAMESPACE.view(data);
        StructView format = Zone.FORMAT_EXTENSION.view(
                identity.slice("lbafe").asSlice((long) namespace.formatIndex() * Zone.FORMAT_EXTENSION_BYTES));
        long blocks = format.get("zsze");
        if (blocks < 1 || blocks > namespace.blockCount() || namespace.blockCount() / blocks > MAXIMUM_ZONES) {
            throw new DeviceException(access + " says that zones of " + namespace + " have "
                    + Long.toUnsignedString(blocks) + " blocks, which cannot be");
        }
        long appendShift = Zone.CONTROLLER.view(controller).get("zasl");
        return new ZoneInformation(
                blocks,
                namespace.blockCount() / blocks,
                limit((int) identity.get("mor")),
                limit((int) identity.get("mar")),
                (int) format.get("zdes") * Zone.EXTENSION_UNIT_BYTES,
                (identity.get("ozcs") & Zone.READ_ACROSS_BOUNDARIES) != 0,
                appendShift == 0 || appendShift >= Integer.SIZE ? 0 : (long) access.pageBytes() << appendShift);
    }

    // Less one, so that "no limit" becomes 0.
    private static long limit(int lessOne) {
        return lessOne == Zone.UNLIMITED ? 0 : Integer.toUnsignedLong(lessOne) + 1;
    }

    /** Checks that a zone starts at a block. */
    void checkFirstBlock(long block) {
        if (block < 0 || block % zoneBlocks != 0 || block / zoneBlocks >= count) {
            throw new IndexOutOfBoundsException("no zone starts at block " + block + ": there are " + this);
        }
    }

    @Override
    public String toString() {
        return count + " zones of " + zoneBlocks + " blocks";
    }
}
