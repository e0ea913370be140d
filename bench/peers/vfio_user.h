/*
 * The vfio-user protocol, version 0.1, as QEMU's docs/interop/vfio-user.rst describes it: messages and their transport.
 * Where libvfio-user's older text differs (DMA map tables, command 14 for reset), this is what its code and QEMU speak.
 */
#ifndef PEERS_VFIO_USER_H
#define PEERS_VFIO_USER_H

#include <linux/vfio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vfio_user_command {
    VFIO_USER_VERSION = 1, VFIO_USER_DMA_MAP = 2, VFIO_USER_DMA_UNMAP = 3, VFIO_USER_DEVICE_GET_INFO = 4,
    VFIO_USER_REGION_GET_INFO = 5, VFIO_USER_REGION_GET_IO_FDS = 6, VFIO_USER_IRQ_GET_INFO = 7,
    VFIO_USER_SET_IRQS = 8, VFIO_USER_REGION_READ = 9, VFIO_USER_REGION_WRITE = 10, VFIO_USER_DMA_READ = 11,
    VFIO_USER_DMA_WRITE = 12, VFIO_USER_DEVICE_RESET = 13,
};

enum {
    VFIO_USER_TYPE_MASK = 0xf, VFIO_USER_REPLY = 0x1, VFIO_USER_NO_REPLY = 0x10, VFIO_USER_ERROR = 0x20,
    VFIO_USER_MAX_FDS = 32,
    VFIO_USER_MAX_PAYLOAD = 8192, /* what we accept; no message that we exchange needs more */
};

struct vfio_user_header {
    uint16_t id;
    uint16_t command;
    uint32_t size; /* of the whole message */
    uint32_t flags;
    uint32_t error;
};
_Static_assert(sizeof(struct vfio_user_header) == 16, "the header has 16 bytes");

struct vfio_user_version {
    uint16_t major, minor;
    char json[]; /* NUL-terminated */
};

enum { VFIO_USER_DMA_READABLE = 1, VFIO_USER_DMA_WRITEABLE = 2 };

struct vfio_user_dma_map {
    uint32_t argsz, flags;
    uint64_t offset, address, size;
};

struct vfio_user_dma_unmap {
    uint32_t argsz, flags;
    uint64_t address, size;
};

struct vfio_user_device_info {
    uint32_t argsz, flags, regions, irqs;
};

struct vfio_user_region_access {
    uint64_t offset;
    uint32_t region, count;
    uint8_t data[];
};

/* A message in memory: header, payload, descriptors that came or go with it. */
struct vfio_user_message {
    struct vfio_user_header header;
    uint8_t payload[VFIO_USER_MAX_PAYLOAD] __attribute__((aligned(8)));
    int fds[VFIO_USER_MAX_FDS];
    int fd_count;
};

static inline size_t vfio_user_payload_size(const struct vfio_user_message *message)
{
    return message->header.size - sizeof message->header;
}

/* 0, or an errno. */
int vfio_user_send(int socket, const struct vfio_user_message *message);

/*
 * Receives one whole message: 0, or an errno: ECONNRESET when the peer has gone, ETIMEDOUT after the given time without
 * the next byte, EPROTO when the peer's sizes make no sense. Descriptors that came along are the caller's to close.
 */
int vfio_user_receive(int socket, struct vfio_user_message *message, int timeout_millis);

void vfio_user_close_fds(struct vfio_user_message *message);

/* Whether the peer has closed the connection; never blocks. */
bool vfio_user_peer_gone(int socket);

/* A stream socket bound to or connected to PATH; -1 with errno. */
int vfio_user_listen(const char *path);
int vfio_user_connect(const char *path);

#endif
