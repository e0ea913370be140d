/* The vfio-user half of the client: negotiation, BAR 0, configuration space, DMA memory. */
#define _GNU_SOURCE
#include "connection.h"

#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REPLY_TIMEOUT_MILLIS = 5000, HUGE_PAGE = 2 << 20 };

/* Sends the payload, and leaves the reply in message. */
static void request(struct controller *controller, struct vfio_user_message *message, enum vfio_user_command command,
                    size_t payload_size, const char *what)
{
    uint16_t id = ++controller->next_message_id;
    message->header = (struct vfio_user_header){
        .id = id, .command = (uint16_t)command, .size = (uint32_t)(sizeof message->header + payload_size)};
    int error = vfio_user_send(controller->socket, message);
    if (error == 0) {
        error = vfio_user_receive(controller->socket, message, REPLY_TIMEOUT_MILLIS);
    }
    if (error == ECONNRESET) {
        fail("%s: the target closed the connection (%s)", controller->path, what);
    }
    if (error == ETIMEDOUT) {
        fail("%s: the target did not answer in %d s (%s); does it serve another client?", controller->path,
             REPLY_TIMEOUT_MILLIS / 1000, what);
    }
    if (error != 0) {
        fail("%s: %s: %s", controller->path, what, strerror(error));
    }
    if ((message->header.flags & VFIO_USER_TYPE_MASK) != VFIO_USER_REPLY || message->header.id != id ||
        message->header.command != (uint16_t)command) {
        fail("%s: %s: the target sent something else than the reply", controller->path, what);
    }
    if (message->header.flags & VFIO_USER_ERROR) {
        fail("%s: %s: the target refused: %s", controller->path, what, strerror((int)message->header.error));
    }
}

static void need_payload(struct controller *controller, const struct vfio_user_message *message, size_t size,
                         const char *what)
{
    if (vfio_user_payload_size(message) < size) {
        fail("%s: %s: the reply is too short", controller->path, what);
    }
}

void connection_region_read(struct controller *controller, uint32_t region, uint64_t offset, void *data, uint32_t size)
{
    struct vfio_user_message message;
    struct vfio_user_region_access *access = (void *)message.payload;
    *access = (struct vfio_user_region_access){.offset = offset, .region = region, .count = size};
    message.fd_count = 0;
    request(controller, &message, VFIO_USER_REGION_READ, sizeof *access, "read a region");
    need_payload(controller, &message, sizeof *access + size, "read a region");
    if (access->count != size) {
        fail("%s: read a region: %u bytes asked, %u came", controller->path, size, access->count);
    }
    memcpy(data, access->data, size);
}

void connection_region_write(struct controller *controller, uint32_t region, uint64_t offset, const void *data,
                             uint32_t size)
{
    struct vfio_user_message message;
    struct vfio_user_region_access *access = (void *)message.payload;
    *access = (struct vfio_user_region_access){.offset = offset, .region = region, .count = size};
    memcpy(access->data, data, size);
    message.fd_count = 0;
    request(controller, &message, VFIO_USER_REGION_WRITE, sizeof *access + size, "write a region");
}

static void negotiate(struct controller *controller)
{
    struct vfio_user_message message = {.fd_count = 0};
    struct vfio_user_version *version = (void *)message.payload;
    version->major = 0;
    version->minor = 1;
    int length = sprintf(version->json, "{\"capabilities\":{\"max_msg_fds\":%d,\"max_data_xfer_size\":%d}}",
                         VFIO_USER_MAX_FDS, 4096);
    request(controller, &message, VFIO_USER_VERSION, sizeof *version + (size_t)length + 1, "negotiate the version");
    need_payload(controller, &message, sizeof *version, "negotiate the version");
    if (version->major != 0 || version->minor > 1) {
        fail("%s: the target speaks vfio-user %u.%u, this client 0.1", controller->path, version->major,
             version->minor);
    }
    vfio_user_close_fds(&message);

    struct vfio_user_device_info *info = (void *)message.payload;
    *info = (struct vfio_user_device_info){.argsz = sizeof *info};
    request(controller, &message, VFIO_USER_DEVICE_GET_INFO, sizeof *info, "get the device's information");
    need_payload(controller, &message, sizeof *info, "get the device's information");
    if (!(info->flags & VFIO_DEVICE_FLAGS_PCI) || info->regions <= VFIO_PCI_CONFIG_REGION_INDEX) {
        fail("%s: the target is not a PCI device", controller->path);
    }
    if (info->flags & VFIO_DEVICE_FLAGS_RESET) {
        request(controller, &message, VFIO_USER_DEVICE_RESET, 0, "reset the device");
    }
}

/* Maps one part of BAR 0 when it holds doorbells; the descriptor stays the caller's. */
static void map_doorbells(struct controller *controller, int fd, uint64_t base, uint64_t offset, uint64_t size)
{
    if (controller->bar0_map != NULL || offset > NVME_DOORBELLS || offset + size < NVME_DOORBELLS + NVME_PAGE ||
        offset + size > controller->bar0_size || offset % NVME_PAGE != 0) {
        return;
    }
    /* A mapping beyond the end of the file would be SIGBUS at the first doorbell. */
    struct stat status;
    if (fstat(fd, &status) != 0 ||
        (S_ISREG(status.st_mode) && (uint64_t)status.st_size < base + offset + size)) {
        fail("%s: the file behind BAR 0 is shorter than the target says", controller->path);
    }
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)(base + offset));
    if (map == MAP_FAILED) {
        fail("%s: cannot map the doorbells: %s", controller->path, strerror(errno));
    }
    controller->bar0_map = map;
    controller->bar0_map_offset = offset;
    controller->bar0_map_size = size;
}

