/* A minimal NVMe controller behind a vfio-user socket: one namespace in anonymous memory, one polling thread. */
#ifndef PEERS_TARGET_H
#define PEERS_TARGET_H

#include "nvme.h"
#include "vfio_user.h"

#include <signal.h>

enum {
    TARGET_QUEUES = 32,        /* pairs, the admin queues included */
    TARGET_VECTORS = 32,
    TARGET_QUEUE_ENTRIES = 1024,
    TARGET_DMA_REGIONS = 64,
    TARGET_EVENT_REQUESTS = 4,
    TARGET_MDTS = 8,           /* 2^8 pages: 1 MiB */
    DOORBELL_PAGE_SIZE = NVME_PAGE,
    BAR0_SIZE = NVME_DOORBELLS + DOORBELL_PAGE_SIZE,
    BAR4_SIZE = NVME_PAGE,     /* the MSI-X table, and the pending bits behind it */
    MSIX_PENDING_OFFSET = 0x800,
    CONFIG_SIZE = 256,
};

struct dma_region {
    uint64_t iova, size;
    uint32_t access; /* VFIO_USER_DMA_READABLE | VFIO_USER_DMA_WRITEABLE */
    uint8_t *memory; /* NULL when the client sent no descriptor: such memory we do not reach */
};

struct completion_queue {
    struct nvme_completion *entries; /* NULL: no such queue */
    const uint32_t *doorbell;
    uint64_t iova;
    uint32_t size, tail, head; /* head: the doorbell's last good value */
    uint32_t users;            /* submission queues that complete here */
    uint16_t phase, vector;
    bool interrupts;
};

struct submission_queue {
    const struct nvme_command *entries; /* NULL: no such queue */
    const uint32_t *doorbell;
    uint64_t iova;
    uint32_t size, head;
    uint16_t id;
    struct completion_queue *completions;
};

/* Registers that are kept as they were written; CAP and VS are constants. NVMe 1.4, 3.1. */
struct registers {
    uint32_t interrupt_mask, cc, csts, aqa;
    uint64_t asq, acq;
};

struct target {
    volatile sig_atomic_t *stop;
    int socket; /* of the client */
    uint64_t cap;
    uint32_t block_shift;
    uint64_t blocks;
    uint8_t *storage;
    char serial[21];
    bool trap_doorbells; /* not offered for mapping: each one is a message */

    int doorbell_fd; /* shared with the client; it may write anything there at any time */
    uint8_t *doorbells;
    struct registers registers;
    uint8_t config[CONFIG_SIZE], config_writable[CONFIG_SIZE];
    uint8_t bar4[BAR4_SIZE];
    int vectors[TARGET_VECTORS]; /* eventfds or -1 */
    bool vector_masked[TARGET_VECTORS], vector_pending[TARGET_VECTORS];
    uint32_t features[256];

    struct dma_region regions[TARGET_DMA_REGIONS];
    uint32_t region_count;
    struct dma_region *last_region; /* where the last translation hit */

    bool running; /* enabled and allowed to master the bus: queues are polled */
    struct submission_queue sq[TARGET_QUEUES];
    struct completion_queue cq[TARGET_QUEUES];
    uint16_t active[TARGET_QUEUES]; /* the submission queues there are */
    uint32_t active_count;
    uint16_t held_events[TARGET_EVENT_REQUESTS];
    uint32_t held_event_count;
};

/* target_device.c: configuration space, registers, reset. */
void target_init_config(struct target *target);
void target_config_write(struct target *target, uint64_t offset, const uint8_t *data, uint32_t size);
void target_register_read(struct target *target, uint64_t offset, uint8_t *data, uint32_t size);
void target_register_write(struct target *target, uint64_t offset, const uint8_t *data, uint32_t size);
void target_reset(struct target *target);
void target_fatal(struct target *target);
void target_list_active_queues(struct target *target);

/* target_memory.c: what the client let us reach. Every address is checked; NULL when any byte is out of reach. */
int target_map(struct target *target, const struct vfio_user_dma_map *map, int fd);
int target_unmap(struct target *target, uint64_t iova, uint64_t size);
void target_unmap_all(struct target *target);
uint8_t *target_translate_slow(struct target *target, uint64_t iova, uint64_t size, uint32_t access);

static inline uint8_t *target_translate(struct target *target, uint64_t iova, uint64_t size, uint32_t access)
{
    struct dma_region *region = target->last_region;
    uint64_t offset = iova - region->iova;
    if (__builtin_expect(offset < region->size && size <= region->size - offset && region->memory != NULL &&
                         (region->access & access) == access, 1)) {
        return region->memory + offset;
    }
    return target_translate_slow(target, iova, size, access);
}

/* Moves size bytes between data and the client's memory that the command's PRPs describe: an NVMe status. */
uint16_t target_transfer(struct target *target, const struct nvme_command *command, uint8_t *data, uint64_t size,
                         bool to_client);

/* target_messages.c. False when the client is to be let go; why is NULL when it left in good order. */
bool target_serve_message(struct target *target, const char **why);

/* target_admin.c: a status, or HOLD when nothing is to be completed. */
enum { TARGET_HOLD = 0xffff };
uint16_t target_admin(struct target *target, const struct nvme_command *command, uint32_t *result);

/* target_queues.c: does what there is to do on all queues; false when there was nothing. */
bool target_poll(struct target *target);
void target_raise(struct target *target, uint16_t vector);

#endif
