/* The NVMe half of the client: reset, enable, identify, queues. NVM Express Base Specification 1.4, 7.6.1. */
#define _GNU_SOURCE
#include "controller.h"

#include "common.h"
#include "connection.h"

#include <string.h>
#include <unistd.h>

enum { ADMIN_ENTRIES = 32, SPINS_BETWEEN_CHECKS = 1 << 16 };
static const uint64_t COMMAND_TIMEOUT_NANOS = 5000000000u;

static uint32_t read32(struct controller *controller, uint64_t offset)
{
    uint32_t value;
    connection_region_read(controller, VFIO_PCI_BAR0_REGION_INDEX, offset, &value, sizeof value);
    return value;
}

static uint64_t read64(struct controller *controller, uint64_t offset)
{
    uint64_t value;
    connection_region_read(controller, VFIO_PCI_BAR0_REGION_INDEX, offset, &value, sizeof value);
    return value;
}

static void write32(struct controller *controller, uint64_t offset, uint32_t value)
{
    connection_region_write(controller, VFIO_PCI_BAR0_REGION_INDEX, offset, &value, sizeof value);
}

static void write64(struct controller *controller, uint64_t offset, uint64_t value)
{
    connection_region_write(controller, VFIO_PCI_BAR0_REGION_INDEX, offset, &value, sizeof value);
}

void *controller_dma(struct controller *controller, uint64_t size, uint64_t *iova)
{
    size = (size + NVME_PAGE - 1) & ~(uint64_t)(NVME_PAGE - 1);
    if (size > controller->dma_size - controller->dma_used) {
        fail("DMA memory of %llu bytes is used up", (unsigned long long)controller->dma_size);
    }
    uint64_t offset = controller->dma_used;
    controller->dma_used += size;
    *iova = controller->dma_iova + offset;
    return controller->dma + offset;
}

/* Doorbells: 3.1.24, 3.1.25. */
static uint64_t doorbell_offset(const struct controller *controller, uint16_t id, bool completion)
{
    return NVME_DOORBELLS + (2 * (uint64_t)id + completion) * (4ull << NVME_CAP_DSTRD(controller->cap));
}

static uint32_t *mapped_doorbell(const struct controller *controller, uint64_t offset)
{
    bool mapped = controller->bar0_map != NULL && offset >= controller->bar0_map_offset &&
                  offset + 4 <= controller->bar0_map_offset + controller->bar0_map_size;
    return mapped ? (uint32_t *)(controller->bar0_map + (offset - controller->bar0_map_offset)) : NULL;
}

static uint64_t queue_init(struct controller *controller, struct queue_pair *queue, uint16_t id, uint32_t entries,
                           uint64_t *cq_iova)
{
    uint64_t sq_iova;
    *queue = (struct queue_pair){.id = id, .sq_entries = entries, .cq_entries = entries, .phase = 1};
    queue->sq = controller_dma(controller, entries * sizeof *queue->sq, &sq_iova);
    queue->cq = controller_dma(controller, entries * sizeof *queue->cq, cq_iova);
    uint64_t sq_doorbell = doorbell_offset(controller, id, false);
    uint64_t cq_doorbell = doorbell_offset(controller, id, true);
    if (cq_doorbell + 4 > controller->bar0_size) {
        fail("%s: the doorbells of queue %u lie beyond BAR 0", controller->path, id);
    }
    queue->sq_doorbell = mapped_doorbell(controller, sq_doorbell);
    queue->cq_doorbell = mapped_doorbell(controller, cq_doorbell);
    return sq_iova;
}

void queue_ring_submission(struct controller *controller, struct queue_pair *queue)
{
    if (queue->sq_doorbell != NULL) {
        __atomic_store_n(queue->sq_doorbell, queue->sq_tail, __ATOMIC_RELEASE);
    } else {
        write32(controller, doorbell_offset(controller, queue->id, false), queue->sq_tail);
    }
}

void queue_ring_completion(struct controller *controller, struct queue_pair *queue)
{
    if (queue->cq_doorbell != NULL) {
        __atomic_store_n(queue->cq_doorbell, queue->cq_head, __ATOMIC_RELEASE);
    } else {
        write32(controller, doorbell_offset(controller, queue->id, true), queue->cq_head);
    }
}

