#define _GNU_SOURCE
#include "common.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *program = "peer";

static void print_message(const char *format, va_list arguments)
{
    fprintf(stderr, "%s: ", program);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

_Noreturn void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_message(format, arguments);
    va_end(arguments);
    exit(1);
}

_Noreturn void usage_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_message(format, arguments);
    va_end(arguments);
    exit(2);
}

void pin_to_cpu(int cpu)
{
    if (cpu < 0) {
        return;
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu >= CPU_SETSIZE) {
        usage_error("--cpu %d: no such CPU", cpu);
    }
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        fail("cannot pin to CPU %d: %s", cpu, strerror(errno));
    }
}

uint64_t parse_size(const char *option, const char *text)
{
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 0);
    unsigned shift = 0;
    switch (*end) {
    case 'K': case 'k': shift = 10; end++; break;
    case 'M': case 'm': shift = 20; end++; break;
    case 'G': case 'g': shift = 30; end++; break;
    default: break;
    }
    if (end == text || *end != '\0' || text[0] == '-' || errno != 0 || value > (UINT64_MAX >> shift)) {
        usage_error("%s %s: not a size; give bytes, or 4K, 1M, 2G", option, text);
    }
    return value << shift;
}

uint64_t parse_number(const char *option, const char *text, uint64_t lowest, uint64_t highest)
{
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 0);
    if (end == text || *end != '\0' || text[0] == '-' || errno != 0 || value < lowest || value > highest) {
        usage_error("%s %s: give a number from %llu to %llu", option, text, (unsigned long long)lowest,
                    (unsigned long long)highest);
    }
    return value;
}

double parse_seconds(const char *option, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= 0 && value <= 86400)) {
        usage_error("%s %s: give seconds, from 0 to 86400", option, text);
    }
    return value;
}

double calibrate_ticks(void)
{
    uint64_t start_nanos = monotonic_nanos();
    uint64_t start_ticks = ticks();
    uint64_t nanos;
    do {
        nanos = monotonic_nanos() - start_nanos;
    } while (nanos < 20 * 1000 * 1000);
    return (double)(ticks() - start_ticks) / (double)nanos;
}
