package dev.outboard.specs.nvme;

import static dev.outboard.memory.Register.Access.READ_ONLY;
import static dev.outboard.memory.Register.Access.READ_WRITE;
import static dev.outboard.memory.Register.Access.WRITE_1_TO_CLEAR;
import static dev.outboard.memory.Register.Access.WRITE_1_TO_SET;
import static dev.outboard.memory.Register.Access.WRITE_ONLY;

import dev.outboard.memory.Field;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;

/** The registers of an NVMe controller, in BAR 0. NVMe base specification 2.0, 3.1.3. */
public final class NvmeRegisters {
    /** CAP: the most entries that an I/O queue may have, less one. */
    public static final Field CAP_MQES = Field.bits("MQES", 15, 0);
    /** CAP: queues must be contiguous. */
    public static final Field CAP_CQR = Field.bit("CQR", 16);
    /** CAP: arbitration mechanisms. */
    public static final Field CAP_AMS = Field.bits("AMS", 18, 17);
    /** CAP.AMS: weighted round robin with an urgent class. */
    public static final int AMS_WEIGHTED = 1;
    /** CAP: how long the controller may take to become ready, in units of 500 ms. */
    public static final Field CAP_TO = Field.bits("TO", 31, 24);
    /** CAP: doorbells are 4 &lt;&lt; DSTRD bytes apart. */
    public static final Field CAP_DSTRD = Field.bits("DSTRD", 35, 32);
    /** CAP: NVM subsystem reset is there. */
    public static final Field CAP_NSSRS = Field.bit("NSSRS", 36);
    /** CAP: command sets; bit 0 is the NVM command set, bit 6 says that there are I/O command sets, bit 7 none. */
    public static final Field CAP_CSS = Field.bits("CSS", 44, 37);
    /** CAP.CSS: command sets besides NVM can be enabled. */
    public static final int CSS_HAS_COMMAND_SETS = 0x40;
    /** CAP: boot partitions are there. */
    public static final Field CAP_BPS = Field.bit("BPS", 45);
    /** CAP: the smallest memory page is 4096 &lt;&lt; MPSMIN bytes. */
    public static final Field CAP_MPSMIN = Field.bits("MPSMIN", 51, 48);
    /** CAP: the largest memory page is 4096 &lt;&lt; MPSMAX bytes. */
    public static final Field CAP_MPSMAX = Field.bits("MPSMAX", 55, 52);
    /** CAP: persistent memory region. */
    public static final Field CAP_PMRS = Field.bit("PMRS", 56);
    /** CAP: controller memory buffer. */
    public static final Field CAP_CMBS = Field.bit("CMBS", 57);
    /** CAP: how the controller becomes ready; bit 0 is with its media, bit 1 without. */
    public static final Field CAP_CRMS = Field.bits("CRMS", 60, 59);
    /** Controller capabilities. */
    public static final Register CAP = Register.of(
            "CAP",
            0x00,
            64,
            READ_ONLY,
            "3.1.3.1",
            CAP_MQES,
            CAP_CQR,
            CAP_AMS,
            CAP_TO,
            CAP_DSTRD,
            CAP_NSSRS,
            CAP_CSS,
            CAP_BPS,
            CAP_MPSMIN,
            CAP_MPSMAX,
            CAP_PMRS,
            CAP_CMBS,
            CAP_CRMS);

    /** VS: tertiary version number. */
    public static final Field VS_TER = Field.bits("TER", 7, 0);
    /** VS: minor version number. */
    public static final Field VS_MNR = Field.bits("MNR", 15, 8);
    /** VS: major version number. */
    public static final Field VS_MJR = Field.bits("MJR", 31, 16);
    /** Version. */
    public static final Register VS = Register.of("VS", 0x08, 32, READ_ONLY, "3.1.3.2", VS_TER, VS_MNR, VS_MJR);
    /** Interrupt mask set; not with MSI-X. */
    public static final Register INTMS = Register.of("INTMS", 0x0c, 32, WRITE_1_TO_SET, "3.1.3.3");
    /** Interrupt mask clear; not with MSI-X. */
    public static final Register INTMC = Register.of("INTMC", 0x10, 32, WRITE_1_TO_CLEAR, "3.1.3.4");

