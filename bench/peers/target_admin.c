/* Admin commands: what a driver needs to find the namespace and to make and unmake queues. NVMe 1.4, 5. */
#define _GNU_SOURCE
#include "target.h"

#include <string.h>

static void put(uint8_t *at, uint64_t value, size_t size)
{
    memcpy(at, &value, size);
}

static void put_text(uint8_t *at, const char *text, size_t size)
{
    memset(at, ' ', size);
    memcpy(at, text, strlen(text) < size ? strlen(text) : size);
}

static void describe_controller(const struct target *target, uint8_t *data)
{
    put(data + NVME_ID_VID, 0x1b36, 2);
    put(data + NVME_ID_VID + 2, 0x1b36, 2);
    put_text(data + NVME_ID_SERIAL, target->serial, 20);
    put_text(data + NVME_ID_MODEL, "Outboard C peer", 40);
    put_text(data + NVME_ID_FIRMWARE, "1", 8);
    data[NVME_ID_MDTS] = TARGET_MDTS;
    put(data + NVME_ID_CNTLID, 1, 2);
    put(data + NVME_ID_VER, 0x00010400, 4);
    data[NVME_ID_CNTRLTYPE] = 1; /* I/O controller */
    data[NVME_ID_AERL] = TARGET_EVENT_REQUESTS - 1;
    data[NVME_ID_SQES] = 0x66;
    data[NVME_ID_CQES] = 0x44;
    put(data + NVME_ID_NN, 1, 4);
    strcpy((char *)data + NVME_ID_SUBNQN, "nqn.2014-08.org.nvmexpress:uuid:6f757462-6f61-7264-8000-0000000000c1");
}

static void describe_namespace(const struct target *target, uint8_t *data)
{
    put(data + NVME_ID_NS_NSZE, target->blocks, 8);
    put(data + NVME_ID_NS_NCAP, target->blocks, 8);
    put(data + NVME_ID_NS_NUSE, target->blocks, 8);
    put(data + NVME_ID_NS_LBAF0, target->block_shift << 16, 4);
}

static uint16_t identify(struct target *target, const struct nvme_command *command)
{
    uint8_t data[NVME_PAGE] = {0};
    switch (command->cdw10 & 0xff) {
    case NVME_CNS_CONTROLLER:
        describe_controller(target, data);
        break;
    case NVME_CNS_NAMESPACE:
        /* 0xffffffff asks for what all namespaces have in common. An inactive one is all zeros, an invalid one fails. */
        if (command->namespace_id != 1 && command->namespace_id != UINT32_MAX) {
            return NVME_INVALID_NAMESPACE;
        }
        describe_namespace(target, data);
        break;
    case NVME_CNS_ACTIVE_NAMESPACES:
        if (command->namespace_id >= 0xfffffffe) {
            return NVME_INVALID_NAMESPACE;
        }
        put(data, command->namespace_id < 1 ? 1 : 0, 4);
        break;
    case NVME_CNS_DESCRIPTORS:
        if (command->namespace_id != 1) {
            return NVME_INVALID_NAMESPACE;
        }
        data[0] = 3; /* a UUID */
        data[1] = 16;
        memcpy(data + 4, "outboard\x80\0\0\0\0\0\0\xc1", 16);
        break;
    default:
        return NVME_INVALID_FIELD;
    }
    return target_transfer(target, command, data, sizeof data, true);
}

static uint16_t get_log_page(struct target *target, const struct nvme_command *command)
{
    static uint8_t zeros[NVME_PAGE];
    uint8_t page = command->cdw10 & 0xff;
    uint64_t size = ((uint64_t)(command->cdw11 & 0xffff) << 16 | command->cdw10 >> 16) * 4 + 4;
    if (page < 1 || page > 3) {
        return NVME_INVALID_LOG_PAGE;
    }
    /* Errors, health, firmware slots: nothing has happened. */
    return size > sizeof zeros ? NVME_INVALID_FIELD : target_transfer(target, command, zeros, size, true);
}

/* The memory of a queue; its size in entries is checked on the way. */
static uint16_t queue_memory(struct target *target, const struct nvme_command *command, size_t entry_size,
                             uint32_t access, void **memory)
{
    uint32_t entries = (command->cdw10 >> 16) + 1;
    if (entries < 2 || entries > TARGET_QUEUE_ENTRIES) {
        return NVME_INVALID_QUEUE_SIZE;
    }
    if (!(command->cdw11 & NVME_QUEUE_CONTIGUOUS)) {
        return NVME_INVALID_FIELD; /* CAP.CQR */
    }
    if (command->prp1 % NVME_PAGE != 0) {
        return NVME_INVALID_PRP_OFFSET;
    }
    *memory = target_translate(target, command->prp1, entries * entry_size, access);
    return *memory == NULL ? NVME_DATA_TRANSFER_ERROR : NVME_SUCCESS;
}

static uint32_t *doorbell(struct target *target, uint16_t id, bool completion)
{
    uint32_t *bell = (uint32_t *)(target->doorbells + (2u * id + completion) * (4u << NVME_CAP_DSTRD(target->cap)));
    /* A queue starts at entry 0, whatever its doorbell held in an earlier life. */
    __atomic_store_n(bell, 0, __ATOMIC_RELAXED);
    return bell;
}

