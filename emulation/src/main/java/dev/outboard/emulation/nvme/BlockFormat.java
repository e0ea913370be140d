package dev.outboard.emulation.nvme;

import dev.outboard.specs.nvme.Guard;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.NamespaceCommand;
import dev.outboard.specs.nvme.ProtectionInformation;
import java.util.ArrayList;
import java.util.List;

/**
 * How a namespace is formatted: one of the LBA formats that the controller offers, and how metadata is used.
 *
 * @param index the LBA format
 * @param extended whether metadata follows the data of each block, instead of lying in a buffer of its own
 * @param protectionType the type of protection information, 1 to 3; 0 for none
 * @param protectionFirst whether protection information comes first in the metadata, instead of last
 */
record BlockFormat(int index, boolean extended, int protectionType, boolean protectionFirst) {
    /** The most metadata that a block can have. */
    static final int MAXIMUM_METADATA_BYTES = 64;

    private static final int SMALL_BLOCK_SHIFT = 9;
    private static final int LARGE_BLOCK_SHIFT = 12;
    private static final int HIGHEST_PROTECTION_TYPE = 3;
    private static final int DPS_FIRST = 8;
    private static final List<Layout> LAYOUTS = layouts();

    /** How many LBA formats there are for a host that knows extended ones. */
    static final int COUNT = LAYOUTS.size();

    /** How many there can be for others. NVM command set specification 1.0, 4.1.5.1. */
    private static final int COUNT_WITHOUT_EXTENSION = 16;

    /** What an LBA format is. */
    private record Layout(int blockShift, int metadataBytes, ProtectionInformation protection) {}

    /** First those that any host can use, as QEMU has them, too; then those of extended formats. */
    private static List<Layout> layouts() {
        List<Layout> layouts = new ArrayList<>();
        int[] shifts = {SMALL_BLOCK_SHIFT, LARGE_BLOCK_SHIFT};
        for (int shift : shifts) {
            for (int metadataBytes : new int[] {0, 8, 16, MAXIMUM_METADATA_BYTES}) {
                layouts.add(new Layout(shift, metadataBytes, ProtectionInformation.STANDARD));
            }
        }
        for (int shift : shifts) {
            layouts.add(new Layout(shift, 8, new ProtectionInformation(Guard.BITS_16, 16)));
            layouts.add(new Layout(shift, 16, new ProtectionInformation(Guard.BITS_32, 16)));
            layouts.add(new Layout(shift, 16, new ProtectionInformation(Guard.BITS_32, 40)));
            layouts.add(new Layout(shift, MAXIMUM_METADATA_BYTES, new ProtectionInformation(Guard.BITS_32, 64)));
            layouts.add(new Layout(shift, 16, new ProtectionInformation(Guard.BITS_64, 0)));
            layouts.add(new Layout(shift, 16, new ProtectionInformation(Guard.BITS_64, 16)));
            layouts.add(new Layout(shift, MAXIMUM_METADATA_BYTES, new ProtectionInformation(Guard.BITS_64, 0)));
            layouts.add(new Layout(shift, MAXIMUM_METADATA_BYTES, new ProtectionInformation(Guard.BITS_64, 48)));
        }
        return List.copyOf(layouts);
    }

    /** How many LBA formats a host is told of. */
    static int count(boolean extended) {
        return extended ? COUNT : Math.min(COUNT, COUNT_WITHOUT_EXTENSION);
    }

    /** Finds the LBA format for options. Returns one that {@link #isPossible} refuses if there is none. */
    static BlockFormat of(int blockSizeBytes, NvmeOptions.Metadata metadata) {
        int index = LAYOUTS.indexOf(
                new Layout(Integer.numberOfTrailingZeros(blockSizeBytes), metadata.bytes(), metadata.protection()));
        return new BlockFormat(index < 0 ? COUNT : index, metadata.extended(), metadata.protectionType(), false);
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
                && (protectionType == 0 || metadataBytes() >= protection().sizeBytes());
    }

    /** Whether only a host that knows extended LBA formats can use it. */
    boolean isExtension() {
        return !protection().equals(ProtectionInformation.STANDARD);
    }

    static int blockShift(int index) {
        return LAYOUTS.get(index).blockShift;
    }

    int blockShift() {
        return blockShift(index);
    }

    int blockBytes() {
        return 1 << blockShift();
    }

    int metadataBytes() {
        return LAYOUTS.get(index).metadataBytes;
    }

    /** How protection information is made up, if there is some. */
    ProtectionInformation protection() {
        return LAYOUTS.get(index).protection;
    }

    boolean isProtected() {
        return protectionType != 0;
    }

    /** Whether protection information is all the metadata there is. */
    boolean hasOnlyProtection() {
        return isProtected() && metadataBytes() == protection().sizeBytes();
    }

    /** Where protection information is in a block's metadata. */
    int protectionOffset() {
        return protectionFirst ? 0 : metadataBytes() - protection().sizeBytes();
    }

    int flbas() {
        return (int) (Identify.FLBAS_INDEX_LOW.of(Identify.FLBAS_INDEX_LOW.get(index))
                | Identify.FLBAS_INDEX_HIGH.of(index >>> Identify.FLBAS_INDEX_LOW.widthBits())
                | Identify.FLBAS_EXTENDED.of(extended ? 1 : 0));
    }

    int dps() {
        return protectionType | (protectionFirst ? DPS_FIRST : 0);
    }

    /** An LBA format as identify shows it. */
    static int describe(int index) {
        return (int) (Identify.LBA_FORMAT_LBADS.of(blockShift(index))
                | Identify.LBA_FORMAT_MS.of(LAYOUTS.get(index).metadataBytes));
    }

    /** An extended LBA format as identify shows it. */
    static int describeExtension(int index) {
        ProtectionInformation protection = LAYOUTS.get(index).protection;
        return (int) (Identify.EXTENDED_LBA_FORMAT_PIF.of(protection.guard().format())
                | Identify.EXTENDED_LBA_FORMAT_STS.of(protection.storageTagBits()));
    }
}
