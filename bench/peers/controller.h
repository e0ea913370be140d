/* The client's side of one NVMe controller behind a vfio-user socket: bring-up, DMA memory, one I/O queue pair. */
#ifndef PEERS_CONTROLLER_H
#define PEERS_CONTROLLER_H

#include "nvme.h"
#include "vfio_user.h"

struct queue_pair {
    uint16_t id;
    uint32_t sq_entries, cq_entries;
    uint32_t sq_tail, cq_head;
    uint16_t phase; /* the phase bit that marks a new completion */
    struct nvme_command *sq;
    volatile struct nvme_completion *cq;
    /* Where the doorbells are: mapped, or NULL when each one is a message. */
    uint32_t *sq_doorbell, *cq_doorbell;
};

struct controller {
    const char *path;
    int socket;
    uint16_t next_message_id;
    uint64_t bar0_size;
    uint8_t *bar0_map; /* the mapped part of BAR 0 that holds doorbells, or NULL */
    uint64_t bar0_map_offset, bar0_map_size;
    uint8_t *dma; /* one region, handed out from its start */
    uint64_t dma_iova, dma_size, dma_used;
    uint64_t cap;
    uint32_t version;
    uint32_t queue_entries_limit;
    uint64_t max_transfer; /* bytes */
    char serial[21], model[41], firmware[9];
    uint32_t namespace_count;
    uint64_t block_count;
    uint32_t block_size;
    struct queue_pair admin;
};

/* Each of these ends the process with one line when the target fails, lies, leaves or is silent for 5 s. */
void controller_open(struct controller *controller, const char *path, uint64_t dma_size);
/* Pair number id, from 1; its completions raise an MSI-X vector, or none when that is NO_VECTOR. */
enum { NO_VECTOR = -1 };
void controller_create_io_queues(struct controller *controller, struct queue_pair *queue, uint16_t id, uint32_t entries,
                                 int vector);
void controller_delete_io_queues(struct controller *controller, const struct queue_pair *queue);
void controller_close(struct controller *controller);

/* DMA memory, page-aligned, zeroed, never given back. */
void *controller_dma(struct controller *controller, uint64_t size, uint64_t *iova);

/* The next free submission entry is queue->sq[queue->sq_tail]; these two advance and tell the controller. */
void queue_ring_submission(struct controller *controller, struct queue_pair *queue);
void queue_ring_completion(struct controller *controller, struct queue_pair *queue);

/* One command, start to end, on an otherwise idle queue: its status, and its first dword when result is not NULL. */
uint16_t queue_execute(struct controller *controller, struct queue_pair *queue, const struct nvme_command *command,
                       uint32_t *result);

/* To be asked now and then while nothing completes. */
void controller_check_alive(struct controller *controller, uint64_t waited_nanos);

static inline uint16_t completion_status(uint64_t tail)
{
    return (uint16_t)(tail >> 49); /* above the phase bit */
}

/* Whether the entry at the head is new; if so its second half is in tail, and the head has moved on. */
static inline bool queue_take(struct queue_pair *queue, uint64_t *tail)
{
    uint64_t entry = __atomic_load_n((const uint64_t *)&queue->cq[queue->cq_head].tail, __ATOMIC_ACQUIRE);
    if ((uint16_t)(entry >> 48 & 1) != queue->phase) {
        return false;
    }
    *tail = entry;
    if (++queue->cq_head == queue->cq_entries) {
        queue->cq_head = 0;
        queue->phase ^= 1;
    }
    return true;
}

#endif
