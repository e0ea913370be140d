/*
 * The load loop: what SPDK does and our Java driver must rival. One queue pair, no system call, no lock; one submission
 * and one completion doorbell per burst; the 64 bytes of a command are copied from a template that fits in the L1 cache.
 */
#define _GNU_SOURCE
#include "nvme_client.h"

#include "common.h"

#include <stdlib.h>
#include <string.h>

enum { SPINS_BETWEEN_CHECKS = 1 << 20 };

struct slot {
    struct nvme_command template;
    uint64_t submitted; /* ticks; 0 when the identifier is not in flight */
};

struct run {
    struct controller *controller;
    struct queue_pair *queue;
    const struct load *load;
    struct slot *slots;
    uint64_t transfers; /* how many transfers of this size the namespace holds */
    uint32_t blocks;    /* logical blocks of one */
    uint64_t next;      /* the next sequential one */
    uint64_t random;
};

uint64_t load_dma_size(const struct load *load)
{
    /* Data and a page of PRPs for each command; queues of at most 4096 entries of 64 + 16 bytes; identify data. */
    return (uint64_t)load->queue_depth * (load->block_size + 2 * NVME_PAGE) + (1 << 20);
}

/* PRPs, 4.3: the second entry is a page, or a list when there are more. A list of 512 is all that we need: 2 MiB. */
static void prepare_slot(struct run *run, uint16_t id)
{
    struct nvme_command *template = &run->slots[id].template;
    uint64_t data;
    uint32_t size = run->load->block_size;
    uint64_t *words = controller_dma(run->controller, size, &data);
    for (uint32_t i = 0; i < size / 8; i++) {
        words[i] = (uint64_t)id << 32 | i;
    }
    *template = (struct nvme_command){.opcode = NVME_READ, .command_id = id, .namespace_id = 1, .prp1 = data,
                                      .cdw12 = run->blocks - 1};
    uint32_t pages = (size + NVME_PAGE - 1) / NVME_PAGE;
    if (pages == 2) {
        template->prp2 = data + NVME_PAGE;
    } else if (pages > 2) {
        uint64_t *list = controller_dma(run->controller, NVME_PAGE, &template->prp2);
        for (uint32_t page = 1; page < pages; page++) {
            list[page - 1] = data + (uint64_t)page * NVME_PAGE;
        }
    }
}

/* xorshift64*: good enough to choose blocks, a nanosecond each. */
static inline uint64_t next_random(struct run *run)
{
    uint64_t x = run->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    run->random = x;
    return x * 0x2545f4914f6cdd1du;
}

static inline void submit(struct run *run, uint16_t id, uint64_t now)
{
    struct queue_pair *queue = run->queue;
    struct slot *slot = &run->slots[id];
    enum operation operation = run->load->operation;
    uint64_t transfer;
    if (operation == OP_READ || operation == OP_WRITE) {
        transfer = run->next;
        run->next = transfer + 1 == run->transfers ? 0 : transfer + 1;
    } else {
        uint64_t random = next_random(run);
        transfer = (uint64_t)((unsigned __int128)random * run->transfers >> 64);
        if (operation == OP_RANDRW) {
            /* The low bits choose the kind, the high ones the place: 70 % of 1024 are reads. */
            slot->template.opcode = (random & 1023) < 717 ? NVME_READ : NVME_WRITE;
        }
    }
    uint64_t block = transfer * run->blocks;
    slot->template.cdw10 = (uint32_t)block;
    slot->template.cdw11 = (uint32_t)(block >> 32);
    slot->submitted = now;
    queue->sq[queue->sq_tail] = slot->template;
    queue->sq_tail = queue->sq_tail + 1 == queue->sq_entries ? 0 : queue->sq_tail + 1;
}

static inline uint16_t check_id(const struct run *run, uint64_t tail)
{
    uint16_t id = (uint16_t)(tail >> 32);
    if (id >= run->load->queue_depth || run->slots[id].submitted == 0) {
        fail("%s: a completion with an unknown command id, %u", run->controller->path, id);
    }
    return id;
}

/*
 * Completes and submits again until the given tick; returns the tick at which it stopped. A command's time starts at
 * the tick that completed its predecessor: building it, and waiting for the burst's doorbell, count as latency.
 */
static uint64_t run_until(struct run *run, uint64_t end, struct load_result *result)
{
    struct queue_pair *queue = run->queue;
    uint64_t now;
    do {
        uint64_t tail;
        uint32_t spins = 0;
        uint64_t idle_since = 0;
        while (!queue_take(queue, &tail)) {
            spin_hint();
            if (++spins == SPINS_BETWEEN_CHECKS) {
                spins = 0;
                uint64_t nanos = monotonic_nanos();
                idle_since = idle_since == 0 ? nanos : idle_since;
                controller_check_alive(run->controller, nanos - idle_since);
            }
        }
        do {
            uint16_t id = check_id(run, tail);
            now = ticks();
            histogram_record(&result->latency, now - run->slots[id].submitted);
            uint16_t status = completion_status(tail);
            if (__builtin_expect(status != NVME_SUCCESS, 0)) {
                result->first_error = result->errors++ == 0 ? status : result->first_error;
            }
            submit(run, id, now);
        } while (queue_take(queue, &tail));
        queue_ring_submission(run->controller, queue);
        queue_ring_completion(run->controller, queue);
    } while (now < end);
    return now;
}

/* Nothing is left in flight: the target writes into our memory until then. */
static void drain(struct run *run)
{
    uint64_t start = monotonic_nanos();
    uint32_t spins = 0;
    for (uint32_t left = run->load->queue_depth; left > 0;) {
        uint64_t tail;
        if (queue_take(run->queue, &tail)) {
            run->slots[check_id(run, tail)].submitted = 0;
            left--;
        } else if (++spins % SPINS_BETWEEN_CHECKS == 0) {
            controller_check_alive(run->controller, monotonic_nanos() - start);
        }
    }
    queue_ring_completion(run->controller, run->queue);
}

void load_run(struct controller *controller, struct queue_pair *queue, const struct load *load,
              struct load_result *result)
{
    struct run run = {.controller = controller, .queue = queue, .load = load,
                      .transfers = controller->block_count * controller->block_size / load->block_size,
                      .blocks = load->block_size / controller->block_size, .random = ticks() | 1};
    run.slots = aligned_alloc(64, sizeof *run.slots * load->queue_depth);
    if (run.slots == NULL) {
        fail("out of memory");
    }
    for (uint32_t id = 0; id < load->queue_depth; id++) {
        prepare_slot(&run, (uint16_t)id);
        if (load->operation == OP_WRITE || load->operation == OP_RANDWRITE) {
            run.slots[id].template.opcode = NVME_WRITE;
        }
    }
    double ticks_per_nano = calibrate_ticks();
    histogram_clear(&result->latency);
    result->errors = 0;
    uint64_t start = ticks();
    for (uint32_t id = 0; id < load->queue_depth; id++) {
        submit(&run, (uint16_t)id, start);
    }
    queue_ring_submission(controller, queue);
    start = run_until(&run, start + (uint64_t)(load->warmup * 1e9 * ticks_per_nano), result);

    histogram_clear(&result->latency);
    result->errors = 0;
    uint64_t start_nanos = monotonic_nanos();
    uint64_t end = run_until(&run, start + (uint64_t)(load->seconds * 1e9 * ticks_per_nano), result);
    uint64_t nanos = monotonic_nanos() - start_nanos;
    result->seconds = (double)nanos / 1e9;
    result->ticks_per_nano = (double)(end - start) / (double)nanos;
    drain(&run);
    free(run.slots);
}
