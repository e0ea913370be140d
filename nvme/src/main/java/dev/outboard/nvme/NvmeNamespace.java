package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.Identify;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * A namespace: an array of logical blocks.
 *
 * @param id its identifier, from 1
 * @param blockSizeBytes the size of a block's data, a power of two
 * @param metadataBytes bytes of metadata a block; 0 for none
 * @param blockCount how many blocks there are
 * @param identity the data of identify namespace, {@link Identify#NAMESPACE}
 */
public record NvmeNamespace(int id, int blockSizeBytes, int metadataBytes, long blockCount, StructView identity) {
    private static final int MINIMUM_BLOCK_SHIFT = 9;
    private static final int MAXIMUM_BLOCK_SHIFT = 24;
    private static final int LBA_FORMATS = 64;

    /** Reads a namespace from what its controller said, which is checked. */
    static NvmeNamespace of(int id, MemorySegment data, String device) throws DeviceException {
        StructView identity = Identify.NAMESPACE.view(data);
        long flbas = identity.get("flbas");
        long index = Identify.FLBAS_INDEX_LOW.get(flbas);
        if (identity.get("nlbaf") >= 1 << Identify.FLBAS_INDEX_LOW.widthBits()) {
            index |= Identify.FLBAS_INDEX_HIGH.get(flbas) << Identify.FLBAS_INDEX_LOW.widthBits();
        }
        Objects.checkIndex(index, LBA_FORMATS);
        int format = identity.slice("lbaf").get(ValueLayout.JAVA_INT_UNALIGNED, index * Identify.LBA_FORMAT_BYTES);
        long shift = Identify.LBA_FORMAT_LBADS.get(format);
        long blocks = identity.get("nsze");
        if (shift < MINIMUM_BLOCK_SHIFT || shift > MAXIMUM_BLOCK_SHIFT || blocks < 1 || blocks >= 1L << (63 - shift)) {
            throw new DeviceException(device + " says that namespace " + id + " has " + Long.toUnsignedString(blocks)
                    + " blocks of 2^" + shift + " bytes, which cannot be");
        }
        return new NvmeNamespace(id, 1 << shift, (int) Identify.LBA_FORMAT_MS.get(format), blocks, identity);
    }

    /**
     * The namespace's size.
     *
     * @return bytes of data
     */
    public long sizeBytes() {
        return blockCount * blockSizeBytes;
    }

    /**
     * Where the metadata of blocks is, if there are any.
     *
     * @return true if each block's follow its data; false if they have a buffer of their own
     */
    public boolean hasExtendedBlocks() {
        return metadataBytes != 0 && Identify.FLBAS_EXTENDED.isSet(identity.get("flbas"));
    }

    /** Checks that blocks are there. */
    void checkBlocks(long firstBlock, int blocks) {
        if (blocks < 1 || blocks > QueuePair.MAXIMUM_BLOCKS) {
            throw new IllegalArgumentException(
                    "a command names 1 to " + QueuePair.MAXIMUM_BLOCKS + " blocks, not " + blocks);
        }
        if (firstBlock < 0 || firstBlock > blockCount - blocks) {
            throw new IndexOutOfBoundsException("blocks " + firstBlock + " to " + (firstBlock + blocks - 1)
                    + " are not all in namespace " + id + ", which has the blocks 0 to " + (blockCount - 1));
        }
    }

    @Override
    public String toString() {
        return "namespace " + id + ": " + blockCount + " blocks of " + blockSizeBytes + " bytes";
    }
}
