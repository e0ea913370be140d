package dev.outboard.specs.vfiouser;

import static dev.outboard.linux.Struct.bytes;
import static dev.outboard.linux.Struct.u16;
import static dev.outboard.linux.Struct.u32;
import static dev.outboard.linux.Struct.u64;

import dev.outboard.linux.Struct;

/**
 * The messages of vfio-user: a header, then a structure, then perhaps data. Structures that VFIO has too
 * ({@code vfio_device_info}, {@code vfio_region_info} with its capabilities, {@code vfio_irq_info}, {@code vfio_irq_set})
 * are {@link dev.outboard.linux.uapi.Vfio}'s.
 */
public final class VfioUser {
    /** The major version of the protocol. */
    public static final int VERSION_MAJOR = 0;
    /** The minor version of the protocol. */
    public static final int VERSION_MINOR = 1;

    /** What every message starts with. */
    public static final Struct HEADER = Struct.packed(
            "vfio_user_header", u16("msg_id"), u16("cmd"), u32("msg_size"), u32("flags"), u32("error_no"));
    /** Header flags: the type of message. */
    public static final int FLAGS_TYPE_MASK = 0xf;
    /** Header flags, type: a command. */
    public static final int FLAGS_TYPE_COMMAND = 0;
    /** Header flags, type: a reply. */
    public static final int FLAGS_TYPE_REPLY = 1;
    /** Header flags: the sender wants no reply. */
    public static final int FLAGS_NO_REPLY = 0x10;
    /** Header flags: a reply that carries an error number instead of data. */
    public static final int FLAGS_ERROR = 0x20;

    /** Versions and capabilities, the first message. */
    public static final int VERSION = 1;
    /** Client to server: memory that the device may reach. */
    public static final int DMA_MAP = 2;
    /** Client to server: memory that the device may no longer reach. */
    public static final int DMA_UNMAP = 3;
    /** Client to server: what the device is. */
    public static final int DEVICE_GET_INFO = 4;
    /** Client to server: what a region is; descriptors to map it. */
    public static final int DEVICE_GET_REGION_INFO = 5;
    /** Client to server: descriptors that stand for writes to a region. */
    public static final int DEVICE_GET_REGION_IO_FDS = 6;
    /** Client to server: what a kind of interrupt is. */
    public static final int DEVICE_GET_IRQ_INFO = 7;
    /** Client to server: sets up, masks and triggers interrupts. */
    public static final int DEVICE_SET_IRQS = 8;
    /** Client to server: reads a region. */
    public static final int REGION_READ = 9;
    /** Client to server: writes a region. */
    public static final int REGION_WRITE = 10;
    /** Server to client: reads memory that was mapped without a descriptor. */
    public static final int DMA_READ = 11;
    /** Server to client: writes memory that was mapped without a descriptor. */
    public static final int DMA_WRITE = 12;
    /** Client to server: resets the device. */
    public static final int DEVICE_RESET = 13;
    /** Client to server: dirty pages, in versions before 0.1 alone. */
    public static final int DIRTY_PAGES = 14;
    /** Client to server: several writes of regions in one message. */
    public static final int REGION_WRITE_MULTI = 15;
    /** Client to server: VFIO device features. */
    public static final int DEVICE_FEATURE = 16;
    /** Client to server: reads migration data. */
    public static final int MIG_DATA_READ = 17;
    /** Client to server: writes migration data. */
    public static final int MIG_DATA_WRITE = 18;

