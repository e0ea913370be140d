package dev.outboard.nvme;

import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.NamespaceCommand;
import java.util.Objects;

/**
 * How a namespace is created or formatted.
 *
 * @param lbaFormat which of the controller's LBA formats, 0 to 63: {@link NvmeNamespace#formats} says what they are like,
 *     which guards and storage tags they have, too
 * @param extendedMetadata whether the metadata of each block follows its data, instead of lying in a buffer of its own
 * @param protectionType the type of protection information, 1 to 3; 0 for none
 * @param protectionFirst whether protection information comes first in the metadata, instead of last
 */
public record NamespaceFormat(int lbaFormat, boolean extendedMetadata, int protectionType, boolean protectionFirst) {
    private static final int LBA_FORMATS = 64;
    private static final int PROTECTION_TYPES = 4;

    /** Checks it. */
    public NamespaceFormat {
        Objects.checkIndex(lbaFormat, LBA_FORMATS);
        Objects.checkIndex(protectionType, PROTECTION_TYPES);
    }

    /**
     * An LBA format, without protection information.
     *
     * @param lbaFormat which of the controller's LBA formats
     * @return the format
     */
    public static NamespaceFormat of(int lbaFormat) {
        return new NamespaceFormat(lbaFormat, false, 0, false);
    }

    /** FLBAS. */
    int flbas() {
        return (int) (Identify.FLBAS_INDEX_LOW.of(low())
                | Identify.FLBAS_INDEX_HIGH.of(high())
                | Identify.FLBAS_EXTENDED.of(extendedMetadata ? 1 : 0));
    }

    /** DPS. */
    int dps() {
        return protectionType | (int) Identify.DPS_PROTECTION_FIRST.of(protectionFirst ? 1 : 0);
    }

    /** Dword 10 of format. */
    int dword10(int secureErase) {
        return (int) (NamespaceCommand.FORMAT.of(low())
                | NamespaceCommand.FORMAT_HIGH.of(high())
                | NamespaceCommand.EXTENDED.of(extendedMetadata ? 1 : 0)
                | NamespaceCommand.PROTECTION.of(protectionType)
                | NamespaceCommand.PROTECTION_FIRST.of(protectionFirst ? 1 : 0)
                | NamespaceCommand.SECURE_ERASE.of(secureErase));
    }

    private long low() {
        return Identify.FLBAS_INDEX_LOW.get(lbaFormat);
    }

    private long high() {
        return (long) lbaFormat >>> Identify.FLBAS_INDEX_LOW.widthBits();
    }
}