void controller_check_alive(struct controller *controller, uint64_t waited_nanos)
{
    if (vfio_user_peer_gone(controller->socket)) {
        fail("%s: the target closed the connection while commands were outstanding", controller->path);
    }
    if (waited_nanos > COMMAND_TIMEOUT_NANOS) {
        uint32_t csts = read32(controller, NVME_CSTS);
        fail("%s: no completion in %llu s (CSTS 0x%x)", controller->path,
             (unsigned long long)(COMMAND_TIMEOUT_NANOS / 1000000000u), csts);
    }
}

uint16_t queue_execute(struct controller *controller, struct queue_pair *queue, const struct nvme_command *command,
                       uint32_t *result)
{
    uint32_t slot = queue->sq_tail;
    queue->sq[slot] = *command;
    queue->sq_tail = slot + 1 == queue->sq_entries ? 0 : slot + 1;
    queue_ring_submission(controller, queue);
    uint64_t start = monotonic_nanos();
    uint64_t tail;
    uint32_t spins = 0;
    uint32_t head = queue->cq_head;
    while (!queue_take(queue, &tail)) {
        if (++spins % SPINS_BETWEEN_CHECKS == 0) {
            controller_check_alive(controller, monotonic_nanos() - start);
        }
        spin_hint();
    }
    if (result != NULL) {
        *result = queue->cq[head].result;
    }
    if ((uint16_t)(tail >> 32) != command->command_id) {
        fail("%s: a completion with an unknown command id, %u", controller->path, (unsigned)(tail >> 32 & 0xffff));
    }
    queue_ring_completion(controller, queue);
    return completion_status(tail);
}

static uint32_t admin(struct controller *controller, const struct nvme_command *command, const char *what)
{
    uint32_t result;
    uint16_t status = queue_execute(controller, &controller->admin, command, &result);
    if (status != NVME_SUCCESS) {
        fail("%s: %s: status 0x%x", controller->path, what, status);
    }
    return result;
}

static void await_ready(struct controller *controller, bool ready)
{
    uint64_t timeout = (uint64_t)(NVME_CAP_TO(controller->cap) + 1) * 500000000u;
    uint64_t start = monotonic_nanos();
    for (;;) {
        uint32_t csts = read32(controller, NVME_CSTS);
        if (ready && (csts & NVME_CSTS_CFS)) {
            fail("%s: the controller reports a fatal status (CSTS 0x%x)", controller->path, csts);
        }
        if (((csts & NVME_CSTS_RDY) != 0) == ready) {
            return;
        }
        if (monotonic_nanos() - start > timeout) {
            fail("%s: the controller did not become %s in %llu ms (CSTS 0x%x)", controller->path,
                 ready ? "ready" : "disabled", (unsigned long long)(timeout / 1000000), csts);
        }
        usleep(1000);
    }
}

static void enable(struct controller *controller)
{
    controller->cap = read64(controller, NVME_CAP);
    controller->version = read32(controller, NVME_VS);
    controller->queue_entries_limit = NVME_CAP_MQES(controller->cap);
    if (!(controller->cap & NVME_CAP_CSS_NVM) || NVME_CAP_MPSMIN(controller->cap) != 0) {
        fail("%s: no NVM command set with 4 KiB pages (CAP 0x%llx)", controller->path,
             (unsigned long long)controller->cap);
    }
    if (controller->queue_entries_limit < 2) {
        fail("%s: queues of one entry (CAP 0x%llx)", controller->path, (unsigned long long)controller->cap);
    }
    write32(controller, NVME_CC, 0);
    await_ready(controller, false);
    uint64_t acq;
    uint64_t asq = queue_init(controller, &controller->admin, 0, ADMIN_ENTRIES, &acq);
    write32(controller, NVME_AQA, (ADMIN_ENTRIES - 1) << 16 | (ADMIN_ENTRIES - 1));
    write64(controller, NVME_ASQ, asq);
    write64(controller, NVME_ACQ, acq);
    write32(controller, NVME_CC, NVME_CC_QUEUE_ENTRY_SIZES | NVME_CC_EN);
    await_ready(controller, true);
}

/* Identify strings are padded with blanks, and are whatever the device sent: only printable ASCII passes. */
static void copy_text(char *to, const uint8_t *from, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        to[i] = from[i] >= ' ' && from[i] <= '~' && from[i] != '"' && from[i] != '\\' ? (char)from[i] : '?';
    }
    while (length > 0 && to[length - 1] == ' ') {
        length--;
    }
    to[length] = '\0';
}