    /** CC: enable. */
    public static final Field CC_EN = Field.bit("EN", 0);
    /** CC: the command set that is selected; 0 is NVM, 6 is all. */
    public static final Field CC_CSS =
            Field.bits("CSS", 6, 4).value(0, "NVM").value(6, "ALL").value(7, "ADMIN_ONLY");
    /** CC.CSS: all command sets. */
    public static final int CSS_ALL = 6;
    /** CC: the memory page size is 4096 &lt;&lt; MPS bytes. */
    public static final Field CC_MPS = Field.bits("MPS", 10, 7);
    /** CC: arbitration mechanism. */
    public static final Field CC_AMS = Field.bits("AMS", 13, 11)
            .value(0, "ROUND_ROBIN")
            .value(1, "WEIGHTED_ROUND_ROBIN")
            .value(7, "VENDOR_SPECIFIC");
    /** CC: shutdown notification; 1 is a normal one, 2 an abrupt one. */
    public static final Field CC_SHN =
            Field.bits("SHN", 15, 14).value(0, "NONE").value(1, "NORMAL").value(2, "ABRUPT");
    /** CC: the size of a submission queue entry, as a power of two. */
    public static final Field CC_IOSQES = Field.bits("IOSQES", 19, 16);
    /** CC: the size of a completion queue entry, as a power of two. */
    public static final Field CC_IOCQES = Field.bits("IOCQES", 23, 20);
    /** Controller configuration. */
    public static final Register CC = Register.of(
            "CC", 0x14, 32, READ_WRITE, "3.1.3.5", CC_EN, CC_CSS, CC_MPS, CC_AMS, CC_SHN, CC_IOSQES, CC_IOCQES);

    /** CSTS: ready. */
    public static final Field CSTS_RDY = Field.bit("RDY", 0);
    /** CSTS: controller fatal status. */
    public static final Field CSTS_CFS = Field.bit("CFS", 1);
    /** CSTS: shutdown status; 0 is none, 1 in progress, 2 complete. */
    public static final Field CSTS_SHST =
            Field.bits("SHST", 3, 2).value(0, "NORMAL").value(1, "IN_PROGRESS").value(2, "COMPLETE");
    /** CSTS: an NVM subsystem reset happened. */
    public static final Field CSTS_NSSRO = Field.bit("NSSRO", 4).with(WRITE_1_TO_CLEAR);
    /** CSTS: processing paused. */
    public static final Field CSTS_PP = Field.bit("PP", 5);
    /** Controller status. */
    public static final Register CSTS =
            Register.of("CSTS", 0x1c, 32, READ_ONLY, "3.1.3.6", CSTS_RDY, CSTS_CFS, CSTS_SHST, CSTS_NSSRO, CSTS_PP);
    /** What CSTS reads when the controller is gone: it has bits that are always 0. */
    public static final long CSTS_ALL_ONES = 0xffff_ffffL;
    /** NVM subsystem reset: write "NVMe". */
    public static final Register NSSR = Register.of("NSSR", 0x20, 32, READ_WRITE, "3.1.3.7");

