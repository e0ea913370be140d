/* The vfio-user server: each request, its checks, its reply. */
#define _GNU_SOURCE
#include "target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { REST_OF_MESSAGE_MILLIS = 1000, MAX_REGION_ACCESS = 4096 };

static const uint64_t region_sizes[VFIO_PCI_NUM_REGIONS] = {
    [VFIO_PCI_BAR0_REGION_INDEX] = BAR0_SIZE, [VFIO_PCI_BAR4_REGION_INDEX] = BAR4_SIZE,
    [VFIO_PCI_CONFIG_REGION_INDEX] = CONFIG_SIZE};

/* Each of these reads its request from the message and leaves the reply's payload there: an errno, and its size. */
typedef int handler(struct target *target, struct vfio_user_message *message, size_t *size);

static int version(struct target *target, struct vfio_user_message *message, size_t *size)
{
    (void)target;
    struct vfio_user_version *version = (void *)message->payload;
    if (*size < sizeof *version || version->major != 0) {
        return EINVAL;
    }
    version->minor = version->minor < 1 ? version->minor : 1;
    int length = sprintf(version->json, "{\"capabilities\":{\"max_msg_fds\":%d,\"max_data_xfer_size\":%d}}",
                         VFIO_USER_MAX_FDS, MAX_REGION_ACCESS);
    *size = sizeof *version + (size_t)length + 1;
    return 0;
}

static int dma_map(struct target *target, struct vfio_user_message *message, size_t *size)
{
    struct vfio_user_dma_map map;
    if (*size < sizeof map || message->fd_count > 1) {
        return EINVAL;
    }
    memcpy(&map, message->payload, sizeof map);
    *size = 0;
    return target_map(target, &map, message->fd_count == 1 ? message->fds[0] : -1);
}

static int dma_unmap(struct target *target, struct vfio_user_message *message, size_t *size)
{
    struct vfio_user_dma_unmap unmap;
    if (*size < sizeof unmap) {
        return EINVAL;
    }
    memcpy(&unmap, message->payload, sizeof unmap);
    *size = sizeof unmap; /* the reply repeats the entry */
    return target_unmap(target, unmap.address, unmap.size);
}

static int device_info(struct target *target, struct vfio_user_message *message, size_t *size)
{
    (void)target;
    struct vfio_user_device_info *info = (void *)message->payload;
    if (*size < sizeof *info || info->argsz < sizeof *info) {
        return EINVAL;
    }
    *info = (struct vfio_user_device_info){.argsz = sizeof *info,
                                           .flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
                                           .regions = VFIO_PCI_NUM_REGIONS, .irqs = VFIO_PCI_NUM_IRQS};
    *size = sizeof *info;
    return 0;
}

static int region_info(struct target *target, struct vfio_user_message *message, size_t *size)
{
    struct vfio_region_info *info = (void *)message->payload;
    if (*size < sizeof *info || info->argsz < sizeof *info || info->index >= VFIO_PCI_NUM_REGIONS) {
        return EINVAL;
    }
    uint32_t room = info->argsz;
    uint32_t index = info->index;
    *info = (struct vfio_region_info){.argsz = sizeof *info, .index = index, .size = region_sizes[index]};
    *size = sizeof *info;
    if (info->size != 0) {
        info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
    }
    if (index != VFIO_PCI_BAR0_REGION_INDEX || target->trap_doorbells) {
        return 0;
    }
    /* The registers are messages, the page of doorbells behind them is memory: offset 0x1000 of the descriptor too. */
    struct vfio_region_info_cap_sparse_mmap *sparse = (void *)(message->payload + sizeof *info);
    size_t cap_size = sizeof *sparse + sizeof sparse->areas[0];
    info->flags |= VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS;
    info->argsz = (uint32_t)(sizeof *info + cap_size);
    if (room >= info->argsz) {
        info->cap_offset = sizeof *info;
        memset(sparse, 0, cap_size);
        sparse->header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
        sparse->header.version = 1;
        sparse->nr_areas = 1;
        sparse->areas[0].offset = NVME_DOORBELLS;
        sparse->areas[0].size = DOORBELL_PAGE_SIZE;
        *size = info->argsz;
        message->fds[0] = target->doorbell_fd;
        message->fd_count = 1;
    }
    return 0;
}