    /** {@link #VERSION}; then comes a JSON document of capabilities, which ends with a NUL byte. */
    public static final Struct VERSION_MESSAGE = Struct.packed("vfio_user_version", u16("major"), u16("minor"));
    /** {@link #DMA_MAP}; a descriptor comes with it, unless memory is reached by messages. */
    public static final Struct DMA_MAP_MESSAGE =
            Struct.packed("vfio_user_dma_map", u32("argsz"), u32("flags"), u64("offset"), u64("addr"), u64("size"));
    /** DMA map: the device may read. */
    public static final int DMA_MAP_READ = 1;
    /** DMA map: the device may write. */
    public static final int DMA_MAP_WRITE = 2;
    /** {@link #DMA_UNMAP}, and its reply. */
    public static final Struct DMA_UNMAP_MESSAGE =
            Struct.packed("vfio_user_dma_unmap", u32("argsz"), u32("flags"), u64("addr"), u64("size"));
    /** DMA unmap: with a bitmap of what the device wrote, in versions before 0.1 alone. */
    public static final int DMA_UNMAP_GET_DIRTY_BITMAP = 1;
    /** DMA unmap: everything. */
    public static final int DMA_UNMAP_ALL = 2;
    /** {@link #DEVICE_GET_INFO}, and its reply: shorter than VFIO's structure. */
    public static final Struct DEVICE_INFO_MESSAGE =
            Struct.packed("vfio_user_device_info", u32("argsz"), u32("flags"), u32("num_regions"), u32("num_irqs"));
    /** {@link #DEVICE_GET_INFO}, and its reply, as clients ask for it that took VFIO's structure over. */
    public static final Struct LONG_DEVICE_INFO_MESSAGE = Struct.packed(
            "vfio_device_info", u32("argsz"), u32("flags"), u32("num_regions"), u32("num_irqs"), u32("cap_offset"));
    /** {@link #DEVICE_GET_REGION_IO_FDS}, and its reply; the parts of the region follow. */
    public static final Struct REGION_IO_FDS_MESSAGE =
            Struct.packed("vfio_user_region_io_fds", u32("argsz"), u32("flags"), u32("index"), u32("count"));
    /** A part of a region that an eventfd stands for, in a reply to {@link #DEVICE_GET_REGION_IO_FDS}. */
    public static final Struct REGION_IO_EVENT_FD = Struct.packed(
            "vfio_user_sub_region_ioeventfd",
            u64("offset"),
            u64("size"),
            u32("fd_index"),
            u32("type"),
            u32("flags"),
            u32("padding"),
            u64("datamatch"));
    /** {@link #DEVICE_FEATURE}, and its reply; the feature's data follows. */
    public static final Struct DEVICE_FEATURE_MESSAGE =
            Struct.packed("vfio_user_device_feature", u32("argsz"), u32("flags"));
    /** {@link #REGION_READ}, {@link #REGION_WRITE} and their replies; the data follows. */
    public static final Struct REGION_ACCESS_MESSAGE =
            Struct.packed("vfio_user_region_access", u64("offset"), u32("region"), u32("count"));
    /** {@link #REGION_WRITE_MULTI}, and its reply; the writes follow, each a {@link #REGION_WRITE_ONE}. */
    public static final Struct REGION_WRITE_MULTI_MESSAGE = Struct.packed("vfio_user_write_multi", u64("wr_cnt"));
    /** One write of a {@link #REGION_WRITE_MULTI}, of up to 8 bytes. */
    public static final Struct REGION_WRITE_ONE =
            Struct.packed("vfio_user_write_one", u64("offset"), u32("region"), u32("count"), bytes("data", 8));
    /** {@link #DMA_READ}, {@link #DMA_WRITE} and their replies; the data follows. */
    public static final Struct DMA_ACCESS_MESSAGE = Struct.packed("vfio_user_dma_access", u64("addr"), u64("count"));

    /** How much data one message carries at most, unless the peers agree on something else: 1 MiB. */
    public static final int DEFAULT_MAX_DATA_XFER_SIZE = 1 << 20;
    /** How many descriptors one message carries at most, unless the peers agree on something else. */
    public static final int DEFAULT_MAX_MSG_FDS = 1;

    /** How many DMA maps there are at most, unless the peers agree on something else. */
    public static final int DEFAULT_MAX_DMA_MAPS = 65_535;
    /** The page sizes of DMA maps, or'ed together, unless the peers agree on something else: 4 KiB. */
    public static final long DEFAULT_PAGE_SIZES = 4096;

    private VfioUser() {}

    /**
     * A command's name.
     *
     * @param command its number
     * @return for example {@code "DMA_MAP"}
     */
    public static String commandName(int command) {
        return switch (command) {
            case VERSION -> "VERSION";
            case DMA_MAP -> "DMA_MAP";
            case DMA_UNMAP -> "DMA_UNMAP";
            case DEVICE_GET_INFO -> "DEVICE_GET_INFO";
            case DEVICE_GET_REGION_INFO -> "DEVICE_GET_REGION_INFO";
            case DEVICE_GET_REGION_IO_FDS -> "DEVICE_GET_REGION_IO_FDS";
            case DEVICE_GET_IRQ_INFO -> "DEVICE_GET_IRQ_INFO";
            case DEVICE_SET_IRQS -> "DEVICE_SET_IRQS";
            case REGION_READ -> "REGION_READ";
            case REGION_WRITE -> "REGION_WRITE";
            case DMA_READ -> "DMA_READ";
            case DMA_WRITE -> "DMA_WRITE";
            case DEVICE_RESET -> "DEVICE_RESET";
            case DIRTY_PAGES -> "DIRTY_PAGES";
            case REGION_WRITE_MULTI -> "REGION_WRITE_MULTI";
            case DEVICE_FEATURE -> "DEVICE_FEATURE";
            case MIG_DATA_READ -> "MIG_DATA_READ";
            case MIG_DATA_WRITE -> "MIG_DATA_WRITE";
            default -> "command " + command;
        };
    }
}
