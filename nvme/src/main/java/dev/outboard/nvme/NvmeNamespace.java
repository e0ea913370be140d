package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.Guard;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.ProtectionInformation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A namespace: an array of logical blocks.
 *
 * @param id its identifier, from 1
 * @param blockSizeBytes the size of a block's data, a power of two
 * @param metadataBytes bytes of metadata a block; 0 for none
 * @param blockCount how many blocks there are
 * @param identity the data of identify namespace, {@link Identify#NAMESPACE}
 * @param nvmIdentity what the NVM command set says of it besides, {@link Identify#NVM_NAMESPACE}; zeros where the
 *     controller has nothing to say
 * @param protection how its protection information is made up, if it {@linkplain #protectionType has some}
 * @param zones what its zones are like; null if it has none
 */
public record NvmeNamespace(
        int id,
        int blockSizeBytes,
        int metadataBytes,
        long blockCount,
        StructView identity,
        StructView nvmIdentity,
        ProtectionInformation protection,
        @Nullable ZoneInformation zones) {
    private static final int MINIMUM_BLOCK_SHIFT = 9;
    private static final int MAXIMUM_BLOCK_SHIFT = 24;
    private static final int LBA_FORMATS = 64;
    private static final MemorySegment NOTHING_SAID =
            MemorySegment.ofArray(new long[Identify.SIZE_BYTES / Long.BYTES]).asReadOnly();

    /**
     * A format that the namespace can be given.
     *
     * @param index its number
     * @param blockSizeBytes the size of a block's data
     * @param metadataBytes bytes of metadata a block; 0 for none
     * @param relativePerformance 0 for the best to 3 for a degraded one
     * @param protection how protection information is made up, if there is some
     */
    public record Format(
            int index,
            int blockSizeBytes,
            int metadataBytes,
            int relativePerformance,
            ProtectionInformation protection) {
        private static Format of(int index, int word, ProtectionInformation protection) {
            return new Format(
                    index,
                    1 << Identify.LBA_FORMAT_LBADS.get(word),
                    (int) Identify.LBA_FORMAT_MS.get(word),
                    (int) Identify.LBA_FORMAT_RP.get(word),
                    protection);
        }

        /**
         * Whether blocks of this format can have protection information.
         *
         * @return whether there is room for it in their metadata
         */
        public boolean canBeProtected() {
            return metadataBytes >= protection.sizeBytes();
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

    /**
     * Reads a namespace from what its controller said, which is checked. {@code nvmData} is null from a controller that
     * says nothing of extended formats.
     */
    static NvmeNamespace of(int id, MemorySegment data, @Nullable MemorySegment nvmData, String device)
            throws DeviceException {
        StructView identity = Identify.NAMESPACE.view(data);
        StructView nvmIdentity = Identify.NVM_NAMESPACE.view(nvmData == null ? NOTHING_SAID : nvmData);
        int index = formatIndex(identity);
        int format = formatWord(identity, index);
        long shift = Identify.LBA_FORMAT_LBADS.get(format);
        long blocks = identity.get("nsze");
        if (!isPossible(shift) || blocks < 1 || blocks >= 1L << (63 - shift)) {
            throw new DeviceException(device + " says that namespace " + id + " has " + Long.toUnsignedString(blocks)
                    + " blocks of 2^" + shift + " bytes, which cannot be");
        }
        ProtectionInformation protection = protection(nvmIdentity, index);
        if (protection == null && Identify.DPS_TYPE.get(identity.get("dps")) != 0) {
            throw new DeviceException(device + " says that namespace " + id
                    + " has protection information of the extended format 0x"
                    + Integer.toHexString(extendedFormat(nvmIdentity, index))
                    + ", which is not known; format it otherwise, with nvme-cli");
        }
        return new NvmeNamespace(
                id,
                1 << shift,
                (int) Identify.LBA_FORMAT_MS.get(format),
                blocks,
                identity,
                nvmIdentity,
                protection == null ? ProtectionInformation.STANDARD : protection,
                null);
    }

    /** How protection information is made up with a format; null if the controller has a way that is not known. */
    private static @Nullable ProtectionInformation protection(StructView nvmIdentity, int index) {
        int word = extendedFormat(nvmIdentity, index);
        long format = Identify.EXTENDED_LBA_FORMAT_PIF.get(word);
        if (format == Identify.PIF_QUALIFIED && Identify.PIC_QUALIFIED.isSet(nvmIdentity.get("pic"))) {
            format = Identify.EXTENDED_LBA_FORMAT_QPIF.get(word);
        }
        int storageTagBits = (int) Identify.EXTENDED_LBA_FORMAT_STS.get(word);
        for (Guard guard : Guard.values()) {
            if (guard.format() == format && guard.allowsStorageTag(storageTagBits)) {
                return new ProtectionInformation(guard, storageTagBits);
            }
        }
        return null;
    }

    private static int extendedFormat(StructView nvmIdentity, int index) {
        return nvmIdentity
                .slice("elbaf")
                .get(ValueLayout.JAVA_INT_UNALIGNED, (long) index * Identify.EXTENDED_LBA_FORMAT_BYTES);
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
        return new NvmeNamespace(
                id, blockSizeBytes, metadataBytes, blockCount, identity, nvmIdentity, protection, information);
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
     * @return the formats that the controller has, by rising index; those that are not available, or
     *     not known, are left out
     */
    public List<Format> formats() {
        int last = Math.min(LBA_FORMATS - 1, identity.getInt("nlbaf"));
        List<Format> formats = new ArrayList<>();
        for (int i = 0; i <= last; i++) {
            int word = formatWord(identity, i);
            ProtectionInformation made = protection(nvmIdentity, i);
            if (made != null && isPossible(Identify.LBA_FORMAT_LBADS.get(word))) {
                formats.add(Format.of(i, word, made));
            }
        }
        return List.copyOf(formats);
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
        return protectionType() != 0 && metadataBytes == protection.sizeBytes();
    }

    /**
     * Which bits of the storage tags of blocks are checked.
     *
     * @return LBSTM, as wide as the storage tag
     */
    public long storageTagMask() {
        return nvmIdentity.get("lbstm") & protection.storageTagMask();
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

    /** Whether what was true of the blocks of a namespace with this identifier before still is. */
    boolean hasBlocksOf(NvmeNamespace before) {
        return id == before.id
                && blockCount == before.blockCount
                && blockSizeBytes == before.blockSizeBytes
                && identity.get("flbas") == before.identity.get("flbas")
                && identity.get("dps") == before.identity.get("dps");
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
