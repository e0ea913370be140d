package dev.outboard.nvme;

import dev.outboard.specs.nvme.Guard;
import dev.outboard.specs.nvme.NamespaceCommand;
import dev.outboard.specs.nvme.ProtectionInformation;
import java.io.IOException;
import java.util.Optional;

/**
 * What blocks of 512 bytes are like.
 *
 * @param metadataBytes how much metadata they have
 * @param extended whether it follows their data
 * @param type the type of protection information; 0 for none
 * @param first whether that is first in the metadata
 * @param protection how it is made up
 */
record BlockLayout(int metadataBytes, boolean extended, int type, boolean first, ProtectionInformation protection) {
    static final int DATA_BYTES = 512;

    /** With guards of 16 bits. */
    BlockLayout(int metadataBytes, boolean extended, int type) {
        this(metadataBytes, extended, type, false, ProtectionInformation.STANDARD);
    }

    /** As written in a row of a test: {@code 16 extended 1 first 64/16}; parts that are left out are the usual. */
    static BlockLayout of(String row) {
        String[] parts = row.split(" ", -1);
        ProtectionInformation made = ProtectionInformation.STANDARD;
        for (String part : parts) {
            if (part.contains("/")) {
                String[] bits = part.split("/", -1);
                made = new ProtectionInformation(Guard.valueOf("BITS_" + bits[0]), Integer.parseInt(bits[1]));
            }
        }
        return new BlockLayout(
                Integer.parseInt(parts[0]),
                parts[1].equals("extended"),
                Integer.parseInt(parts[2]),
                row.contains(" first"),
                made);
    }

    int extendedBytes() {
        return DATA_BYTES + (extended ? metadataBytes : 0);
    }

    private boolean isThatOf(NvmeNamespace namespace) {
        return namespace.zones() == null
                && namespace.blockSizeBytes() == DATA_BYTES
                && namespace.metadataBytes() == metadataBytes
                && namespace.hasExtendedBlocks() == extended
                && namespace.protectionType() == type
                && namespace.isProtectionFirst() == first
                && namespace.protection().equals(protection);
    }

    /** A namespace that has it. */
    Optional<NvmeNamespace> find(NvmeController controller) {
        return controller.namespaces().stream().filter(this::isThatOf).findFirst();
    }

    /** Gives it to the first namespace. */
    NvmeNamespace format(NvmeController controller) throws IOException {
        NvmeNamespace namespace = controller.namespaces().getFirst();
        int lbaFormat = namespace.formats().stream()
                .filter(format -> format.blockSizeBytes() == DATA_BYTES
                        && format.metadataBytes() == metadataBytes
                        && format.protection().equals(protection))
                .findFirst()
                .orElseThrow()
                .index();
        controller
                .admin()
                .namespaces()
                .format(
                        namespace.id(),
                        new NamespaceFormat(lbaFormat, extended, type, first),
                        NamespaceCommand.ERASE_NONE);
        return find(controller).orElseThrow();
    }
}
