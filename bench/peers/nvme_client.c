/* A poll-mode NVMe driver over a vfio-user socket: the rival of `outboard nvme bench`. */
#define _GNU_SOURCE
#include "nvme_client.h"

#include "common.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const operation_names[] = {"randread", "randwrite", "read", "write", "randrw"};
enum { DEFAULT_QUEUE_ENTRIES = 256, MAX_QUEUE_DEPTH = 2048, MAX_BLOCK = 2 << 20 };

static const char help[] =
    "nvme_client --socket PATH [--op randread|randwrite|read|write|randrw] [--block-size S] [--queue-depth N]\n"
    "            [--seconds S] [--warmup S] [--cpu N]    load; one JSON object; randrw reads 70 %\n"
    "nvme_client --socket PATH --verify                  write, read back, compare: DESTROYS the data\n"
    "nvme_client --socket PATH --identify                the controller and namespace 1 as JSON\n";

static enum operation parse_operation(const char *text)
{
    for (int i = 0; i < 5; i++) {
        if (strcmp(text, operation_names[i]) == 0) {
            return (enum operation)i;
        }
    }
    usage_error("--op %s: give randread, randwrite, read, write or randrw", text);
}

static uint32_t parse_block_size(const char *text)
{
    uint64_t size = parse_size("--block-size", text);
    if (size == 0 || size > MAX_BLOCK) {
        usage_error("--block-size %s: from one logical block to 2M", text);
    }
    return (uint32_t)size;
}

/* A power of two above the depth, 256 as SPDK's driver has by default, within what the controller can. */
static uint32_t queue_entries(const struct controller *controller, uint32_t depth)
{
    uint32_t entries = DEFAULT_QUEUE_ENTRIES;
    while (entries < depth + 1) {
        entries *= 2;
    }
    if (entries > controller->queue_entries_limit) {
        entries = controller->queue_entries_limit;
    }
    if (entries < depth + 1) {
        fail("%s: --queue-depth %u: the controller's queues hold %u", controller->path, depth, entries - 1);
    }
    return entries;
}

static void print_json_string(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            printf("\\%c", c);
        } else if (c < ' ') {
            printf("\\u%04x", c);
        } else {
            putchar(c);
        }
    }
    putchar('"');
}

static void print_device(const struct controller *controller)
{
    char name[4200];
    snprintf(name, sizeof name, "vfio-user:%s", controller->path);
    printf("{\"device\":");
    print_json_string(name);
}

static void print_load(const struct controller *controller, const struct load *load, const struct load_result *result)
{
    const struct histogram *latency = &result->latency;
    double iops = (double)latency->count / result->seconds;
    double ticks_per_micro = result->ticks_per_nano * 1000;
    print_device(controller);
    printf(",\"op\":\"%s\",\"blockSize\":%u,\"queueDepth\":%u,\"seconds\":%.3f,\"iops\":%.0f,\"mibPerSecond\":%.1f",
           operation_names[load->operation], load->block_size, load->queue_depth, result->seconds, iops,
           iops * load->block_size / (1 << 20));
    printf(",\"latencyMicros\":{\"mean\":%.3f,\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"p9999\":%.3f,\"max\":%.3f}",
           (double)latency->sum / (double)latency->count / ticks_per_micro,
           (double)histogram_quantile(latency, 0.5) / ticks_per_micro,
           (double)histogram_quantile(latency, 0.99) / ticks_per_micro,
           (double)histogram_quantile(latency, 0.999) / ticks_per_micro,
           (double)histogram_quantile(latency, 0.9999) / ticks_per_micro, (double)latency->max / ticks_per_micro);
    printf(",\"errors\":%llu}\n", (unsigned long long)result->errors);
}

