/* What every peer needs: one way to fail, to pin, to read a size and to tell the time. */
#ifndef PEERS_COMMON_H
#define PEERS_COMMON_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/* Set by main; the prefix of every message. */
extern const char *program;

/* One line on stderr, then exit: status 1 for a failure, 2 for wrong usage. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Pins the calling thread; a negative number leaves it where it is. */
void pin_to_cpu(int cpu);

/* Decimal or 0x…, with K, M, G: powers of 1024. Wrong text is a usage error that names the option. */
uint64_t parse_size(const char *option, const char *text);
uint64_t parse_number(const char *option, const char *text, uint64_t lowest, uint64_t highest);
double parse_seconds(const char *option, const char *text);

static inline uint64_t monotonic_nanos(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A counter that costs a few nanoseconds to read: its unit is found by calibrate_ticks. */
static inline uint64_t ticks(void)
{
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    uint64_t value;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
#else
    return monotonic_nanos();
#endif
}

/* Ticks in a nanosecond, measured over 20 ms. */
double calibrate_ticks(void);

/* Told to a core that spins, so that the loop leaves it at once (x86: PAUSE). */
static inline void spin_hint(void)
{
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