    /** AQA: entries of the admin submission queue, less one. */
    public static final Field AQA_ASQS = Field.bits("ASQS", 11, 0);
    /** AQA: entries of the admin completion queue, less one. */
    public static final Field AQA_ACQS = Field.bits("ACQS", 27, 16);
    /** Admin queue attributes. */
    public static final Register AQA = Register.of("AQA", 0x24, 32, READ_WRITE, "3.1.3.8", AQA_ASQS, AQA_ACQS);
    /** Where the admin submission queue is. */
    public static final Register ASQ = Register.of("ASQ", 0x28, 64, READ_WRITE, "3.1.3.9");
    /** Where the admin completion queue is. */
    public static final Register ACQ = Register.of("ACQ", 0x30, 64, READ_WRITE, "3.1.3.10");
    /** CMBLOC: the BAR. */
    public static final Field CMBLOC_BIR = Field.bits("BIR", 2, 0);
    /** CMBLOC: queues, lists and data may be there and elsewhere in any mixture, at any alignment of dwords. */
    public static final Field CMBLOC_UNRESTRICTED = Field.bits("UNRESTRICTED", 8, 3);
    /** CMBLOC: where it starts in the BAR, in units of CMBSZ.SZU. */
    public static final Field CMBLOC_OFST = Field.bits("OFST", 31, 12);
    /** Controller memory buffer location. */
    public static final Register CMBLOC =
            Register.of("CMBLOC", 0x38, 32, READ_ONLY, "3.1.3.11", CMBLOC_BIR, CMBLOC_UNRESTRICTED, CMBLOC_OFST);
    /** CMBSZ: submission queues may lie there. */
    public static final Field CMBSZ_SQS = Field.bit("SQS", 0);
    /** CMBSZ: completion queues may lie there. */
    public static final Field CMBSZ_CQS = Field.bit("CQS", 1);
    /** CMBSZ: PRP and SGL lists may lie there. */
    public static final Field CMBSZ_LISTS = Field.bit("LISTS", 2);
    /** CMBSZ: data that is read may lie there. */
    public static final Field CMBSZ_RDS = Field.bit("RDS", 3);
    /** CMBSZ: data that is written may lie there. */
    public static final Field CMBSZ_WDS = Field.bit("WDS", 4);
    /** CMBSZ: the unit of the size, 4 KiB &lt;&lt; 4 * SZU. */
    public static final Field CMBSZ_SZU = Field.bits("SZU", 11, 8);
    /** CMBSZ: the size. */
    public static final Field CMBSZ_SZ = Field.bits("SZ", 31, 12);
    /** Controller memory buffer size. */
    public static final Register CMBSZ = Register.of(
            "CMBSZ",
            0x3c,
            32,
            READ_ONLY,
            "3.1.3.12",
            CMBSZ_SQS,
            CMBSZ_CQS,
            CMBSZ_LISTS,
            CMBSZ_RDS,
            CMBSZ_WDS,
            CMBSZ_SZU,
            CMBSZ_SZ);

    /** CMBMSC: CMBLOC and CMBSZ can be read. */
    public static final Field CMBMSC_CRE = Field.bit("CRE", 0);
    /** CMBMSC: the host's addresses lead to the buffer. */
    public static final Field CMBMSC_CMSE = Field.bit("CMSE", 1);
    /** CMBMSC: where the buffer is among the host's addresses, in units of 4 KiB. */
    public static final Field CMBMSC_CBA = Field.bits("CBA", 63, 12);
    /** Controller memory buffer memory space control. */
    public static final Register CMBMSC =
            Register.of("CMBMSC", 0x50, 64, READ_WRITE, "3.1.3.16", CMBMSC_CRE, CMBMSC_CMSE, CMBMSC_CBA);
    /** CMBSTS: the base address was not valid. */
    public static final Field CMBSTS_CBAI = Field.bit("CBAI", 0);
    /** Controller memory buffer status. */
    public static final Register CMBSTS = Register.of("CMBSTS", 0x58, 32, READ_ONLY, "3.1.3.17", CMBSTS_CBAI);
    /** CRTO: how long it may take to become ready with media, in units of 500 ms. */
    public static final Field CRTO_CRWMT = Field.bits("CRWMT", 15, 0);
    /** CRTO: how long it may take to become ready without media, in units of 500 ms. */
    public static final Field CRTO_CRIMT = Field.bits("CRIMT", 31, 16);
    /** Controller ready timeouts. */
    public static final Register CRTO = Register.of("CRTO", 0x68, 32, READ_ONLY, "3.1.3.21", CRTO_CRWMT, CRTO_CRIMT);
    /** What NSSR must be written with: "NVMe". */
    public static final int NSSR_RESET = 0x4e564d65;

