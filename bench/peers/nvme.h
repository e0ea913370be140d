/* What the NVM Express specifications define and both sides need. Sections: Base Specification 1.4 unless said. */
#ifndef PEERS_NVME_H
#define PEERS_NVME_H

#include <stdint.h>

/* Controller registers, 3.1. */
enum {
    NVME_CAP = 0x00, NVME_VS = 0x08, NVME_INTMS = 0x0c, NVME_INTMC = 0x10, NVME_CC = 0x14, NVME_CSTS = 0x1c,
    NVME_NSSR = 0x20, NVME_AQA = 0x24, NVME_ASQ = 0x28, NVME_ACQ = 0x30, NVME_DOORBELLS = 0x1000,
};

#define NVME_CAP_MQES(cap) ((uint32_t)((cap) & 0xffff) + 1) /* entries; the field is 0's based */
#define NVME_CAP_CQR (1ull << 16)
#define NVME_CAP_TO_SHIFT 24 /* units of 500 ms */
#define NVME_CAP_TO(cap) ((uint32_t)((cap) >> NVME_CAP_TO_SHIFT) & 0xff)
#define NVME_CAP_DSTRD_SHIFT 32
#define NVME_CAP_DSTRD(cap) ((uint32_t)((cap) >> NVME_CAP_DSTRD_SHIFT) & 0xf)
#define NVME_CAP_CSS_NVM (1ull << 37)
#define NVME_CAP_MPSMIN(cap) ((uint32_t)((cap) >> 48) & 0xf)

#define NVME_CC_EN 0x1u
#define NVME_CC_CSS(cc) ((cc) >> 4 & 0x7)
#define NVME_CC_MPS(cc) ((cc) >> 7 & 0xf)
#define NVME_CC_SHN(cc) ((cc) >> 14 & 0x3)
#define NVME_CC_IOSQES(cc) ((cc) >> 16 & 0xf)
#define NVME_CC_IOCQES(cc) ((cc) >> 20 & 0xf)
#define NVME_CC_QUEUE_ENTRY_SIZES (6u << 16 | 4u << 20) /* 2^6 and 2^4 bytes */
#define NVME_CSTS_RDY 0x1u
#define NVME_CSTS_CFS 0x2u
#define NVME_CSTS_SHST_COMPLETE 0x8u

enum { NVME_PAGE = 4096, NVME_PRPS_IN_PAGE = NVME_PAGE / 8 };

/* Admin commands, 5. */
enum {
    NVME_DELETE_SQ = 0x00, NVME_CREATE_SQ = 0x01, NVME_GET_LOG_PAGE = 0x02, NVME_DELETE_CQ = 0x04,
    NVME_CREATE_CQ = 0x05, NVME_IDENTIFY = 0x06, NVME_ABORT = 0x08, NVME_SET_FEATURES = 0x09,
    NVME_GET_FEATURES = 0x0a, NVME_ASYNC_EVENT_REQUEST = 0x0c,
};

/* I/O commands, NVM Command Set. */
enum { NVME_FLUSH = 0x00, NVME_WRITE = 0x01, NVME_READ = 0x02 };

enum { NVME_CNS_NAMESPACE = 0, NVME_CNS_CONTROLLER = 1, NVME_CNS_ACTIVE_NAMESPACES = 2, NVME_CNS_DESCRIPTORS = 3 };
enum { NVME_FEATURE_NUMBER_OF_QUEUES = 0x07 };

#define NVME_QUEUE_CONTIGUOUS 0x1u
#define NVME_QUEUE_INTERRUPTS 0x2u

/* Status, 4.6.1: type << 8 | code, as it stands above the phase bit. */
enum {
    NVME_SUCCESS = 0x000, NVME_INVALID_OPCODE = 0x001, NVME_INVALID_FIELD = 0x002, NVME_DATA_TRANSFER_ERROR = 0x004,
    NVME_INVALID_NAMESPACE = 0x00b, NVME_INVALID_PRP_OFFSET = 0x013, NVME_LBA_OUT_OF_RANGE = 0x080,
    NVME_INVALID_COMPLETION_QUEUE = 0x100, NVME_INVALID_QUEUE_ID = 0x101, NVME_INVALID_QUEUE_SIZE = 0x102,
    NVME_TOO_MANY_EVENT_REQUESTS = 0x105, NVME_INVALID_VECTOR = 0x108, NVME_INVALID_LOG_PAGE = 0x109,
    NVME_INVALID_QUEUE_DELETION = 0x10c,
    NVME_DO_NOT_RETRY = 0x4000,
};

/* A submission queue entry, 4.2. */
struct nvme_command {
    uint8_t opcode;
    uint8_t flags; /* 7:6 PSDT: 0 = PRPs */
    uint16_t command_id;
    uint32_t namespace_id;
    uint32_t cdw2, cdw3;
    uint64_t metadata;
    uint64_t prp1, prp2;
    uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct nvme_command) == 64, "a submission queue entry has 64 bytes");

/* A completion queue entry, 4.6. The second half is stored and loaded at once: it holds the phase bit. */
struct nvme_completion {
    uint32_t result;
    uint32_t reserved;
    union {
        uint64_t tail;
        struct {
            uint16_t sq_head;
            uint16_t sq_id;
            uint16_t command_id;
            uint16_t status; /* bit 0: phase */
        };
    };
} __attribute__((aligned(16)));
_Static_assert(sizeof(struct nvme_completion) == 16, "a completion queue entry has 16 bytes");

/* Offsets in Identify data, 5.15.2. */
enum {
    NVME_ID_VID = 0, NVME_ID_SERIAL = 4, NVME_ID_MODEL = 24, NVME_ID_FIRMWARE = 64, NVME_ID_MDTS = 77,
    NVME_ID_CNTLID = 78, NVME_ID_VER = 80, NVME_ID_CNTRLTYPE = 111, NVME_ID_AERL = 259, NVME_ID_SQES = 512,
    NVME_ID_CQES = 513, NVME_ID_NN = 516, NVME_ID_SUBNQN = 768,
    NVME_ID_NS_NSZE = 0, NVME_ID_NS_NCAP = 8, NVME_ID_NS_NUSE = 16, NVME_ID_NS_FLBAS = 26, NVME_ID_NS_LBAF0 = 128,
};

#endif