static void identify(struct controller *controller)
{
    uint64_t iova;
    const uint8_t *data = controller_dma(controller, NVME_PAGE, &iova);
    admin(controller, &(struct nvme_command){.opcode = NVME_IDENTIFY, .command_id = 1, .prp1 = iova,
                                             .cdw10 = NVME_CNS_CONTROLLER}, "identify the controller");
    copy_text(controller->serial, data + NVME_ID_SERIAL, 20);
    copy_text(controller->model, data + NVME_ID_MODEL, 40);
    copy_text(controller->firmware, data + NVME_ID_FIRMWARE, 8);
    uint8_t mdts = data[NVME_ID_MDTS];
    controller->max_transfer = mdts == 0 || mdts > 20 ? 1ull << 32 : (uint64_t)NVME_PAGE << mdts;
    memcpy(&controller->namespace_count, data + NVME_ID_NN, 4);

    admin(controller, &(struct nvme_command){.opcode = NVME_IDENTIFY, .command_id = 2, .namespace_id = 1, .prp1 = iova,
                                             .cdw10 = NVME_CNS_NAMESPACE}, "identify namespace 1");
    memcpy(&controller->block_count, data + NVME_ID_NS_NSZE, 8);
    uint32_t format;
    memcpy(&format, data + NVME_ID_NS_LBAF0 + 4 * (data[NVME_ID_NS_FLBAS] & 0xf), 4);
    uint32_t shift = format >> 16 & 0xff;
    if (controller->block_count == 0 || shift < 9 || shift > 16 || (format & 0xffff) != 0 ||
        controller->block_count > UINT64_MAX >> shift) {
        fail("%s: namespace 1 has %llu blocks of 2^%u bytes and %u bytes of metadata", controller->path,
             (unsigned long long)controller->block_count, shift, format & 0xffff);
    }
    controller->block_size = 1u << shift;
}

void controller_open(struct controller *controller, const char *path, uint64_t dma_size)
{
    connection_open(controller, path, dma_size);
    enable(controller);
    identify(controller);
    /* Asked once, before the first queue is made: 5.21.1.7. Two pairs, 0's based: verify needs the second. */
    admin(controller, &(struct nvme_command){.opcode = NVME_SET_FEATURES, .command_id = 3,
                                             .cdw10 = NVME_FEATURE_NUMBER_OF_QUEUES, .cdw11 = 1 << 16 | 1},
          "set the number of queues");
}

void controller_create_io_queues(struct controller *controller, struct queue_pair *queue, uint16_t id, uint32_t entries,
                                 int vector)
{
    uint64_t cq_iova;
    uint64_t sq_iova = queue_init(controller, queue, id, entries, &cq_iova);
    uint32_t interrupts = vector == NO_VECTOR ? 0 : (uint32_t)vector << 16 | NVME_QUEUE_INTERRUPTS;
    admin(controller, &(struct nvme_command){.opcode = NVME_CREATE_CQ, .command_id = 4, .prp1 = cq_iova,
                                             .cdw10 = (entries - 1) << 16 | id,
                                             .cdw11 = interrupts | NVME_QUEUE_CONTIGUOUS},
          "create the completion queue");
    admin(controller, &(struct nvme_command){.opcode = NVME_CREATE_SQ, .command_id = 5, .prp1 = sq_iova,
                                             .cdw10 = (entries - 1) << 16 | id,
                                             .cdw11 = (uint32_t)id << 16 | NVME_QUEUE_CONTIGUOUS},
          "create the submission queue");
}

void controller_delete_io_queues(struct controller *controller, const struct queue_pair *queue)
{
    admin(controller, &(struct nvme_command){.opcode = NVME_DELETE_SQ, .command_id = 6, .cdw10 = queue->id},
          "delete the submission queue");
    admin(controller, &(struct nvme_command){.opcode = NVME_DELETE_CQ, .command_id = 7, .cdw10 = queue->id},
          "delete the completion queue");
}

void controller_close(struct controller *controller)
{
    /* Normal shutdown, 7.6.2; then disabled, so that the next client finds it as we did. */
    write32(controller, NVME_CC, NVME_CC_QUEUE_ENTRY_SIZES | 1u << 14 | NVME_CC_EN);
    write32(controller, NVME_CC, 0);
    await_ready(controller, false);
    close(controller->socket);
}
