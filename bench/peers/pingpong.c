/*
 * How far apart two cores are just now: the round trip of a cache line between two pollers. A virtual machine's host
 * moves its cores, and every figure about two processes that poll one another moves with this one.
 */
#define _GNU_SOURCE
#include "common.h"

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 25, ROUND_TRIPS = 20000, ROUNDS_BETWEEN_CHECKS = 1024 };
static const uint64_t BUDGET_NANOS = 700000000u;

/* Two lines, one for each direction, as a doorbell and a completion are; 128 bytes apart for paired prefetchers. */
static struct {
    uint64_t ping __attribute__((aligned(128)));
    uint64_t pong __attribute__((aligned(128)));
    uint64_t stop __attribute__((aligned(128)));
} lines;

static void *echo(void *argument)
{
    pin_to_cpu(*(int *)argument);
    for (uint64_t expected = 1;; expected++) {
        uint32_t spins = 0;
        while (__atomic_load_n(&lines.ping, __ATOMIC_ACQUIRE) != expected) {
            if (++spins % ROUNDS_BETWEEN_CHECKS == 0 && __atomic_load_n(&lines.stop, __ATOMIC_ACQUIRE)) {
                return NULL;
            }
        }
        __atomic_store_n(&lines.pong, expected, __ATOMIC_RELEASE);
    }
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static const char help[] = "pingpong [--cpus A,B]   the round trip of a cache line between CPUs A and B (0,1), in < 1 s\n";

int main(int argc, char **argv)
{
    program = "pingpong";
    int a = 0, b = 1;
    static const struct option options[] = {{"cpus", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'c': {
            char *comma = strchr(optarg, ',');
            if (comma == NULL) {
                usage_error("--cpus %s: give two, as 0,1", optarg);
            }
            *comma = '\0';
            a = (int)parse_number("--cpus", optarg, 0, 1023);
            b = (int)parse_number("--cpus", comma + 1, 0, 1023);
            break;
        }
        case 'h': fputs(help, stdout); return 0;
        default: fputs(help, stderr); return 2;
        }
    }
    if (optind != argc || a == b) {
        fputs(help, stderr);
        return 2;
    }
    pin_to_cpu(a);
    uint64_t start = monotonic_nanos();
    pthread_t thread;
    if (pthread_create(&thread, NULL, echo, &b) != 0) {
        fail("cannot start a thread");
    }
    double nanos[RUNS];
    int runs = 0;
    uint64_t sequence = 0;
    /* Runs of some 2 ms: most fit between two interruptions, so the median tells of the cores and not of the others. */
    for (bool in_time = true; runs < RUNS && in_time;) {
        uint64_t run_start = monotonic_nanos();
        uint32_t trips = 0;
        while (trips < ROUND_TRIPS && in_time) {
            __atomic_store_n(&lines.ping, ++sequence, __ATOMIC_RELEASE);
            uint32_t spins = 0;
            while (__atomic_load_n(&lines.pong, __ATOMIC_ACQUIRE) != sequence && in_time) {
                if (++spins % (1 << 16) == 0) {
                    in_time = monotonic_nanos() - start < BUDGET_NANOS;
                }
            }
            if (++trips % ROUNDS_BETWEEN_CHECKS == 0) {
                in_time = in_time && monotonic_nanos() - start < BUDGET_NANOS;
            }
        }
        /* A run that the deadline cut short counts only when there is no better. */
        if (trips == ROUND_TRIPS || (runs == 0 && trips > 1)) {
            nanos[runs++] = (double)(monotonic_nanos() - run_start) / trips;
        }
    }
    if (runs == 0) {
        fail("CPU %d does not answer; is something else spinning there?", b);
    }
    __atomic_store_n(&lines.stop, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    qsort(nanos, (size_t)runs, sizeof nanos[0], compare);
    printf("{\"pingPongNanos\":%.1f,\"median\":%.1f,\"runs\":%d,\"cpus\":[%d,%d]}\n", nanos[0], nanos[runs / 2], runs,
           a, b);
    return 0;
}