static void print_identity(const struct controller *controller)
{
    print_device(controller);
    printf(",\"model\":\"%s\",\"serial\":\"%s\",\"firmware\":\"%s\",\"version\":\"%u.%u.%u\"", controller->model,
           controller->serial, controller->firmware, controller->version >> 16, controller->version >> 8 & 0xff,
           controller->version & 0xff);
    printf(",\"namespaces\":%u,\"nsze\":%llu,\"blockSize\":%u,\"maxTransferBytes\":%llu,\"maxQueueEntries\":%u"
           ",\"doorbellStrideBytes\":%u,\"doorbellsMapped\":%s}\n",
           controller->namespace_count, (unsigned long long)controller->block_count, controller->block_size,
           (unsigned long long)controller->max_transfer, controller->queue_entries_limit,
           4u << NVME_CAP_DSTRD(controller->cap), controller->admin.sq_doorbell != NULL ? "true" : "false");
}

static void check_load(const struct controller *controller, const struct load *load)
{
    if (load->block_size == 0 || load->block_size % controller->block_size != 0 ||
        load->block_size > controller->max_transfer || load->block_size / controller->block_size > 65536 ||
        controller->block_count < load->block_size / controller->block_size) {
        fail("%s: --block-size %u: the namespace has %llu blocks of %u bytes, and at most %llu bytes go at once",
             controller->path, load->block_size, (unsigned long long)controller->block_count,
             controller->block_size, (unsigned long long)controller->max_transfer);
    }
}

int main(int argc, char **argv)
{
    program = "nvme_client";
    const char *path = NULL;
    bool verify = false, identify = false;
    int cpu = -1;
    struct load load = {.operation = OP_RANDREAD, .block_size = 4096, .queue_depth = 1, .seconds = 5, .warmup = 2};
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},      {"op", required_argument, NULL, 'o'},
        {"block-size", required_argument, NULL, 'b'},  {"queue-depth", required_argument, NULL, 'q'},
        {"seconds", required_argument, NULL, 't'},     {"warmup", required_argument, NULL, 'w'},
        {"cpu", required_argument, NULL, 'c'},         {"verify", no_argument, NULL, 'v'},
        {"identify", no_argument, NULL, 'i'},          {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 's': path = optarg; break;
        case 'o': load.operation = parse_operation(optarg); break;
        case 'b': load.block_size = parse_block_size(optarg); break;
        case 'q': load.queue_depth = (uint32_t)parse_number("--queue-depth", optarg, 1, MAX_QUEUE_DEPTH); break;
        case 't': load.seconds = parse_seconds("--seconds", optarg); break;
        case 'w': load.warmup = parse_seconds("--warmup", optarg); break;
        case 'c': cpu = (int)parse_number("--cpu", optarg, 0, 1023); break;
        case 'v': verify = true; break;
        case 'i': identify = true; break;
        case 'h': fputs(help, stdout); return 0;
        default: fputs(help, stderr); return 2;
        }
    }
    if (path == NULL || optind != argc || (verify && identify)) {
        fputs(help, stderr);
        return 2;
    }
    pin_to_cpu(cpu);

    struct controller controller;
    struct queue_pair queue;
    controller_open(&controller, path, verify || identify ? VERIFY_DMA_SIZE : load_dma_size(&load));
    if (identify) {
        print_identity(&controller);
        controller_close(&controller);
        return 0;
    }
    if (verify) {
        controller_create_io_queues(&controller, &queue, 1, queue_entries(&controller, 1), NO_VECTOR);
        uint64_t bytes = verify_run(&controller, &queue);
        print_device(&controller);
        printf(",\"verify\":\"ok\",\"bytes\":%llu}\n", (unsigned long long)bytes);
        controller_delete_io_queues(&controller, &queue);
        controller_close(&controller);
        return 0;
    }
    check_load(&controller, &load);
    controller_create_io_queues(&controller, &queue, 1, queue_entries(&controller, load.queue_depth), NO_VECTOR);
    static struct load_result result;
    load_run(&controller, &queue, &load, &result);
    print_load(&controller, &load, &result);
    if (result.errors != 0) {
        fprintf(stderr, "nvme_client: %llu commands failed, the first with status 0x%x\n",
                (unsigned long long)result.errors, result.first_error);
    }
    controller_delete_io_queues(&controller, &queue);
    controller_close(&controller);
    return result.errors == 0 ? 0 : 1;
}
