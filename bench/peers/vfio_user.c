#define _GNU_SOURCE
#include "vfio_user.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int vfio_user_send(int socket, const struct vfio_user_message *message)
{
    size_t sent = 0;
    /* The payload follows the header in the structure, without padding: one vector would do, two need no assumption. */
    while (sent < message->header.size) {
        struct iovec parts[2];
        size_t in_header = sizeof message->header;
        int first = sent < in_header ? 0 : 1;
        size_t skip = first == 0 ? sent : sent - in_header;
        parts[0].iov_base = (char *)&message->header + (first == 0 ? skip : 0);
        parts[0].iov_len = in_header - (first == 0 ? skip : 0);
        parts[1].iov_base = (char *)message->payload + (first == 1 ? skip : 0);
        parts[1].iov_len = vfio_user_payload_size(message) - (first == 1 ? skip : 0);
        struct msghdr envelope = {.msg_iov = &parts[first], .msg_iovlen = (size_t)(2 - first)};
        union {
            struct cmsghdr align;
            char bytes[CMSG_SPACE(sizeof(int) * VFIO_USER_MAX_FDS)];
        } control;
        if (sent == 0 && message->fd_count > 0) {
            size_t length = sizeof(int) * (size_t)message->fd_count;
            memset(&control, 0, sizeof control);
            envelope.msg_control = control.bytes;
            envelope.msg_controllen = CMSG_SPACE(length);
            struct cmsghdr *header = CMSG_FIRSTHDR(&envelope);
            header->cmsg_level = SOL_SOCKET;
            header->cmsg_type = SCM_RIGHTS;
            header->cmsg_len = CMSG_LEN(length);
            memcpy(CMSG_DATA(header), message->fds, length);
        }
        ssize_t n = sendmsg(socket, &envelope, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return errno == EPIPE ? ECONNRESET : errno;
        }
        sent += (size_t)n;
    }
    return 0;
}

static void keep_fds(struct vfio_user_message *message, struct msghdr *envelope)
{
    for (struct cmsghdr *header = CMSG_FIRSTHDR(envelope); header != NULL; header = CMSG_NXTHDR(envelope, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            if (message->fd_count < VFIO_USER_MAX_FDS) {
                message->fds[message->fd_count++] = fd;
            } else {
                close(fd);
            }
        }
    }
}

/* Reads exactly length bytes, and any descriptors with them. */
static int receive_part(int socket, struct vfio_user_message *message, void *buffer, size_t length, int timeout_millis)
{
    size_t received = 0;
    while (received < length) {
        struct pollfd waiting = {.fd = socket, .events = POLLIN};
        int ready = poll(&waiting, 1, timeout_millis);
        if (ready == 0) {
            return ETIMEDOUT;
        }
        if (ready < 0) {
            return errno;
        }
        struct iovec part = {.iov_base = (char *)buffer + received, .iov_len = length - received};
        union {
            struct cmsghdr align;
            char bytes[CMSG_SPACE(sizeof(int) * VFIO_USER_MAX_FDS)];
        } control;
        struct msghdr envelope = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                                  .msg_controllen = sizeof control.bytes};
        ssize_t n = recvmsg(socket, &envelope, MSG_CMSG_CLOEXEC);
        if (n < 0) {
            return errno;
        }
        if (n == 0) {
            return ECONNRESET;
        }
        keep_fds(message, &envelope);
        received += (size_t)n;
    }
    return 0;
}

int vfio_user_receive(int socket, struct vfio_user_message *message, int timeout_millis)
{
    message->fd_count = 0;
    int error = receive_part(socket, message, &message->header, sizeof message->header, timeout_millis);
    if (error == 0 && (message->header.size < sizeof message->header ||
                       vfio_user_payload_size(message) > sizeof message->payload)) {
        error = EPROTO;
    }
    if (error == 0) {
        error = receive_part(socket, message, message->payload, vfio_user_payload_size(message), timeout_millis);
    }
    if (error != 0) {
        vfio_user_close_fds(message);
    }
    return error;
}

void vfio_user_close_fds(struct vfio_user_message *message)
{
    for (int i = 0; i < message->fd_count; i++) {
        close(message->fds[i]);
    }
    message->fd_count = 0;
}

bool vfio_user_peer_gone(int socket)
{
    char byte;
    ssize_t n = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static int unix_socket(const char *path, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address->sun_path, path);
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int vfio_user_listen(const char *path)
{
    struct sockaddr_un address;
    int fd = unix_socket(path, &address);
    if (fd >= 0 && (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0)) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int vfio_user_connect(const char *path)
{
    struct sockaddr_un address;
    int fd = unix_socket(path, &address);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}