static int irq_info(struct target *target, struct vfio_user_message *message, size_t *size)
{
    (void)target;
    struct vfio_irq_info *info = (void *)message->payload;
    if (*size < sizeof *info || info->argsz < sizeof *info || info->index >= VFIO_PCI_NUM_IRQS) {
        return EINVAL;
    }
    info->argsz = sizeof *info;
    info->flags = info->index == VFIO_PCI_MSIX_IRQ_INDEX ? VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE : 0;
    info->count = info->index == VFIO_PCI_MSIX_IRQ_INDEX ? TARGET_VECTORS : 0;
    *size = sizeof *info;
    return 0;
}

static void set_vector(struct target *target, uint32_t vector, int fd)
{
    if (target->vectors[vector] >= 0) {
        close(target->vectors[vector]);
    }
    target->vectors[vector] = fd;
}

static int act_on_vector(struct target *target, uint32_t vector, uint32_t action)
{
    switch (action) {
    case VFIO_IRQ_SET_ACTION_TRIGGER:
        target_raise(target, (uint16_t)vector);
        return 0;
    case VFIO_IRQ_SET_ACTION_MASK:
        target->vector_masked[vector] = true;
        return 0;
    case VFIO_IRQ_SET_ACTION_UNMASK:
        target->vector_masked[vector] = false;
        if (target->vector_pending[vector]) {
            target->vector_pending[vector] = false;
            target_raise(target, (uint16_t)vector);
        }
        return 0;
    default:
        return EINVAL;
    }
}

static int set_irqs(struct target *target, struct vfio_user_message *message, size_t *size)
{
    const struct vfio_irq_set *set = (const void *)message->payload;
    if (*size < sizeof *set) {
        return EINVAL;
    }
    uint32_t action = set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
    uint32_t kind = set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
    size_t data = *size - sizeof *set;
    *size = 0;
    bool disable = kind == VFIO_IRQ_SET_DATA_NONE && action == VFIO_IRQ_SET_ACTION_TRIGGER && set->count == 0;
    if (set->index != VFIO_PCI_MSIX_IRQ_INDEX) {
        return disable && set->index < VFIO_PCI_NUM_IRQS ? 0 : EINVAL;
    }
    if (set->start > TARGET_VECTORS || set->count > TARGET_VECTORS - set->start) {
        return EINVAL;
    }
    if (disable) {
        for (uint32_t vector = 0; vector < TARGET_VECTORS; vector++) {
            set_vector(target, vector, -1);
        }
        return 0;
    }
    if (kind == VFIO_IRQ_SET_DATA_EVENTFD) {
        if (action != VFIO_IRQ_SET_ACTION_TRIGGER ||
            (message->fd_count != 0 && (uint32_t)message->fd_count != set->count)) {
            return EINVAL;
        }
        for (uint32_t i = 0; i < set->count; i++) {
            set_vector(target, set->start + i, message->fd_count != 0 ? message->fds[i] : -1);
        }
        message->fd_count = 0; /* they are the vectors' now */
        return 0;
    }
    if (kind == VFIO_IRQ_SET_DATA_BOOL && data < set->count) {
        return EINVAL;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        int error = kind == VFIO_IRQ_SET_DATA_BOOL && !set->data[i] ? 0 : act_on_vector(target, set->start + i, action);
        if (error != 0) {
            return error;
        }
    }
    return kind == VFIO_IRQ_SET_DATA_NONE || kind == VFIO_IRQ_SET_DATA_BOOL ? 0 : EINVAL;
}

static struct vfio_user_region_access *region_access(struct vfio_user_message *message, size_t size)
{
    struct vfio_user_region_access *access = (void *)message->payload;
    if (size < sizeof *access || access->region >= VFIO_PCI_NUM_REGIONS || access->count > MAX_REGION_ACCESS) {
        return NULL;
    }
    uint64_t length = region_sizes[access->region];
    return access->offset < length && access->count <= length - access->offset ? access : NULL;
}

