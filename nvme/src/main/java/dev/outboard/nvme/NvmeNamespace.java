package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.ProtectionInformation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A namespace: an array of logical blocks.
 *
 * @param id its identifier, from 1
 * @param blockSizeBytes the size of a block's data, a power of two
 * @param metadataBytes bytes of metadata a block; 0 for none
 * @param blockCount how many blocks there are
 * @param identity the data of identify namespace, {@link Identify#NAMESPACE}
 * @param zones what its zones are like; null if it has none
 */
public record NvmeNamespace(
        int id,
        int blockSizeBytes,
        int metadataBytes,
        long blockCount,
        StructView identity,
        @Nullable ZoneInformation zones) {
    private static final int MINIMUM_BLOCK_SHIFT = 9;
    private static final int MAXIMUM_BLOCK_SHIFT = 24;
    private static final int LBA_FORMATS = 64;

    /**
     * A format that the namespace can be given.
     *
     * @param index its number
     * @param blockSizeBytes the size of a block's data
     * @param metadataBytes bytes of metadata a block; 0 for none
     * @param relativePerformance 0 for the best to 3 for a degraded one
     */
    public record Format(int index, int blockSizeBytes, int metadataBytes, int relativePerformance) {
        static Format of(int index, int word) {
            return new Format(
                    index, 1 << Identify.LBA_FORMAT_LBADS.get(word), (int) Identify.LBA_FORMAT_MS.get(word), (int)
                            Identify.LBA_FORMAT_RP.get(word));
        }
    }

    /**
     * What is best for the namespace, in blocks; 0 where it does not say. NVM command set specification 1.0, 5.8.2.
     *
     * @param writeBlocks writes are best a multiple of this (NPWG)
     * @param writeAlignmentBlocks and start at a multiple of this (NPWA)
     * @param deallocateBlocks deallocations are best a multiple of this (NPDG)
     * @param deallocateAlignmentBlocks and start at a multiple of this (NPDA)
     * @param writeSizeBlocks the optimal size of a write (NOWS)
     * @param boundaryBlocks reads and writes are best not across a multiple of this (NOIOB)
     */
    public record OptimalSizes(
            int writeBlocks,
            int writeAlignmentBlocks,
            int deallocateBlocks,
            int deallocateAlignmentBlocks,
            int writeSizeBlocks,
            int boundaryBlocks) {}

    /** Reads a namespace from what its controller said, which is checked. */
    static NvmeNamespace of(int id, MemorySegment data, String device) throws DeviceException {
        StructView identity = Identify.NAMESPACE.view(data);
        int format = formatWord(identity, formatIndex(identity));
        long shift = Identify.LBA_FORMAT_LBADS.get(format);
        long blocks = identity.get("nsze");
        if (!isPossible(shift) || blocks < 1 || blocks >= 1L << (63 - shift)) {
            throw new DeviceException(device + " says that namespace " + id + " has " + Long.toUnsignedString(blocks)
                    + " blocks of 2^" + shift + " bytes, which cannot be");
        }
        return new NvmeNamespace(id, 1 << shift, (int) Identify.LBA_FORMAT_MS.get(format), blocks, identity, null);
    }

    private static int formatIndex(StructView identity) {
        long flbas = identity.get("flbas");
        long index = Identify.FLBAS_INDEX_LOW.get(flbas);
        if (identity.get("nlbaf") >= 1 << Identify.FLBAS_INDEX_LOW.widthBits()) {
            index |= Identify.FLBAS_INDEX_HIGH.get(flbas) << Identify.FLBAS_INDEX_LOW.widthBits();
        }
        return Objects.checkIndex((int) index, LBA_FORMATS);
    }

    private static int formatWord(StructView identity, int index) {
        return identity.slice("lbaf").get(ValueLayout.JAVA_INT_UNALIGNED, (long) index * Identify.LBA_FORMAT_BYTES);
    }

    NvmeNamespace withZones(ZoneInformation information) {
        return new NvmeNamespace(id, blockSizeBytes, metadataBytes, blockCount, identity, information);
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

    /**
     * How much of a buffer for data a block takes.
     *
     * @return bytes: the block's data, and its metadata if {@linkplain #hasExtendedBlocks they follow}
     */
    public int extendedBlockBytes() {
        return blockSizeBytes + (hasExtendedBlocks() ? metadataBytes : 0);
    }

    /**
     * Which of the {@link #formats} it has.
     *
     * @return the format's index
     */
    public int formatIndex() {
        return formatIndex(identity);
    }

    /**
     * What it can be formatted to.
     *
     * @return the formats that the controller has, by rising index; those that are not available are left out
     */
    public List<Format> formats() {
        int last = Math.min(LBA_FORMATS - 1, identity.getInt("nlbaf"));
        return IntStream.rangeClosed(0, last)
                .filter(i -> isPossible(Identify.LBA_FORMAT_LBADS.get(formatWord(identity, i))))
                .mapToObj(i -> Format.of(i, formatWord(identity, i)))
                .toList();
    }

    private static boolean isPossible(long shift) {
        return shift >= MINIMUM_BLOCK_SHIFT && shift <= MAXIMUM_BLOCK_SHIFT;
    }

    /**
     * How blocks are protected from end to end. NVM command set specification 1.0, 5.2.
     *
     * @return the type of protection information, 1 to 3; 0 for none
     */
    public int protectionType() {
        return (int) Identify.DPS_TYPE.get(identity.get("dps"));
    }

    /**
     * Where protection information is in the metadata of a block.
     *
     * @return true if it comes first, false if it comes last
     */
    public boolean isProtectionFirst() {
        return Identify.DPS_PROTECTION_FIRST.isSet(identity.get("dps"));
    }

    /** Whether protection information is all the metadata there is, so that the controller can make it and take it away. */
    boolean hasOnlyProtection() {
        return protectionType() != 0 && metadataBytes == ProtectionInformation.SIZE_BYTES;
    }

    /**
     * What is best for it.
     *
     * @return the sizes
     */
    public OptimalSizes optimalSizes() {
        boolean told = Identify.NSFEAT_OPTIMAL_SIZES.isSet(identity.get("nsfeat"));
        return new OptimalSizes(
                told ? identity.getInt("npwg") + 1 : 0,
                told ? identity.getInt("npwa") + 1 : 0,
                told ? identity.getInt("npdg") + 1 : 0,
                told ? identity.getInt("npda") + 1 : 0,
                told ? identity.getInt("nows") + 1 : 0,
                identity.getInt("noiob"));
    }

    /**
     * Its zones, for what needs some.
     *
     * @return what they are like
     * @throws IllegalArgumentException if it has none
     */
    public ZoneInformation requireZones() {
        if (zones == null) {
            throw new IllegalArgumentException(this + " has no zones");
        }
        return zones;
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
        return "namespace " + id + ": " + blockCount + " blocks of " + blockSizeBytes + " bytes"
                + (zones == null ? "" : ", " + zones);
    }
}