    /** PMRCAP: data that is read may lie there. */
    public static final Field PMRCAP_RDS = Field.bit("RDS", 3);
    /** PMRCAP: data that is written may lie there. */
    public static final Field PMRCAP_WDS = Field.bit("WDS", 4);
    /** PMRCAP: the BAR. */
    public static final Field PMRCAP_BIR = Field.bits("BIR", 7, 5);
    /** PMRCAP: the unit of PMRTO; 0 is 500 ms, 1 is a minute. */
    public static final Field PMRCAP_PMRTU = Field.bits("PMRTU", 9, 8);
    /** PMRCAP.PMRWBM: a read of the region makes earlier writes persistent. */
    public static final int WRITE_BARRIER_READ_MEMORY = 1;
    /** PMRCAP.PMRWBM: a read of PMRSTS makes earlier writes persistent. */
    public static final int WRITE_BARRIER_READ_STATUS = 2;
    /** PMRCAP: what makes earlier writes persistent. */
    public static final Field PMRCAP_PMRWBM = Field.bits("PMRWBM", 13, 10);
    /** PMRCAP: how long the region may take for either change of PMRSTS.NRDY. */
    public static final Field PMRCAP_PMRTO = Field.bits("PMRTO", 23, 16);
    /** PMRCAP: the host may choose where the region is among its addresses. */
    public static final Field PMRCAP_CMSS = Field.bit("CMSS", 24);
    /** Persistent memory region capabilities. */
    public static final Register PMRCAP = Register.of(
            "PMRCAP",
            0xe00,
            32,
            READ_ONLY,
            "3.1.3.22",
            PMRCAP_RDS,
            PMRCAP_WDS,
            PMRCAP_BIR,
            PMRCAP_PMRTU,
            PMRCAP_PMRWBM,
            PMRCAP_PMRTO,
            PMRCAP_CMSS);
    /** PMRCTL: the region is there. */
    public static final Field PMRCTL_EN = Field.bit("EN", 0);
    /** Persistent memory region control. */
    public static final Register PMRCTL = Register.of("PMRCTL", 0xe04, 32, READ_WRITE, "3.1.3.23", PMRCTL_EN);
    /** PMRSTS: a vendor's error; 0 is none. */
    public static final Field PMRSTS_ERR = Field.bits("ERR", 7, 0);
    /** PMRSTS: not ready for reads and writes. */
    public static final Field PMRSTS_NRDY = Field.bit("NRDY", 8);
    /** PMRSTS: what the region is like. */
    public static final Field PMRSTS_HSTS = Field.bits("HSTS", 11, 9)
            .value(0, "NORMAL")
            .value(1, "RESTORE_ERROR")
            .value(2, "READ_ONLY")
            .value(3, "UNRELIABLE");
    /** PMRSTS: the base address was not valid. */
    public static final Field PMRSTS_CBAI = Field.bit("CBAI", 12);
    /** Persistent memory region status. Reading it may be what makes earlier writes persistent. */
    public static final Register PMRSTS =
            Register.of("PMRSTS", 0xe08, 32, READ_ONLY, "3.1.3.24", PMRSTS_ERR, PMRSTS_NRDY, PMRSTS_HSTS, PMRSTS_CBAI);
    /** PMREBS: the unit of the size; 0 to 3 are bytes, KiB, MiB and GiB. */
    public static final Field PMREBS_PMRSZU = Field.bits("PMRSZU", 3, 0);
    /** PMREBS: reads of the region do not wait for its elasticity buffer. */
    public static final Field PMREBS_RBB = Field.bit("RBB", 4);
    /** PMREBS: the size of the elasticity buffer. */
    public static final Field PMREBS_PMRWBZ = Field.bits("PMRWBZ", 31, 8);
    /** Persistent memory region elasticity buffer size. */
    public static final Register PMREBS =
            Register.of("PMREBS", 0xe0c, 32, READ_ONLY, "3.1.3.25", PMREBS_PMRSZU, PMREBS_RBB, PMREBS_PMRWBZ);
    /** PMRSWTP: the unit of the throughput; 0 to 3 are bytes, KiB, MiB and GiB a second. */
    public static final Field PMRSWTP_PMRSWTU = Field.bits("PMRSWTU", 3, 0);
    /** PMRSWTP: the throughput. */
    public static final Field PMRSWTP_PMRSWTV = Field.bits("PMRSWTV", 31, 8);
    /** Persistent memory region sustained write throughput. */
    public static final Register PMRSWTP =
            Register.of("PMRSWTP", 0xe10, 32, READ_ONLY, "3.1.3.26", PMRSWTP_PMRSWTU, PMRSWTP_PMRSWTV);
    /** PMRMSCL: the host's addresses lead to the region. */
    public static final Field PMRMSCL_CMSE = Field.bit("CMSE", 1);
    /** PMRMSCL: where the region is among the host's addresses, the low half, in units of 4 KiB. */
    public static final Field PMRMSCL_CBA = Field.bits("CBA", 31, 12);
    /** Persistent memory region memory space control, the low half. */
    public static final Register PMRMSCL =
            Register.of("PMRMSCL", 0xe14, 32, READ_WRITE, "3.1.3.27", PMRMSCL_CMSE, PMRMSCL_CBA);
    /** Persistent memory region memory space control, the high half of the address. */
    public static final Register PMRMSCU = Register.of("PMRMSCU", 0xe18, 32, READ_WRITE, "3.1.3.28");

