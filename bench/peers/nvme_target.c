/* A minimal NVMe controller for any vfio-user client: the rival of `outboard emulate nvme`. */
#define _GNU_SOURCE
#include "target.h"

#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* A look at the socket is a system call of some 100 ns: one in so many rounds costs a queue nothing. */
enum {
    FEWEST_IDLE_ROUNDS_PER_LOOK = 16,
    IDLE_ROUNDS_PER_LOOK = 4096,
    BUSY_ROUNDS_PER_LOOK = 65536,
    IDLE_WAIT_MILLIS = 500,
};

static volatile sig_atomic_t stop;
static const char *socket_path;

static const char help[] =
    "nvme_target --socket PATH [--size S] [--cpu N] [--serial S] [--lba-size 512|4096] [--doorbell-stride BYTES]\n"
    "            [--trap-doorbells]   no page of doorbells to map: each is a message\n"
    "serves one NVMe controller over vfio-user, one client after another, until SIGINT or SIGTERM;\n"
    "it spins while a client has enabled the controller, and sleeps otherwise\n";

static void on_signal(int signal)
{
    (void)signal;
    stop = 1;
}

/* A client that shortens the file behind its DMA memory: we cannot go on, but can say why and leave nothing behind. */
static void on_bus_error(int signal)
{
    (void)signal;
    static const char text[] = "nvme_target: the client took its DMA memory away (SIGBUS)\n";
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    unlink(socket_path);
    _exit(1);
}

static void catch_signals(void)
{
    /* No SA_RESTART: accept and poll return with EINTR and the loops see the flag. */
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = on_bus_error;
    sigaction(SIGBUS, &action, NULL);
}

