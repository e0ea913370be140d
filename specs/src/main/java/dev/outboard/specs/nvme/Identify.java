package dev.outboard.specs.nvme;

import static dev.outboard.linux.Struct.bytes;
import static dev.outboard.linux.Struct.u16;
import static dev.outboard.linux.Struct.u32;
import static dev.outboard.linux.Struct.u64;
import static dev.outboard.linux.Struct.u8;

import dev.outboard.linux.Struct;
import dev.outboard.memory.Field;

/**
 * The data of the identify command, under the names that nvme-cli gives the fields. Numbers of 128 bits and text are
 * arrays of bytes; fields that start with {@code rsvd} are reserved. NVMe base specification 2.0, 5.17.
 */
public final class Identify {
    /** The size of every data structure of identify. */
    public static final int SIZE_BYTES = 4096;

    /** CNS: identify namespace, NVM command set. */
    public static final int CNS_NAMESPACE = 0x00;
    /** CNS: identify controller. */
    public static final int CNS_CONTROLLER = 0x01;
    /** CNS: the identifiers of the active namespaces above NSID. */
    public static final int CNS_ACTIVE_NAMESPACES = 0x02;
    /** CNS: the namespace's identification descriptors. */
    public static final int CNS_NAMESPACE_DESCRIPTORS = 0x03;

    /** CNS: identify namespace of a command set. */
    public static final int CNS_COMMAND_SET_NAMESPACE = 0x05;
    /** CNS: identify controller of a command set. */
    public static final int CNS_COMMAND_SET_CONTROLLER = 0x06;
    /** CNS: the identifiers of the active namespaces of a command set above NSID. */
    public static final int CNS_COMMAND_SET_ACTIVE_NAMESPACES = 0x07;
    /** CNS: identify namespace, whatever its command set. */
    public static final int CNS_INDEPENDENT_NAMESPACE = 0x08;
    /** CNS: the identifiers of the allocated namespaces above NSID. */
    public static final int CNS_ALLOCATED_NAMESPACES = 0x10;
    /** CNS: identify an allocated namespace. */
    public static final int CNS_ALLOCATED_NAMESPACE = 0x11;
    /** CNS: the controllers that a namespace is attached to. */
    public static final int CNS_ATTACHED_CONTROLLERS = 0x12;
    /** CNS: the controllers of the subsystem. */
    public static final int CNS_CONTROLLERS = 0x13;
    /** CNS: what a primary controller has for secondary ones. */
    public static final int CNS_PRIMARY_CONTROLLER = 0x14;
    /** CNS: the secondary controllers. */
    public static final int CNS_SECONDARY_CONTROLLERS = 0x15;
    /** CNS: the sizes that namespaces are allocated in. */
    public static final int CNS_NAMESPACE_GRANULARITY = 0x16;
    /** CNS: vendors' UUIDs. */
    public static final int CNS_UUIDS = 0x17;
    /** CNS: the identifiers of the allocated namespaces of a command set above NSID. */
    public static final int CNS_COMMAND_SET_ALLOCATED_NAMESPACES = 0x1a;
    /** CNS: identify an allocated namespace of a command set. */
    public static final int CNS_COMMAND_SET_ALLOCATED_NAMESPACE = 0x1b;
    /** CNS: the combinations of command sets. */
    public static final int CNS_COMMAND_SETS = 0x1c;

    /** Command set: NVM. */
    public static final int NVM_COMMAND_SET = 0;
    /** Command set: zoned namespaces. */
    public static final int ZONED_COMMAND_SET = 2;

    /** Identify controller: the unit of sizes of the host memory buffer, whatever pages the controller is told. */
    public static final int HOST_MEMORY_UNIT_BYTES = 4096;

