package dev.outboard.specs.vhostuser;

import static dev.outboard.linux.Struct.u32;
import static dev.outboard.linux.Struct.u64;

import dev.outboard.linux.Struct;

/**
 * The messages of vhost-user: a header, then a payload. The front end shares its virtqueues and its memory; the back end
 * is the device. QEMU's docs/interop/vhost-user.rst; numbers are in the byte order of the machine.
 */
public final class VhostUser {
    /** What every message starts with; {@code size} is the payload's. */
    public static final Struct HEADER = Struct.packed("vhost_user_header", u32("request"), u32("flags"), u32("size"));

    /** Header flags: the version of the protocol. */
    public static final int FLAGS_VERSION_MASK = 3;
    /** Header flags, version: the only one there is. */
    public static final int FLAGS_VERSION = 1;
    /** Header flags: a reply. */
    public static final int FLAGS_REPLY = 4;
    /** Header flags: the sender waits for a number, zero for success, to a request that has no reply of its own. */
    public static final int FLAGS_NEED_REPLY = 8;

    /** Feature bit 30: the back end knows protocol features. VIRTIO leaves the bit unused. */
    public static final long FEATURE_PROTOCOL_FEATURES = 1L << 30;
    /** Feature bit 26: the back end logs what it writes; {@code VHOST_F_LOG_ALL} of linux/vhost.h. */
    public static final long FEATURE_LOG_ALL = 1L << 26;

    /** Payload: one number. */
    public static final Struct U64 = Struct.packed("vhost_user_u64", u64("u64"));
    /** Payload: a number for a virtqueue. */
    public static final Struct VRING_STATE = Struct.packed("vhost_vring_state", u32("index"), u32("num"));
    /** Payload: where the parts of a virtqueue are, as user addresses. */
    public static final Struct VRING_ADDRESS = Struct.packed(
            "vhost_vring_addr",
            u32("index"),
            u32("flags"),
            u64("descriptor"),
            u64("used"),
            u64("available"),
            u64("log"));
    /** Vring address flags: what is written to the used ring is logged. */
    public static final int VRING_ADDRESS_LOG = 1;
    /** Payload of {@link Request#SET_VRING_KICK} and its like: bits 0 to 7 are the virtqueue. */
    public static final long VRING_INDEX_MASK = 0xff;
    /** Payload of {@link Request#SET_VRING_KICK} and its like, bit 8: no descriptor comes along. */
    public static final long VRING_NO_DESCRIPTOR = 0x100;

    /** Payload of {@link Request#SET_MEM_TABLE}: as many {@link #MEMORY_REGION}s follow, with a descriptor each. */
    public static final Struct MEMORY_TABLE = Struct.packed("vhost_user_memory", u32("num_regions"), u32("padding"));
    /** A range of the front end's memory: the descriptor is mapped from 0 to the offset and the size. */
    public static final Struct MEMORY_REGION = Struct.packed(
            "vhost_user_memory_region", u64("guest_address"), u64("size"), u64("user_address"), u64("mmap_offset"));
    /** Payload of {@link Request#ADD_MEM_REG} and {@link Request#REM_MEM_REG}. */
    public static final Struct SINGLE_MEMORY_REGION = Struct.packed(
            "vhost_user_single_memory_region",
            u64("padding"),
            u64("guest_address"),
            u64("size"),
            u64("user_address"),
            u64("mmap_offset"));
    /** How many regions a memory table, and descriptors a message, has at most. */
    public static final int MAXIMUM_TABLE_REGIONS = 8;

    /** Payload of {@link Request#GET_CONFIG} and {@link Request#SET_CONFIG}: then come {@code size} bytes. */
    public static final Struct CONFIGURATION =
            Struct.packed("vhost_user_config", u32("offset"), u32("size"), u32("flags"));
    /** Configuration flags: a driver writes what it may write; else a migration restores everything. */
    public static final int CONFIGURATION_MIGRATES = 1;
    /** How much of the configuration space one message carries at most. */
    public static final int MAXIMUM_CONFIGURATION_BYTES = 256;

    private VhostUser() {}
}