static void open_memory(struct target *target, uint64_t size)
{
    enum { HUGE_PAGE = 2 << 20 };
    uint8_t *memory = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                           -1, 0);
    if (memory == MAP_FAILED) {
        fail("cannot get %llu bytes for the namespace: %s", (unsigned long long)size, strerror(errno));
    }
    target->storage = (uint8_t *)(((uintptr_t)memory + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
    /* Huge pages where the kernel has some; and all of them now: a page that was never written reads the one page of
     * zeros, which stays in the cache and makes reads look faster than they are. */
    madvise(target->storage, size, MADV_HUGEPAGE);
    if (madvise(target->storage, size, MADV_POPULATE_WRITE) != 0) {
        memset(target->storage, 0, size);
    }
    target->doorbell_fd = memfd_create("nvme-doorbells", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (target->doorbell_fd < 0 || ftruncate(target->doorbell_fd, BAR0_SIZE) != 0) {
        fail("cannot create the doorbells: %s", strerror(errno));
    }
    fcntl(target->doorbell_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    target->doorbells = mmap(NULL, DOORBELL_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, target->doorbell_fd,
                             NVME_DOORBELLS);
    if (target->doorbells == MAP_FAILED) {
        fail("cannot map the doorbells: %s", strerror(errno));
    }
}

static bool readable(int fd, int timeout_millis)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    return poll(&waiting, 1, timeout_millis) > 0;
}

static void serve(struct target *target)
{
    const char *why = NULL;
    uint32_t idle = 0, busy = 0, idle_limit = IDLE_ROUNDS_PER_LOOK;
    while (!stop) {
        if (target->running) {
            if (target_poll(target)) {
                idle = 0;
                if (++busy < BUSY_ROUNDS_PER_LOOK) {
                    continue;
                }
            } else if (++idle < idle_limit) {
                spin_hint();
                continue;
            }
            idle = busy = 0;
            idle_limit = idle_limit * 2 < IDLE_ROUNDS_PER_LOOK ? idle_limit * 2 : IDLE_ROUNDS_PER_LOOK;
        }
        /* All that is there is served. Without a running controller there is nothing else to do than to wait. */
        while (!stop && readable(target->socket, target->running ? 0 : IDLE_WAIT_MILLIS)) {
            if (!target_serve_message(target, &why)) {
                if (why != NULL) {
                    fprintf(stderr, "nvme_target: let a client go: %s\n", why);
                }
                return;
            }
            /* One message is a sign of more: a client that has not mapped the doorbells sends two for each command. */
            idle_limit = FEWEST_IDLE_ROUNDS_PER_LOOK;
        }
    }
}

static void forget_client(struct target *target)
{
    target_reset(target);
    target_init_config(target);
    target_unmap_all(target);
    memset(&target->registers, 0, sizeof target->registers);
    for (int vector = 0; vector < TARGET_VECTORS; vector++) {
        if (target->vectors[vector] >= 0) {
            close(target->vectors[vector]);
        }
        target->vectors[vector] = -1;
        target->vector_masked[vector] = target->vector_pending[vector] = false;
    }
    close(target->socket);
}

int main(int argc, char **argv)
{
    program = "nvme_target";
    static struct target target;
    uint64_t size = 1ull << 30, lba_size = 512, stride = 64;
    int cpu = -1;
    strcpy(target.serial, "OUTBOARD0001");
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},   {"size", required_argument, NULL, 'z'},
        {"cpu", required_argument, NULL, 'c'},      {"serial", required_argument, NULL, 'n'},
        {"lba-size", required_argument, NULL, 'l'}, {"doorbell-stride", required_argument, NULL, 'd'},
        {"trap-doorbells", no_argument, NULL, 't'}, {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 's': socket_path = optarg; break;
        case 'z': size = parse_size("--size", optarg); break;
        case 'c': cpu = (int)parse_number("--cpu", optarg, 0, 1023); break;
        case 'n': snprintf(target.serial, sizeof target.serial, "%s", optarg); break;
        case 'l': lba_size = parse_size("--lba-size", optarg); break;
        case 'd': stride = parse_size("--doorbell-stride", optarg); break;
        case 't': target.trap_doorbells = true; break;
        case 'h': fputs(help, stdout); return 0;
        default: fputs(help, stderr); return 2;
        }
    }
    if (socket_path == NULL || optind != argc) {
        fputs(help, stderr);
        return 2;
    }
    if ((lba_size != 512 && lba_size != 4096) || size < (1 << 20) || size % lba_size != 0 || size > 1ull << 46) {
        usage_error("--size %llu, --lba-size %llu: give at least 1M, in blocks of 512 or 4096",
                    (unsigned long long)size, (unsigned long long)lba_size);
    }
    if (stride < 4 || stride > 1024 || (stride & (stride - 1)) != 0) {
        usage_error("--doorbell-stride %llu: give a power of two from 4 to 1024", (unsigned long long)stride);
    }
    target.block_shift = (uint32_t)__builtin_ctzll(lba_size);
    target.blocks = size >> target.block_shift;
    /* A stride of a cache line keeps what the client polls away from what we poll; 3.1.1 has it for this very use. */
    target.cap = (TARGET_QUEUE_ENTRIES - 1) | NVME_CAP_CQR | 10ull << NVME_CAP_TO_SHIFT |
                 (uint64_t)(__builtin_ctzll(stride) - 2) << NVME_CAP_DSTRD_SHIFT | NVME_CAP_CSS_NVM;
    target.last_region = &target.regions[0];
    for (int vector = 0; vector < TARGET_VECTORS; vector++) {
        target.vectors[vector] = -1;
    }
    pin_to_cpu(cpu);
    catch_signals();
    open_memory(&target, size);
    target_init_config(&target);
    int listener = vfio_user_listen(socket_path);
    if (listener < 0) {
        fail("%s: cannot listen: %s%s", socket_path, strerror(errno),
             errno == EADDRINUSE ? "; if no target runs there, remove the file" : "");
    }
    fprintf(stderr, "nvme_target: serving %llu bytes at %s\n", (unsigned long long)size, socket_path);
    while (!stop) {
        target.socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (target.socket < 0) {
            if (errno == EINTR || errno == ECONNABORTED) {
                continue;
            }
            unlink(socket_path);
            fail("%s: cannot accept: %s", socket_path, strerror(errno));
        }
        serve(&target);
        forget_client(&target);
    }
    unlink(socket_path);
    return 0;
}
