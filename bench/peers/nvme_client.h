/* The modes of nvme_client. */
#ifndef PEERS_NVME_CLIENT_H
#define PEERS_NVME_CLIENT_H

#include "controller.h"
#include "histogram.h"

enum operation { OP_RANDREAD, OP_RANDWRITE, OP_READ, OP_WRITE, OP_RANDRW };

struct load {
    enum operation operation;
    uint32_t block_size; /* bytes of one command */
    uint32_t queue_depth;
    double seconds, warmup;
};

struct load_result {
    double seconds; /* as measured */
    double ticks_per_nano;
    uint64_t errors;
    uint16_t first_error;
    struct histogram latency; /* ticks, from before the command was written to after its completion was seen */
};

/* DMA memory that a load needs, queues included. */
uint64_t load_dma_size(const struct load *load);

/* Keeps queue_depth commands in flight. The queue must hold more entries than that. */
void load_run(struct controller *controller, struct queue_pair *queue, const struct load *load,
              struct load_result *result);

/* Writes, reads back and compares with many shapes of transfer, and checks what must be refused: bytes compared. */
uint64_t verify_run(struct controller *controller, struct queue_pair *queue);
enum { VERIFY_DMA_SIZE = 8 << 20 };

#endif