static void open_bar0(struct controller *controller)
{
    struct vfio_user_message message = {.fd_count = 0};
    struct vfio_region_info *info = (void *)message.payload;
    *info = (struct vfio_region_info){.argsz = VFIO_USER_MAX_PAYLOAD, .index = VFIO_PCI_BAR0_REGION_INDEX};
    request(controller, &message, VFIO_USER_REGION_GET_INFO, sizeof *info, "get BAR 0's information");
    need_payload(controller, &message, sizeof *info, "get BAR 0's information");
    size_t length = vfio_user_payload_size(&message);
    controller->bar0_size = info->size;
    if (info->size < NVME_DOORBELLS + 16) {
        fail("%s: BAR 0 has %llu bytes, too few for an NVMe controller", controller->path,
             (unsigned long long)info->size);
    }
    bool sparse = false;
    size_t offset = info->flags & VFIO_REGION_INFO_FLAG_CAPS ? info->cap_offset : 0;
    /* 16 capabilities at most: a chain that loops must end. */
    for (int i = 0; i < 16 && offset >= sizeof *info && offset + sizeof(struct vfio_info_cap_header) <= length; i++) {
        struct vfio_region_info_cap_sparse_mmap *cap = (void *)(message.payload + offset);
        if (offset % 8 == 0 && cap->header.id == VFIO_REGION_INFO_CAP_SPARSE_MMAP && offset + sizeof *cap <= length) {
            sparse = true;
            size_t room = (length - offset - sizeof *cap) / sizeof cap->areas[0];
            for (uint32_t area = 0; area < cap->nr_areas && area < room && message.fd_count > 0; area++) {
                /* One descriptor for each area, or one for all of them: targets differ. */
                int fd = message.fds[(int)area < message.fd_count ? (int)area : 0];
                map_doorbells(controller, fd, info->offset, cap->areas[area].offset, cap->areas[area].size);
            }
        }
        offset = cap->header.next;
    }
    if (!sparse && (info->flags & VFIO_REGION_INFO_FLAG_MMAP) && message.fd_count > 0) {
        map_doorbells(controller, message.fds[0], info->offset, 0, info->size);
    }
    vfio_user_close_fds(&message);
}

static void map_dma_memory(struct controller *controller, uint64_t size)
{
    /* SPDK's target silently ignores regions whose address or length is no multiple of 2 MiB. */
    size = (size + HUGE_PAGE - 1) & ~(uint64_t)(HUGE_PAGE - 1);
    int fd = memfd_create("nvme-client-dma", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, (off_t)size) != 0) {
        fail("cannot create %llu bytes of DMA memory: %s", (unsigned long long)size, strerror(errno));
    }
    /* Shows the target that these pages will not vanish under it. */
    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
    char *reserved = mmap(NULL, size + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (reserved == MAP_FAILED) {
        fail("cannot reserve addresses for DMA memory: %s", strerror(errno));
    }
    char *aligned = (char *)(((uintptr_t)reserved + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
    void *map = mmap(aligned, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0);
    if (map == MAP_FAILED) {
        fail("cannot map DMA memory: %s", strerror(errno));
    }
    controller->dma = map;
    controller->dma_size = size;
    controller->dma_iova = 1ull << 32;

    struct vfio_user_message message = {.fds = {fd}, .fd_count = 1};
    struct vfio_user_dma_map *entry = (void *)message.payload;
    *entry = (struct vfio_user_dma_map){.argsz = sizeof *entry, .flags = VFIO_USER_DMA_READABLE | VFIO_USER_DMA_WRITEABLE,
                                        .address = controller->dma_iova, .size = size};
    request(controller, &message, VFIO_USER_DMA_MAP, sizeof *entry, "map DMA memory");
    close(fd);
}

void connection_open(struct controller *controller, const char *path, uint64_t dma_size)
{
    memset(controller, 0, sizeof *controller);
    controller->path = path;
    controller->socket = vfio_user_connect(path);
    if (controller->socket < 0) {
        fail("%s: cannot connect: %s", path, strerror(errno));
    }
    negotiate(controller);
    open_bar0(controller);
    map_dma_memory(controller, dma_size);
    uint16_t command;
    connection_region_read(controller, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &command, sizeof command);
    command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    connection_region_write(controller, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &command, sizeof command);
}

int connection_open_vector(struct controller *controller, uint32_t vector)
{
    struct vfio_user_message message = {.fd_count = 0};
    struct vfio_irq_info *info = (void *)message.payload;
    *info = (struct vfio_irq_info){.argsz = sizeof *info, .index = VFIO_PCI_MSIX_IRQ_INDEX};
    request(controller, &message, VFIO_USER_IRQ_GET_INFO, sizeof *info, "get the interrupts' information");
    need_payload(controller, &message, sizeof *info, "get the interrupts' information");
    if (vector >= info->count || !(info->flags & VFIO_IRQ_INFO_EVENTFD)) {
        return -1;
    }
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        fail("cannot create an eventfd: %s", strerror(errno));
    }
    struct vfio_irq_set *set = (void *)message.payload;
    *set = (struct vfio_irq_set){.argsz = sizeof *set, .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                                 .index = VFIO_PCI_MSIX_IRQ_INDEX, .start = vector, .count = 1};
    message.fds[0] = fd;
    message.fd_count = 1;
    request(controller, &message, VFIO_USER_SET_IRQS, sizeof *set, "set an interrupt");
    return fd;
}
