/*
 * How many instructions a round of a thread's busy loop takes: steps through it one instruction at a time (ptrace(2))
 * and counts how often each was executed. Virtual machines have no hardware counters.
 */
#define _GNU_SOURCE
#include "common.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

enum { LEAST_ROUNDS = 20 };

struct place {
    uint64_t address;
    uint64_t visits;
};

static int by_address(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static int by_visits(const void *left, const void *right)
{
    uint64_t a = ((const struct place *)left)->visits, b = ((const struct place *)right)->visits;
    return (a > b) - (a < b);
}

static void step_through(pid_t thread, uint64_t *addresses, size_t steps)
{
    int status;
    if (ptrace(PTRACE_SEIZE, thread, 0, 0) != 0 || ptrace(PTRACE_INTERRUPT, thread, 0, 0) != 0 ||
        waitpid(thread, &status, __WALL) != thread) {
        fail("cannot trace thread %d: %m", thread);
    }
    int signal_number = 0;
    for (size_t i = 0; i < steps; i++) {
        struct user_regs_struct registers;
        if (ptrace(PTRACE_GETREGS, thread, 0, &registers) != 0 ||
            ptrace(PTRACE_SINGLESTEP, thread, 0, signal_number) != 0 || waitpid(thread, &status, __WALL) != thread ||
            !WIFSTOPPED(status)) {
            fail("thread %d ended after %zu steps", thread, i);
        }
        addresses[i] = registers.rip;
        /* What a JVM sends to itself it must get. */
        signal_number = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
    }
    ptrace(PTRACE_DETACH, thread, 0, 0);
}

/* The number of visits that most steps belong to: that of the code that each round executes once. */
static uint64_t rounds_of(const uint64_t *addresses, size_t steps, struct place *places)
{
    size_t count = 0;
    for (size_t i = 0; i < steps; i++) {
        if (i == 0 || addresses[i] != addresses[i - 1]) {
            places[count++] = (struct place){.address = addresses[i]};
        }
        places[count - 1].visits++;
    }
    qsort(places, count, sizeof *places, by_visits);
    uint64_t rounds = 0, most = 0;
    for (size_t i = 0; i < count;) {
        uint64_t visits = places[i].visits, belong = 0;
        for (; i < count && places[i].visits == visits; i++) {
            belong += visits;
        }
        if (visits >= LEAST_ROUNDS && belong > most) {
            most = belong;
            rounds = visits;
        }
    }
    return rounds;
}

static const char help[] = "instructions --thread TID [--steps N]   instructions that a round of its busy loop takes;\n"
                           "a process that handles signals, as a JVM, may not survive it\n";

int main(int argc, char **argv)
{
    program = "instructions";
    pid_t thread = 0;
    size_t steps = 200000;
    static const struct option options[] = {{"thread", required_argument, NULL, 't'},
                                            {"steps", required_argument, NULL, 's'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 't':
            thread = atoi(optarg);
            break;
        case 's':
            steps = strtoul(optarg, NULL, 10);
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        default:
            return 2;
        }
    }
    if (thread <= 0 || steps < LEAST_ROUNDS) {
        usage_error("%s", "give --thread TID, of a thread that is busy, and some --steps");
    }
    uint64_t *addresses = malloc(steps * sizeof *addresses);
    struct place *places = malloc(steps * sizeof *places);
    if (addresses == NULL || places == NULL) {
        fail("out of memory");
    }
    step_through(thread, addresses, steps);
    qsort(addresses, steps, sizeof *addresses, by_address);
    uint64_t rounds = rounds_of(addresses, steps, places);
    if (rounds == 0) {
        fail("thread %d is in no loop", thread);
    }
    printf("{\"steps\":%zu,\"rounds\":%llu,\"instructionsPerRound\":%.1f}\n", steps, (unsigned long long)rounds,
           (double)steps / (double)rounds);
    return 0;
}
