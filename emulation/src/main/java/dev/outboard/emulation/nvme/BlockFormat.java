package dev.outboard.emulation.nvme;

import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.NamespaceCommand;
import dev.outboard.specs.nvme.ProtectionInformation;

/**
 * How a namespace is formatted: one of the LBA formats that the controller offers, and how metadata is used.
 *
 * @param index the LBA format
 * @param extended whether metadata follows the data of each block, instead of lying in a buffer of its own
 * @param protectionType the type of protection information, 1 to 3; 0 for none
 * @param protectionFirst whether protection information comes first in the metadata, instead of last
 */
record BlockFormat(int index, boolean extended, int protectionType, boolean protectionFirst) {
    /** How many LBA formats there are. */
    static final int COUNT = 8;

    /** The most metadata that a block can have. */
    static final int MAXIMUM_METADATA_BYTES = 64;

    private static final int[] METADATA_BYTES = {0, 8, 16, MAXIMUM_METADATA_BYTES};
    private static final int SMALL_BLOCK_SHIFT = 9;
    private static final int LARGE_BLOCK_SHIFT = 12;
    private static final int HIGHEST_PROTECTION_TYPE = 3;
    private static final int DPS_FIRST = 8;

    /** Finds the LBA format for options. Returns one that {@link #isPossible} refuses if there is none. */
    static BlockFormat of(int blockSizeBytes, int metadataBytes, boolean extended, int protectionType) {
        for (int i = 0; i < COUNT; i++) {
            if (1 << blockShift(i) == blockSizeBytes && METADATA_BYTES[i % METADATA_BYTES.length] == metadataBytes) {
                return new BlockFormat(i, extended, protectionType, false);
            }
        }
        return new BlockFormat(COUNT, extended, protectionType, false);
    }

    /** What a format command asks for, in dword 10. */
    static BlockFormat of(int dword10) {
        int low = (int) NamespaceCommand.FORMAT.get(dword10);
        int high = (int) NamespaceCommand.FORMAT_HIGH.get(dword10);
        return new BlockFormat(
                low | high << NamespaceCommand.FORMAT.widthBits(),
                NamespaceCommand.EXTENDED.isSet(dword10),
                (int) NamespaceCommand.PROTECTION.get(dword10),
                NamespaceCommand.PROTECTION_FIRST.isSet(dword10));
    }

    /** What the data of namespace management asks for. */
    static BlockFormat of(int flbas, int dps) {
        int low = (int) Identify.FLBAS_INDEX_LOW.get(flbas);
        int high = (int) Identify.FLBAS_INDEX_HIGH.get(flbas);
        return new BlockFormat(
                low | high << Identify.FLBAS_INDEX_LOW.widthBits(),
                Identify.FLBAS_EXTENDED.isSet(flbas),
                dps & (DPS_FIRST - 1),
                (dps & DPS_FIRST) != 0);
    }

    boolean isPossible() {
        return index < COUNT
                && protectionType <= HIGHEST_PROTECTION_TYPE
                && (protectionType == 0 || metadataBytes() >= ProtectionInformation.SIZE_BYTES);
    }

    static int blockShift(int index) {
        return index < METADATA_BYTES.length ? SMALL_BLOCK_SHIFT : LARGE_BLOCK_SHIFT;
    }

    int blockShift() {
        return blockShift(index);
    }

    int blockBytes() {
        return 1 << blockShift();
    }

    int metadataBytes() {
        return METADATA_BYTES[index % METADATA_BYTES.length];
    }

    boolean isProtected() {
        return protectionType != 0;
    }

    /** Where protection information is in a block's metadata. */
    int protectionOffset() {
        return protectionFirst ? 0 : metadataBytes() - ProtectionInformation.SIZE_BYTES;
    }

    int flbas() {
        return index | (extended ? (int) Identify.FLBAS_EXTENDED.mask() : 0);
    }

    int dps() {
        return protectionType | (protectionFirst ? DPS_FIRST : 0);
    }

    /** An LBA format as identify shows it. */
    static int describe(int index) {
        return (int) (Identify.LBA_FORMAT_LBADS.of(blockShift(index))
                | Identify.LBA_FORMAT_MS.of(METADATA_BYTES[index % METADATA_BYTES.length]));
    }
}