/* How many pairs the doorbell page has room for. */
static uint32_t queue_limit(const struct target *target)
{
    uint32_t pairs = DOORBELL_PAGE_SIZE / (8u << NVME_CAP_DSTRD(target->cap));
    return pairs < TARGET_QUEUES ? pairs : TARGET_QUEUES;
}

static uint16_t create_completion_queue(struct target *target, const struct nvme_command *command)
{
    uint16_t id = command->cdw10 & 0xffff;
    uint16_t vector = command->cdw11 >> 16;
    void *memory;
    if (id == 0 || id >= queue_limit(target) || target->cq[id].entries != NULL) {
        return NVME_INVALID_QUEUE_ID;
    }
    if (vector >= TARGET_VECTORS) {
        return NVME_INVALID_VECTOR;
    }
    uint16_t status = queue_memory(target, command, sizeof(struct nvme_completion), VFIO_USER_DMA_WRITEABLE, &memory);
    if (status == NVME_SUCCESS) {
        target->cq[id] = (struct completion_queue){
            .entries = memory, .doorbell = doorbell(target, id, true), .iova = command->prp1,
            .size = (command->cdw10 >> 16) + 1, .phase = 1, .vector = vector,
            .interrupts = command->cdw11 & NVME_QUEUE_INTERRUPTS};
    }
    return status;
}

static uint16_t create_submission_queue(struct target *target, const struct nvme_command *command)
{
    uint16_t id = command->cdw10 & 0xffff;
    uint16_t cq = command->cdw11 >> 16;
    void *memory;
    if (id == 0 || id >= queue_limit(target) || target->sq[id].entries != NULL) {
        return NVME_INVALID_QUEUE_ID;
    }
    if (cq == 0 || cq >= queue_limit(target) || target->cq[cq].entries == NULL) {
        return NVME_INVALID_COMPLETION_QUEUE;
    }
    uint16_t status = queue_memory(target, command, sizeof(struct nvme_command), VFIO_USER_DMA_READABLE, &memory);
    if (status == NVME_SUCCESS) {
        target->sq[id] = (struct submission_queue){
            .entries = memory, .doorbell = doorbell(target, id, false), .iova = command->prp1,
            .size = (command->cdw10 >> 16) + 1, .id = id, .completions = &target->cq[cq]};
        target->cq[cq].users++;
        target_list_active_queues(target);
    }
    return status;
}

static uint16_t delete_submission_queue(struct target *target, const struct nvme_command *command)
{
    uint16_t id = command->cdw10 & 0xffff;
    if (id == 0 || id >= TARGET_QUEUES || target->sq[id].entries == NULL) {
        return NVME_INVALID_QUEUE_ID;
    }
    target->sq[id].completions->users--;
    target->sq[id].entries = NULL;
    target_list_active_queues(target);
    return NVME_SUCCESS;
}

static uint16_t delete_completion_queue(struct target *target, const struct nvme_command *command)
{
    uint16_t id = command->cdw10 & 0xffff;
    if (id == 0 || id >= TARGET_QUEUES || target->cq[id].entries == NULL) {
        return NVME_INVALID_QUEUE_ID;
    }
    if (target->cq[id].users != 0) {
        return NVME_INVALID_QUEUE_DELETION;
    }
    target->cq[id].entries = NULL;
    return NVME_SUCCESS;
}

/* Features without effect here keep what was set. */
static uint16_t features(struct target *target, const struct nvme_command *command, uint32_t *result, bool set)
{
    uint8_t feature = command->cdw10 & 0xff;
    if (feature == NVME_FEATURE_NUMBER_OF_QUEUES) {
        if (set && ((command->cdw11 & 0xffff) == 0xffff || command->cdw11 >> 16 == 0xffff)) {
            return NVME_INVALID_FIELD;
        }
        uint32_t most = queue_limit(target) - 2; /* without the admin queues, 0's based */
        *result = most << 16 | most;
        return NVME_SUCCESS;
    }
    if (feature < 0x01 || feature > 0x0b || feature == 0x03) {
        return NVME_INVALID_FIELD;
    }
    if (set) {
        target->features[feature] = command->cdw11;
    }
    *result = target->features[feature];
    return NVME_SUCCESS;
}

uint16_t target_admin(struct target *target, const struct nvme_command *command, uint32_t *result)
{
    switch (command->opcode) {
    case NVME_IDENTIFY: return identify(target, command);
    case NVME_GET_LOG_PAGE: return get_log_page(target, command);
    case NVME_CREATE_CQ: return create_completion_queue(target, command);
    case NVME_CREATE_SQ: return create_submission_queue(target, command);
    case NVME_DELETE_SQ: return delete_submission_queue(target, command);
    case NVME_DELETE_CQ: return delete_completion_queue(target, command);
    case NVME_SET_FEATURES: return features(target, command, result, true);
    case NVME_GET_FEATURES: return features(target, command, result, false);
    case NVME_ABORT:
        *result = 1; /* not aborted: a command is done as soon as it is fetched */
        return NVME_SUCCESS;
    case NVME_ASYNC_EVENT_REQUEST:
        if (target->held_event_count == TARGET_EVENT_REQUESTS) {
            return NVME_TOO_MANY_EVENT_REQUESTS;
        }
        target->held_events[target->held_event_count++] = command->command_id;
        return TARGET_HOLD; /* no event ever comes */
    default: return NVME_INVALID_OPCODE;
    }
}
