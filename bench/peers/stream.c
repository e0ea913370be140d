/*
 * What a bare ring in C pays to pass a small record from one process to another: slots of 32 bytes with a sequence
 * number, no lengths, no checks, no sleeping. The other side of the `ring` benchmark's case `stream`.
 */
#define _GNU_SOURCE
#include "common.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLOTS = 2048, RECORDS = 4000000, BATCH = 64 };

struct ring {
    struct {
        uint64_t stamp, type, payload, unused;
    } slots[SLOTS] __attribute__((aligned(128)));
    uint64_t head __attribute__((aligned(128)));
};

static uint64_t consume(struct ring *ring)
{
    uint64_t sum = 0;
    for (uint64_t at = 0; at < RECORDS;) {
        uint64_t start = at;
        while (at < RECORDS && at - start < BATCH &&
               __atomic_load_n(&ring->slots[at % SLOTS].stamp, __ATOMIC_ACQUIRE) == at + 1) {
            sum += ring->slots[at++ % SLOTS].payload;
        }
        if (at != start) {
            __atomic_store_n(&ring->head, at, __ATOMIC_RELEASE);
        }
    }
    return sum;
}

static void produce(struct ring *ring)
{
    uint64_t head = 0;
    for (uint64_t at = 0; at < RECORDS; at++) {
        while (at - head >= SLOTS) {
            head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
        }
        ring->slots[at % SLOTS].type = 1;
        ring->slots[at % SLOTS].payload = at;
        __atomic_store_n(&ring->slots[at % SLOTS].stamp, at + 1, __ATOMIC_RELEASE);
    }
    while (__atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) != RECORDS) {
    }
}

int main(int argc, char **argv)
{
    program = "stream";
    if (argc != 1) {
        fputs("stream   nanoseconds a record from a process on CPU 1 to one on CPU 0\n", stderr);
        return strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    struct ring *ring = mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (ring == MAP_FAILED) {
        fail("cannot map a ring: %s", strerror(errno));
    }
    pid_t child = fork();
    if (child < 0) {
        fail("cannot start a process: %s", strerror(errno));
    }
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pin_to_cpu(0);
        _exit(consume(ring) == (uint64_t)RECORDS * (RECORDS - 1) / 2 ? 0 : 1);
    }
    pin_to_cpu(1);
    uint64_t start = monotonic_nanos();
    produce(ring);
    uint64_t nanos = monotonic_nanos() - start;
    int status;
    if (waitpid(child, &status, 0) != child || status != 0) {
        fail("the records are wrong");
    }
    printf("{\"nanosPerRecord\":%.3f}\n", (double)nanos / RECORDS);
    return 0;
}
