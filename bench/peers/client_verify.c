/* The client as a conformance test: what is written comes back, and what must be refused is refused. */
#define _GNU_SOURCE
#include "nvme_client.h"

#include "common.h"
#include "connection.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_SIZE = 1 << 20, MAX_PAGES = BUFFER_SIZE / NVME_PAGE + 1 };

struct verification {
    struct controller *controller;
    struct queue_pair *queue;
    uint8_t *buffer; /* one page more than BUFFER_SIZE, so that a transfer may start inside a page */
    uint64_t buffer_iova;
    uint64_t *list;
    uint64_t list_iova;
    uint16_t next_id;
    uint64_t compared;
};

/* The word at a byte offset of the namespace in a given round: splitmix64, so no two are alike. */
static uint64_t pattern(uint64_t round, uint64_t offset)
{
    uint64_t z = (offset / 8 + (round << 48)) * 0x9e3779b97f4a7c15u + 1;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* One transfer from or to buffer + skip. The list starts inside its page when list_skip is not 0: 4.3 allows both. */
static uint16_t transfer(struct verification *v, uint8_t opcode, uint64_t block, uint32_t blocks, uint32_t skip,
                         uint32_t list_skip)
{
    uint64_t start = v->buffer_iova + skip;
    uint64_t end = start + (uint64_t)blocks * v->controller->block_size;
    struct nvme_command command = {.opcode = opcode, .command_id = ++v->next_id, .namespace_id = 1, .prp1 = start,
                                   .cdw10 = (uint32_t)block, .cdw11 = (uint32_t)(block >> 32), .cdw12 = blocks - 1};
    uint64_t second = (start & ~(uint64_t)(NVME_PAGE - 1)) + NVME_PAGE;
    if (end > second + NVME_PAGE) {
        command.prp2 = v->list_iova + list_skip;
        uint64_t *entry = v->list + list_skip / 8;
        for (uint64_t page = second; page < end; page += NVME_PAGE) {
            bool last_in_page = ((uintptr_t)(entry + 1) & (NVME_PAGE - 1)) == 0;
            if (last_in_page && page + NVME_PAGE < end) {
                /* More follow: the last entry of a page points to the next page of the list. */
                *entry = v->list_iova + (uint64_t)((uint8_t *)(entry + 1) - (uint8_t *)v->list);
                entry++;
            }
            *entry++ = page;
        }
    } else if (end > second) {
        command.prp2 = second;
    }
    return queue_execute(v->controller, v->queue, &command, NULL);
}

static void expect(struct verification *v, uint16_t status, uint16_t expected, const char *what)
{
    if ((status & ~NVME_DO_NOT_RETRY & 0x7ff) != expected) {
        fail("%s: verify: %s: status 0x%x, expected 0x%x", v->controller->path, what, status, expected);
    }
}

static void write_and_compare(struct verification *v, uint64_t round, uint64_t block, uint32_t blocks, uint32_t skip,
                              uint32_t list_skip)
{
    uint32_t block_size = v->controller->block_size;
    uint64_t size = (uint64_t)blocks * block_size;
    char what[96];
    snprintf(what, sizeof what, "%u blocks at %llu, PRP offset %u", blocks, (unsigned long long)block, skip);
    for (uint64_t i = 0; i < size; i += 8) {
        uint64_t word = pattern(round, block * block_size + i);
        memcpy(v->buffer + skip + i, &word, 8);
    }
    expect(v, transfer(v, NVME_WRITE, block, blocks, skip, list_skip), NVME_SUCCESS, what);
    /* Guards around the data: a target that writes too much is caught as well. */
    memset(v->buffer, 0xa5, BUFFER_SIZE + NVME_PAGE);
    expect(v, transfer(v, NVME_READ, block, blocks, skip, list_skip), NVME_SUCCESS, what);
    for (uint64_t i = 0; i < size; i += 8) {
        uint64_t word;
        memcpy(&word, v->buffer + skip + i, 8);
        if (word != pattern(round, block * block_size + i)) {
            fail("%s: verify: %s: byte %llu differs: read %016llx, wrote %016llx", v->controller->path, what,
                 (unsigned long long)i, (unsigned long long)word,
                 (unsigned long long)pattern(round, block * block_size + i));
        }
    }
    for (uint64_t i = 0; i < BUFFER_SIZE + NVME_PAGE; i++) {
        if ((i < skip || i >= skip + size) && v->buffer[i] != 0xa5) {
            fail("%s: verify: %s: the read wrote outside its buffer, at byte %lld", v->controller->path, what,
                 (long long)i - skip);
        }
    }
    v->compared += size;
}

/* Writes all of a range first and reads it after, so that a target that mixes up blocks is caught. */
static void far_apart(struct verification *v)
{
    struct controller *controller = v->controller;
    uint32_t blocks = NVME_PAGE / controller->block_size > 0 ? NVME_PAGE / controller->block_size : 1;
    uint64_t size = (uint64_t)blocks * controller->block_size;
    uint64_t places = controller->block_count / blocks;
    uint64_t count = places < 4096 ? places : 4096;
    for (int reading = 0; reading < 2; reading++) {
        for (uint64_t i = 0; i < count; i++) {
            uint64_t block = (uint64_t)((unsigned __int128)i * places / count) * blocks;
            for (uint64_t at = 0; at < size; at += 8) {
                uint64_t word = reading ? 0 : pattern(7, block * controller->block_size + at);
                memcpy(v->buffer + at, &word, 8);
            }
            expect(v, transfer(v, reading ? NVME_READ : NVME_WRITE, block, blocks, 0, 0), NVME_SUCCESS, "far apart");
            for (uint64_t at = 0; reading && at < size; at += 8) {
                uint64_t word;
                memcpy(&word, v->buffer + at, 8);
                if (word != pattern(7, block * controller->block_size + at)) {
                    fail("%s: verify: block %llu holds other data than was written", controller->path,
                         (unsigned long long)(block + at / controller->block_size));
                }
            }
            v->compared += reading ? size : 0;
        }
    }
}

static void refusals(struct verification *v)
{
    struct controller *controller = v->controller;
    expect(v, transfer(v, NVME_READ, controller->block_count, 1, 0, 0), NVME_LBA_OUT_OF_RANGE, "a read past the end");
    expect(v, transfer(v, NVME_WRITE, controller->block_count - 1, 2, 0, 0), NVME_LBA_OUT_OF_RANGE,
           "a write across the end");
    expect(v, transfer(v, NVME_READ, UINT64_MAX, 2, 0, 0), NVME_LBA_OUT_OF_RANGE, "a read that wraps");
    struct nvme_command bad = {.opcode = 0x7f, .command_id = ++v->next_id, .namespace_id = 1};
    expect(v, queue_execute(controller, v->queue, &bad, NULL), NVME_INVALID_OPCODE, "an unknown opcode");
    bad = (struct nvme_command){.opcode = NVME_READ, .command_id = ++v->next_id, .namespace_id = 77,
                                .prp1 = v->buffer_iova};
    expect(v, queue_execute(controller, v->queue, &bad, NULL), NVME_INVALID_NAMESPACE, "an unknown namespace");
    struct nvme_command flush = {.opcode = NVME_FLUSH, .command_id = ++v->next_id, .namespace_id = 1};
    expect(v, queue_execute(controller, v->queue, &flush, NULL), NVME_SUCCESS, "a flush");
}

/* A second pair of queues, small so that it wraps, whose completions raise vector 1: one signal for each command. */
static void interrupts(struct verification *v)
{
    enum { VECTOR = 1, ENTRIES = 5, COMMANDS = 23 };
    struct controller *controller = v->controller;
    struct queue_pair queue;
    int fd = connection_open_vector(controller, VECTOR);
    if (fd < 0) {
        fail("%s: verify: the target has no MSI-X vector %d with an eventfd", controller->path, VECTOR);
    }
    controller_create_io_queues(controller, &queue, 2, ENTRIES, VECTOR);
    for (int i = 0; i < COMMANDS; i++) {
        struct nvme_command flush = {.opcode = NVME_FLUSH, .command_id = ++v->next_id, .namespace_id = 1};
        expect(v, queue_execute(controller, &queue, &flush, NULL), NVME_SUCCESS, "a flush on a second queue");
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        uint64_t count;
        if (poll(&waiting, 1, 1000) != 1 || read(fd, &count, sizeof count) != sizeof count) {
            fail("%s: verify: a completion raised no interrupt", controller->path);
        }
    }
    controller_delete_io_queues(controller, &queue);
    close(fd);
}

uint64_t verify_run(struct controller *controller, struct queue_pair *queue)
{
    struct verification v = {.controller = controller, .queue = queue};
    v.buffer = controller_dma(controller, BUFFER_SIZE + NVME_PAGE, &v.buffer_iova);
    v.list = controller_dma(controller, 4 * NVME_PAGE, &v.list_iova);
    uint64_t limit = controller->max_transfer < BUFFER_SIZE ? controller->max_transfer : BUFFER_SIZE;
    uint32_t block_size = controller->block_size;
    uint64_t round = 0;
    static const uint32_t skips[] = {0, 4, 512, NVME_PAGE - 4};
    for (uint64_t size = block_size; size <= limit && size / block_size <= controller->block_count; size *= 2) {
        uint32_t blocks = (uint32_t)(size / block_size);
        uint64_t places[] = {0, controller->block_count / 3, controller->block_count - blocks};
        for (size_t place = 0; place < 3; place++) {
            uint64_t block = places[place] + blocks > controller->block_count ? 0 : places[place];
            for (size_t skip = 0; skip < 4; skip++) {
                write_and_compare(&v, ++round, block, blocks, skips[skip], 0);
            }
            /* A list of which only two entries fit in its first page: one page and a pointer. */
            write_and_compare(&v, ++round, block, blocks, 0, NVME_PAGE - 16);
        }
    }
    far_apart(&v);
    refusals(&v);
    interrupts(&v);
    return v.compared;
}