    /** Identify controller, figure 275. */
    public static final Struct CONTROLLER = Struct.packed(
            "nvme_id_ctrl",
            u16("vid"),
            u16("ssvid"),
            bytes("sn", 20),
            bytes("mn", 40),
            bytes("fr", 8),
            u8("rab"),
            bytes("ieee", 3),
            u8("cmic"),
            u8("mdts"),
            u16("cntlid"),
            u32("ver"),
            u32("rtd3r"),
            u32("rtd3e"),
            u32("oaes"),
            u32("ctratt"),
            u16("rrls"),
            bytes("rsvd102", 9),
            u8("cntrltype"),
            bytes("fguid", 16),
            u16("crdt1"),
            u16("crdt2"),
            u16("crdt3"),
            bytes("rsvd134", 119),
            u8("nvmsr"),
            u8("vwci"),
            u8("mec"),
            u16("oacs"),
            u8("acl"),
            u8("aerl"),
            u8("frmw"),
            u8("lpa"),
            u8("elpe"),
            u8("npss"),
            u8("avscc"),
            u8("apsta"),
            u16("wctemp"),
            u16("cctemp"),
            u16("mtfa"),
            u32("hmpre"),
            u32("hmmin"),
            bytes("tnvmcap", 16),
            bytes("unvmcap", 16),
            u32("rpmbs"),
            u16("edstt"),
            u8("dsto"),
            u8("fwug"),
            u16("kas"),
            u16("hctma"),
            u16("mntmt"),
            u16("mxtmt"),
            u32("sanicap"),
            u32("hmminds"),
            u16("hmmaxd"),
            u16("nsetidmax"),
            u16("endgidmax"),
            u8("anatt"),
            u8("anacap"),
            u32("anagrpmax"),
            u32("nanagrpid"),
            u32("pels"),
            u16("domainid"),
            bytes("rsvd358", 10),
            bytes("megcap", 16),
            bytes("rsvd384", 128),
            u8("sqes"),
            u8("cqes"),
            u16("maxcmd"),
            u32("nn"),
            u16("oncs"),
            u16("fuses"),
            u8("fna"),
            u8("vwc"),
            u16("awun"),
            u16("awupf"),
            u8("icsvscc"),
            u8("nwpc"),
            u16("acwu"),
            u16("ocfs"),
            u32("sgls"),
            u32("mnan"),
            bytes("maxdna", 16),
            u32("maxcna"),
            bytes("rsvd564", 204),
            bytes("subnqn", 256),
            bytes("rsvd1024", 768),
            u32("ioccsz"),
            u32("iorcsz"),
            u16("icdoff"),
            u8("fcatt"),
            u8("msdbd"),
            u16("ofcs"),
            bytes("rsvd1806", 242),
            bytes("psd", 1024),
            bytes("vs", 1024));

    /** Identify namespace of the NVM command set, figure 97 of its specification 1.0. */
    public static final Struct NAMESPACE = Struct.packed(
            "nvme_id_ns",
            u64("nsze"),
            u64("ncap"),
            u64("nuse"),
            u8("nsfeat"),
            u8("nlbaf"),
            u8("flbas"),
            u8("mc"),
            u8("dpc"),
            u8("dps"),
            u8("nmic"),
            u8("rescap"),
            u8("fpi"),
            u8("dlfeat"),
            u16("nawun"),
            u16("nawupf"),
            u16("nacwu"),
            u16("nabsn"),
            u16("nabo"),
            u16("nabspf"),
            u16("noiob"),
            bytes("nvmcap", 16),
            u16("npwg"),
            u16("npwa"),
            u16("npdg"),
            u16("npda"),
            u16("nows"),
            u16("mssrl"),
            u32("mcl"),
            u8("msrc"),
            u8("rsvd81"),
            u8("nulbaf"),
            bytes("rsvd83", 9),
            u32("anagrpid"),
            bytes("rsvd96", 3),
            u8("nsattr"),
            u16("nvmsetid"),
            u16("endgid"),
            bytes("nguid", 16),
            u64("eui64"),
            bytes("lbaf", 256),
            bytes("vs", 3712));

    /** What the NVM command set says of a namespace besides: CNS 05h; figure 100 of its specification 1.0. */
    public static final Struct NVM_NAMESPACE = Struct.packed(
            "nvme_nvm_id_ns", u64("lbstm"), u8("pic"), bytes("rsvd9", 3), bytes("elbaf", 256), bytes("rsvd268", 3828));

    /** Identify namespace, whatever its command set; figure 280 of the base specification. */
    public static final Struct INDEPENDENT_NAMESPACE = Struct.packed(
            "nvme_id_independent_id_ns",
            u8("nsfeat"),
            u8("nmic"),
            u8("rescap"),
            u8("fpi"),
            u32("anagrpid"),
            u8("nsattr"),
            u8("rsvd9"),
            u16("nvmsetid"),
            u16("endgid"),
            u8("nstat"),
            bytes("rsvd15", 4081));

    /** Identify controller of the NVM command set; figure 102 of its specification. */
    public static final Struct NVM_CONTROLLER =
            Struct.packed("nvme_id_ctrl_nvm", u8("vsl"), u8("wzsl"), u8("wusl"), u8("dmrl"), u32("dmrsl"), u64("dmsl"));

    /** The head of what a primary controller has; figure 282 of the base specification. */
    public static final Struct PRIMARY_CONTROLLER =
            Struct.packed("nvme_primary_ctrl_cap", u16("cntlid"), u16("portid"), u8("crt"));

