package dev.outboard.specs.virtio;

import static dev.outboard.memory.Register.Access.READ_ONLY;
import static dev.outboard.memory.Register.Access.READ_WRITE;

import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;

/** A virtio block device: features, configuration space, requests. VIRTIO 1.2, 5.2. */
public final class VirtioBlk {
    /** What sizes and places are counted in, whatever the block size. */
    public static final int SECTOR_BYTES = 512;

    /** Feature: {@link #SIZE_MAX} is valid. */
    public static final long FEATURE_SIZE_MAX = 1L << 1;
    /** Feature: {@link #SEG_MAX} is valid. */
    public static final long FEATURE_SEG_MAX = 1L << 2;
    /** Feature: it cannot be written. */
    public static final long FEATURE_READ_ONLY = 1L << 5;
    /** Feature: {@link #BLK_SIZE} is valid. */
    public static final long FEATURE_BLK_SIZE = 1L << 6;
    /** Feature: it can flush its cache. */
    public static final long FEATURE_FLUSH = 1L << 9;
    /** Feature: the topology is valid. */
    public static final long FEATURE_TOPOLOGY = 1L << 10;
    /** Feature: its cache can be switched off. */
    public static final long FEATURE_CONFIG_WCE = 1L << 11;
    /** Feature: {@link #NUM_QUEUES} is valid. */
    public static final long FEATURE_MQ = 1L << 12;
    /** Feature: it takes {@link #TYPE_DISCARD}. */
    public static final long FEATURE_DISCARD = 1L << 13;
    /** Feature: it takes {@link #TYPE_WRITE_ZEROES}. */
    public static final long FEATURE_WRITE_ZEROES = 1L << 14;

    /** How many sectors it has. */
    public static final Register CAPACITY = Register.of("capacity", 0, 64, READ_ONLY, "5.2.4");
    /** The most bytes in a segment of a request. */
    public static final Register SIZE_MAX = Register.of("size_max", 8, 32, READ_ONLY, "5.2.4");
    /** The most segments of a request. */
    public static final Register SEG_MAX = Register.of("seg_max", 12, 32, READ_ONLY, "5.2.4");
    /** The block size, in bytes. */
    public static final Register BLK_SIZE = Register.of("blk_size", 20, 32, READ_ONLY, "5.2.4");
    /** Topology: blocks in a physical block, as a power of two. */
    public static final Register PHYSICAL_BLOCK_EXP = Register.of("physical_block_exp", 24, 8, READ_ONLY, "5.2.4");
    /** Topology: the first block that begins a physical block. */
    public static final Register ALIGNMENT_OFFSET = Register.of("alignment_offset", 25, 8, READ_ONLY, "5.2.4");
    /** Topology: the least transfer that it likes, in blocks. */
    public static final Register MIN_IO_SIZE = Register.of("min_io_size", 26, 16, READ_ONLY, "5.2.4");
    /** Topology: the transfer that it likes best, in blocks. */
    public static final Register OPT_IO_SIZE = Register.of("opt_io_size", 28, 32, READ_ONLY, "5.2.4");
    /** Whether what is written may stay in its cache until a flush. */
    public static final Register WRITEBACK = Register.of("writeback", 32, 8, READ_WRITE, "5.2.4");
    /** How many queues it has. */
    public static final Register NUM_QUEUES = Register.of("num_queues", 34, 16, READ_ONLY, "5.2.4");
    /** The most sectors in a segment of a discard. */
    public static final Register MAX_DISCARD_SECTORS = Register.of("max_discard_sectors", 36, 32, READ_ONLY, "5.2.4");
    /** The most segments of a discard. */
    public static final Register MAX_DISCARD_SEG = Register.of("max_discard_seg", 40, 32, READ_ONLY, "5.2.4");
    /** What discards should be aligned to, in sectors. */
    public static final Register DISCARD_SECTOR_ALIGNMENT =
            Register.of("discard_sector_alignment", 44, 32, READ_ONLY, "5.2.4");
    /** The most sectors in a segment of a write of zeroes. */
    public static final Register MAX_WRITE_ZEROES_SECTORS =
            Register.of("max_write_zeroes_sectors", 48, 32, READ_ONLY, "5.2.4");
    /** The most segments of a write of zeroes. */
    public static final Register MAX_WRITE_ZEROES_SEG = Register.of("max_write_zeroes_seg", 52, 32, READ_ONLY, "5.2.4");
    /** Whether a write of zeroes may discard. */
    public static final Register WRITE_ZEROES_MAY_UNMAP =
            Register.of("write_zeroes_may_unmap", 56, 8, READ_ONLY, "5.2.4");
    /** The size of configuration space up to where it is defined here, in bytes. */
    public static final int CONFIGURATION_BYTES = 60;

    /** All of configuration space. */
    public static final RegisterMap CONFIGURATION = RegisterMap.of(
            "virtio-blk",
            CAPACITY,
            SIZE_MAX,
            SEG_MAX,
            BLK_SIZE,
            PHYSICAL_BLOCK_EXP,
            ALIGNMENT_OFFSET,
            MIN_IO_SIZE,
            OPT_IO_SIZE,
            WRITEBACK,
            NUM_QUEUES,
            MAX_DISCARD_SECTORS,
            MAX_DISCARD_SEG,
            DISCARD_SECTOR_ALIGNMENT,
            MAX_WRITE_ZEROES_SECTORS,
            MAX_WRITE_ZEROES_SEG,
            WRITE_ZEROES_MAY_UNMAP);

    /** The size of what a request begins with: its type and the first sector. 5.2.6. */
    public static final int HEADER_BYTES = 16;
    /** Header: one of the types below, 32 bits. */
    public static final int HEADER_TYPE = 0;
    /** Header: the first sector, 64 bits. */
    public static final int HEADER_SECTOR = 8;
    /** The size of what a request ends with, which the device writes: one of the statuses below. */
    public static final int STATUS_BYTES = 1;

    /** Type: read. */
    public static final int TYPE_IN = 0;
    /** Type: write. */
    public static final int TYPE_OUT = 1;
    /** Type: make durable what was written. */
    public static final int TYPE_FLUSH = 4;
    /** Type: read the serial number, {@link #ID_BYTES} with zeroes behind it. */
    public static final int TYPE_GET_ID = 8;
    /** Type: forget what ranges hold. */
    public static final int TYPE_DISCARD = 11;
    /** Type: make ranges zero. */
    public static final int TYPE_WRITE_ZEROES = 13;

    /** The room for a serial number. */
    public static final int ID_BYTES = 20;

    /** Status: done. */
    public static final int STATUS_OK = 0;
    /** Status: failed. */
    public static final int STATUS_IOERR = 1;
    /** Status: the device knows no such request. */
    public static final int STATUS_UNSUPP = 2;

    /** The size of a range of {@link #TYPE_DISCARD} and {@link #TYPE_WRITE_ZEROES}. */
    public static final int RANGE_BYTES = 16;
    /** Range: its first sector, 64 bits. */
    public static final int RANGE_SECTOR = 0;
    /** Range: how many sectors, 32 bits. */
    public static final int RANGE_SECTORS = 8;
    /** Range: flags, 32 bits. */
    public static final int RANGE_FLAGS = 12;
    /** Range, flags: a write of zeroes may discard. */
    public static final int RANGE_UNMAP = 1;

    private VirtioBlk() {}
}
