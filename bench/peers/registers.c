/*
 * What C pays for a volatile access: the other side of the `registers` benchmark. Cached memory stands for the device,
 * so that the cost of the code shows and not that of a bus.
 */
#define _GNU_SOURCE
#include "common.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, OFFSET = 64, ACCESSES = 1 << 26 };

/* Each loop is one access, an add and a branch; noinline keeps it findable in the disassembly (make disassembly). */
#define READ_LOOP(name, type)                                          \
    __attribute__((noinline)) static void name(volatile void *address) \
    {                                                                  \
        volatile type *reg = address;                                  \
        for (uint32_t i = ACCESSES; i != 0; i--) {                     \
            (void)*reg;                                                \
        }                                                              \
    }
#define WRITE_LOOP(name, type)                                         \
    __attribute__((noinline)) static void name(volatile void *address) \
    {                                                                  \
        volatile type *reg = address;                                  \
        for (uint32_t i = ACCESSES; i != 0; i--) {                     \
            *reg = i;                                                  \
        }                                                              \
    }

READ_LOOP(read32, uint32_t)
READ_LOOP(read64, uint64_t)
WRITE_LOOP(write32, uint32_t)
WRITE_LOOP(write64, uint64_t)

static const struct {
    const char *name;
    void (*run)(volatile void *address);
} cases[] = {{"read32", read32}, {"write32", write32}, {"read64", read64}, {"write64", write64}};
enum { CASES = sizeof cases / sizeof cases[0] };

static void run_case(size_t index, volatile void *address)
{
    uint64_t start = monotonic_nanos();
    cases[index].run(address);
    uint64_t nanos = monotonic_nanos() - start;
    printf("{\"case\":\"%s\",\"nanosPerAccess\":%.4f}\n", cases[index].name, (double)nanos / ACCESSES);
    fflush(stdout);
}

static const char help[] =
    "registers [--cpu N]             one round for each line on stdin: read32, write32, read64 or write64\n"
    "registers [--cpu N] --rounds R  R rounds of all four\n";

int main(int argc, char **argv)
{
    program = "registers";
    int cpu = -1;
    uint64_t rounds = 0;
    static const struct option options[] = {{"cpu", required_argument, NULL, 'c'},
                                            {"rounds", required_argument, NULL, 'r'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'c': cpu = (int)parse_number("--cpu", optarg, 0, 1023); break;
        case 'r': rounds = parse_number("--rounds", optarg, 1, 1000000); break;
        case 'h': fputs(help, stdout); return 0;
        default: fputs(help, stderr); return 2;
        }
    }
    if (optind != argc) {
        fputs(help, stderr);
        return 2;
    }
    pin_to_cpu(cpu);
    uint8_t *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED || mlock(memory, PAGE) != 0) {
        fail("cannot lock a page: %s", strerror(errno));
    }
    for (uint64_t round = 0; round < rounds; round++) {
        for (size_t index = 0; index < CASES; index++) {
            run_case(index, memory + OFFSET);
        }
    }
    char line[64];
    while (rounds == 0 && fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        size_t index = 0;
        while (index < CASES && strcmp(line, cases[index].name) != 0) {
            index++;
        }
        if (index == CASES) {
            fail("%s: no such case; give read32, write32, read64 or write64", line);
        }
        run_case(index, memory + OFFSET);
    }
    return 0;
}
