/* A log-linear histogram: 128 buckets to each power of two, so a percentile is exact to 0.8 %. */
#ifndef PEERS_HISTOGRAM_H
#define PEERS_HISTOGRAM_H

#include <stdint.h>
#include <string.h>

enum {
    HISTOGRAM_BITS = 7,
    HISTOGRAM_LINEAR = 1 << HISTOGRAM_BITS,
    HISTOGRAM_BUCKETS = (64 - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS,
};

struct histogram {
    uint64_t count;
    uint64_t sum;
    uint64_t max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

static inline void histogram_clear(struct histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
}

static inline void histogram_record(struct histogram *histogram, uint64_t value)
{
    /* Below 2 * LINEAR the shift is 0 and every value has its own bucket. */
    unsigned shift = 63u - HISTOGRAM_BITS - (unsigned)__builtin_clzll(value | HISTOGRAM_LINEAR);
    histogram->buckets[((uint64_t)shift << HISTOGRAM_BITS) + (value >> shift)]++;
    histogram->count++;
    histogram->sum += value;
    if (value > histogram->max) {
        histogram->max = value;
    }
}

/* The highest value that the bucket of this quantile holds, never more than the maximum. */
static inline uint64_t histogram_quantile(const struct histogram *histogram, double quantile)
{
    uint64_t wanted = (uint64_t)((double)histogram->count * quantile + 0.5);
    uint64_t seen = 0;
    for (uint64_t index = 0; index < HISTOGRAM_BUCKETS; index++) {
        seen += histogram->buckets[index];
        if (seen >= wanted && histogram->buckets[index] != 0) {
            unsigned shift = index < 2 * HISTOGRAM_LINEAR ? 0 : (unsigned)(index >> HISTOGRAM_BITS) - 1;
            uint64_t highest = ((index - ((uint64_t)shift << HISTOGRAM_BITS) + 1) << shift) - 1;
            return highest < histogram->max ? highest : histogram->max;
        }
    }
    return histogram->max;
}

#endif
