/* The hot path: doorbells, commands, completions. What is read from the client's memory is copied once, then checked. */
#define _GNU_SOURCE
#include "target.h"

#include <unistd.h>

/*
 * So many commands are done before their completions are stored, all at once: four completions share a cache line,
 * and each store to a line that the client polls costs both sides a trip between the cores.
 */
enum { BATCH = 4 };

void target_raise(struct target *target, uint16_t vector)
{
    if (target->vectors[vector] < 0) {
        return;
    }
    if (target->vector_masked[vector]) {
        target->vector_pending[vector] = true;
        return;
    }
    uint64_t one = 1;
    /* An eventfd that is full has been signalled: nothing is lost. */
    (void)!write(target->vectors[vector], &one, sizeof one);
}

static uint32_t free_completions(struct completion_queue *cq, uint32_t wanted)
{
    uint32_t used = cq->tail >= cq->head ? cq->tail - cq->head : cq->tail + cq->size - cq->head;
    if (__builtin_expect(cq->size - 1 - used < wanted, 0)) {
        uint32_t head = __atomic_load_n(cq->doorbell, __ATOMIC_ACQUIRE);
        if (head < cq->size) {
            cq->head = head;
            used = cq->tail >= head ? cq->tail - head : cq->tail + cq->size - head;
        }
    }
    return cq->size - 1 - used;
}

static inline uint64_t first_block(const struct nvme_command *command)
{
    return (uint64_t)command->cdw11 << 32 | command->cdw10;
}

static uint16_t input_output(struct target *target, const struct nvme_command *command)
{
    if (command->opcode > NVME_READ) {
        return NVME_INVALID_OPCODE;
    }
    if (command->namespace_id != 1 && !(command->opcode == NVME_FLUSH && command->namespace_id == UINT32_MAX)) {
        return NVME_INVALID_NAMESPACE;
    }
    if (command->opcode == NVME_FLUSH) {
        return NVME_SUCCESS;
    }
    uint64_t block = first_block(command);
    uint32_t blocks = (command->cdw12 & 0xffff) + 1;
    if (block >= target->blocks || blocks > target->blocks - block) {
        return NVME_LBA_OUT_OF_RANGE;
    }
    uint64_t size = (uint64_t)blocks << target->block_shift;
    if (size > (uint64_t)NVME_PAGE << TARGET_MDTS) {
        return NVME_INVALID_FIELD;
    }
    return target_transfer(target, command, target->storage + (block << target->block_shift), size,
                           command->opcode == NVME_READ);
}

/* The first lines of a later command's data come from memory while an earlier one is copied. */
static inline void prefetch_data(const struct target *target, const struct nvme_command *command)
{
    uint64_t block = first_block(command);
    if (block < target->blocks) {
        const uint8_t *data = target->storage + (block << target->block_shift);
        for (int line = 0; line < 8; line++) {
            __builtin_prefetch(data + 64 * line);
        }
    }
}

static bool poll_queue(struct target *target, struct submission_queue *sq)
{
    uint32_t tail = __atomic_load_n(sq->doorbell, __ATOMIC_ACQUIRE);
    if (tail == sq->head || tail >= sq->size) {
        return false;
    }
    struct completion_queue *cq = sq->completions;
    uint32_t count = tail > sq->head ? tail - sq->head : tail + sq->size - sq->head;
    /* Half of what waits: the client answers the first half while we do the second, and neither stands still. */
    count = (count + 1) / 2 < BATCH ? (count + 1) / 2 : BATCH;
    uint32_t room = free_completions(cq, count);
    count = count < room ? count : room;

    struct nvme_command commands[BATCH];
    struct nvme_completion completions[BATCH];
    uint32_t head = sq->head;
    for (uint32_t i = 0; i < count; i++) {
        commands[i] = sq->entries[head];
        if (sq->id != 0) {
            prefetch_data(target, &commands[i]);
        }
        head = head + 1 == sq->size ? 0 : head + 1;
        completions[i] = (struct nvme_completion){.sq_head = (uint16_t)head, .sq_id = sq->id,
                                                  .command_id = commands[i].command_id};
    }
    sq->head = head;
    uint32_t completed = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t result = 0;
        uint16_t status = sq->id != 0 ? input_output(target, &commands[i]) : target_admin(target, &commands[i], &result);
        if (status == TARGET_HOLD) {
            continue;
        }
        completions[completed] = completions[i];
        completions[completed].result = result;
        completions[completed++].status = (uint16_t)(status << 1);
    }
    for (uint32_t i = 0; i < completed; i++) {
        struct nvme_completion *entry = &cq->entries[cq->tail];
        entry->result = completions[i].result;
        entry->reserved = 0;
        completions[i].status |= cq->phase;
        /* The half with the phase bit comes last, and in one piece. */
        __atomic_store_n(&entry->tail, completions[i].tail, __ATOMIC_RELEASE);
        if (++cq->tail == cq->size) {
            cq->tail = 0;
            cq->phase ^= 1;
        }
    }
    if (cq->interrupts && completed > 0) {
        target_raise(target, cq->vector);
    }
    return count > 0;
}

bool target_poll(struct target *target)
{
    bool worked = false;
    for (uint32_t i = 0; i < target->active_count; i++) {
        worked |= poll_queue(target, &target->sq[target->active[i]]);
    }
    return worked;
}