    /** The head of one of the namespace's identification descriptors, which as many bytes follow as it says. Figure 277. */
    public static final Struct NAMESPACE_DESCRIPTOR =
            Struct.packed("nvme_ns_id_desc", u8("nidt"), u8("nidl"), bytes("rsvd2", 2));
    /** NIDT: the descriptor is one byte, the command set. */
    public static final int DESCRIPTOR_COMMAND_SET = 4;

    /** CTRATT: there are extended LBA formats, once the host has {@linkplain Feature#LBAFEE enabled} them. */
    public static final Field CTRATT_EXTENDED_FORMATS = Field.bit("ELBAS", 15);
    /** PIC: protection information with guards of 16 bits can have storage tags. */
    public static final Field PIC_STORAGE_TAGS = Field.bit("16BPISTS", 0);
    /** PIC: the mask of storage tags beside guards of 16 bits has all bits set. */
    public static final Field PIC_STORAGE_TAG_MASK = Field.bit("16BPISTM", 1);
    /** PIC: storage tags are checked by reads, too. */
    public static final Field PIC_STORAGE_TAG_CHECK_READ = Field.bit("STCRS", 2);
    /** PIC: there are qualified protection information formats. */
    public static final Field PIC_QUALIFIED = Field.bit("QPIFS", 3);
    /** NSFEAT: the optimal sizes are there: NPWG, NPWA, NPDG, NPDA and NOWS. */
    public static final Field NSFEAT_OPTIMAL_SIZES = Field.bit("OPTPERF", 4);
    /** DPS: the type of protection information, 1 to 3; 0 for none. */
    public static final Field DPS_TYPE = Field.bits("TYPE", 2, 0);
    /** ONCS: dataset management is there. */
    public static final Field ONCS_DATASET_MANAGEMENT = Field.bit("DSM", 2);
    /** ONCS: write zeroes is there. */
    public static final Field ONCS_WRITE_ZEROES = Field.bit("WRITE_ZEROES", 3);
    /** ONCS: copy is there. */
    public static final Field ONCS_COPY = Field.bit("COPY", 8);
    /** VWC: there is a volatile write cache. */
    public static final Field VWC_PRESENT = Field.bit("PRESENT", 0);
    /** SGLS: whether commands may name their data by scatter gather lists, and how these are aligned; 0 if not. */
    public static final Field SGLS_SUPPORT = Field.bits("SUPPORT", 1, 0);
    /** FLBAS: the low bits of the LBA format's index. */
    public static final Field FLBAS_INDEX_LOW = Field.bits("INDEX_LOW", 3, 0);
    /** FLBAS: metadata follows the data of each block, instead of lying in its own buffer. */
    public static final Field FLBAS_EXTENDED = Field.bit("EXTENDED", 4);
    /** FLBAS: the high bits of the LBA format's index. */
    public static final Field FLBAS_INDEX_HIGH = Field.bits("INDEX_HIGH", 6, 5);

    /** OACS: namespaces can be managed and attached. */
    public static final Field OACS_NAMESPACES = Field.bit("NMS", 3);
    /** OACS: doorbells may be shadowed in the host's memory. */
    public static final Field OACS_DOORBELL_BUFFER = Field.bit("DBC", 8);
    /** DPS: protection information comes first in the metadata, instead of last. */
    public static final Field DPS_PROTECTION_FIRST = Field.bit("PIP", 3);

    /** The size of an LBA format in {@code lbaf}. */
    public static final int LBA_FORMAT_BYTES = 4;
    /** LBA format: bytes of metadata a block. */
    public static final Field LBA_FORMAT_MS = Field.bits("MS", 15, 0);
    /** LBA format: a block has 1 &lt;&lt; LBADS bytes. */
    public static final Field LBA_FORMAT_LBADS = Field.bits("LBADS", 23, 16);
    /** LBA format: relative performance. */
    public static final Field LBA_FORMAT_RP = Field.bits("RP", 25, 24);

    /** The size of an extended LBA format in {@code elbaf}. */
    public static final int EXTENDED_LBA_FORMAT_BYTES = 4;
    /** Extended LBA format: bits of the storage tag. */
    public static final Field EXTENDED_LBA_FORMAT_STS = Field.bits("STS", 6, 0);
    /** Extended LBA format: the protection information format, see {@link Guard#format}. */
    public static final Field EXTENDED_LBA_FORMAT_PIF = Field.bits("PIF", 8, 7);
    /** Extended LBA format: the same in place of PIF. */
    public static final Field EXTENDED_LBA_FORMAT_QPIF = Field.bits("QPIF", 12, 9);
    /** PIF: QPIF says it, if PIC says that there are such formats. */
    public static final int PIF_QUALIFIED = 3;
    /** Where a new namespace's mask of storage tags is in the data of namespace management, 64 bits: LBSTM. */
    public static final long CREATED_STORAGE_TAG_MASK = 384;

    private Identify() {}
}