static int region_read(struct target *target, struct vfio_user_message *message, size_t *size)
{
    struct vfio_user_region_access *access = region_access(message, *size);
    if (access == NULL) {
        return EINVAL;
    }
    if (access->region == VFIO_PCI_CONFIG_REGION_INDEX) {
        memcpy(access->data, target->config + access->offset, access->count);
    } else if (access->region == VFIO_PCI_BAR4_REGION_INDEX) {
        memcpy(access->data, target->bar4 + access->offset, access->count);
    } else {
        target_register_read(target, access->offset, access->data, access->count);
    }
    *size = sizeof *access + access->count;
    return 0;
}

static int region_write(struct target *target, struct vfio_user_message *message, size_t *size)
{
    struct vfio_user_region_access *access = region_access(message, *size);
    if (access == NULL || *size < sizeof *access + access->count) {
        return EINVAL;
    }
    if (access->region == VFIO_PCI_CONFIG_REGION_INDEX) {
        target_config_write(target, access->offset, access->data, access->count);
    } else if (access->region == VFIO_PCI_BAR4_REGION_INDEX) {
        memcpy(target->bar4 + access->offset, access->data, access->count);
    } else {
        target_register_write(target, access->offset, access->data, access->count);
    }
    *size = sizeof *access;
    return 0;
}

static int device_reset(struct target *target, struct vfio_user_message *message, size_t *size)
{
    (void)message;
    target_reset(target);
    target_init_config(target);
    *size = 0;
    return 0;
}

static handler *const handlers[] = {
    [VFIO_USER_VERSION] = version, [VFIO_USER_DMA_MAP] = dma_map, [VFIO_USER_DMA_UNMAP] = dma_unmap,
    [VFIO_USER_DEVICE_GET_INFO] = device_info, [VFIO_USER_REGION_GET_INFO] = region_info,
    [VFIO_USER_IRQ_GET_INFO] = irq_info, [VFIO_USER_SET_IRQS] = set_irqs, [VFIO_USER_REGION_READ] = region_read,
    [VFIO_USER_REGION_WRITE] = region_write, [VFIO_USER_DEVICE_RESET] = device_reset,
};

bool target_serve_message(struct target *target, const char **why)
{
    static struct vfio_user_message message;
    int error = vfio_user_receive(target->socket, &message, REST_OF_MESSAGE_MILLIS);
    if (error != 0) {
        *why = error == ECONNRESET ? NULL : strerror(error);
        return error == EINTR;
    }
    if ((message.header.flags & VFIO_USER_TYPE_MASK) != 0) {
        vfio_user_close_fds(&message);
        *why = "it sent a reply to no request";
        return false;
    }
    uint16_t command = message.header.command;
    size_t size = vfio_user_payload_size(&message);
    int received_fds[VFIO_USER_MAX_FDS];
    int received = message.fd_count;
    memcpy(received_fds, message.fds, sizeof received_fds);
    handler *handle = command < sizeof handlers / sizeof handlers[0] ? handlers[command] : NULL;
    error = handle != NULL ? handle(target, &message, &size) : ENOTSUP;

    bool kept = command == VFIO_USER_SET_IRQS && error == 0 && message.fd_count == 0;
    for (int i = 0; i < received && !kept; i++) {
        close(received_fds[i]);
    }
    bool sends_fd = command == VFIO_USER_REGION_GET_INFO && error == 0 && size > sizeof(struct vfio_region_info);
    message.fd_count = sends_fd ? 1 : 0;
    bool silent = message.header.flags & VFIO_USER_NO_REPLY;
    message.header.flags = VFIO_USER_REPLY | (error != 0 ? VFIO_USER_ERROR : 0);
    message.header.error = (uint32_t)error;
    message.header.size = (uint32_t)(sizeof message.header + (error != 0 ? 0 : size));
    error = silent ? 0 : vfio_user_send(target->socket, &message);
    *why = error == 0 || error == ECONNRESET ? NULL : strerror(error);
    return error == 0;
}