    /** Where the doorbells start: SQ 0 tail, CQ 0 head, SQ 1 tail, … Transport specification for PCIe 1.0, 3.1.2. */
    public static final long DOORBELLS = 0x1000;
    /** SQ0TDBL: the entry after the last one in the admin submission queue. */
    public static final Field SQ0TDBL_SQT = Field.bits("SQT", 15, 0);
    /** The first doorbell, the only one whose place does not depend on CAP.DSTRD. */
    public static final Register SQ0TDBL =
            Register.of("SQ0TDBL", DOORBELLS, 32, WRITE_ONLY, "PCIe transport 1.0, 3.1.2.1", SQ0TDBL_SQT);

    /** All registers whose place is fixed. */
    public static final RegisterMap ALL = RegisterMap.of(
            "nvme", CAP, VS, INTMS, INTMC, CC, CSTS, NSSR, AQA, ASQ, ACQ, CMBLOC, CMBSZ, CMBMSC, CMBSTS, CRTO, PMRCAP,
            PMRCTL, PMRSTS, PMREBS, PMRSWTP, PMRMSCL, PMRMSCU, SQ0TDBL);

    private NvmeRegisters() {}

    /**
     * Where a submission queue's tail doorbell is.
     *
     * @param queue the queue's identifier
     * @param strideShift CAP.DSTRD
     * @return the offset from {@link #DOORBELLS}, in bytes
     */
    public static long submissionTailDoorbell(int queue, int strideShift) {
        return (2L * queue) << (2 + strideShift);
    }

    /**
     * Where a completion queue's head doorbell is.
     *
     * @param queue the queue's identifier
     * @param strideShift CAP.DSTRD
     * @return the offset from {@link #DOORBELLS}, in bytes
     */
    public static long completionHeadDoorbell(int queue, int strideShift) {
        return (2L * queue + 1) << (2 + strideShift);
    }
}
