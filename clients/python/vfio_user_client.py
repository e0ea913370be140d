"""A client of vfio-user, for tests of servers: sends any message, right or wrong, and shows what comes back.

Written from QEMU's docs/interop/vfio-user.rst alone, with nothing but Python's standard library.

    with Client.negotiated("/run/nvme.sock") as client:
        client.region_read(CONFIG, 0, 2)
"""

import array
import json
import select
import socket
import struct

VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, GET_REGION_INFO, GET_REGION_IO_FDS = range(1, 7)
GET_IRQ_INFO, SET_IRQS, REGION_READ, REGION_WRITE, DMA_READ, DMA_WRITE, RESET = range(7, 14)
WRITE_MULTI, FEATURE, MIG_READ, MIG_WRITE = 15, 16, 17, 18

COMMAND, REPLY, TYPE, NO_REPLY, ERROR = 0, 1, 0xF, 0x10, 0x20
HEADER = struct.Struct("=HHIII")
REGION_INFO = struct.Struct("=IIIIQQ")
IRQ_INFO = struct.Struct("=IIII")
ACCESS = struct.Struct("=QII")
DMA_ACCESS = struct.Struct("=QQ")

REGION_READABLE, REGION_WRITABLE, REGION_MMAP, REGION_CAPS = 1, 2, 4, 8
CAP_SPARSE_MMAP = 1
BAR0, CONFIG = 0, 7
INTX, MSI, MSIX, ERR, REQ = range(5)
DATA_NONE, DATA_BOOL, DATA_EVENTFD, MASK, UNMASK, TRIGGER = 1, 2, 4, 8, 16, 32

TIMEOUT = 20.0


class Closed(Exception):
    """The server closed the connection."""


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, command, error):
        super().__init__("command %d was refused with error %d" % (command, error))
        self.error = error


class Message:
    def __init__(self, header, payload, fds):
        self.id, self.command, self.size, self.flags, self.error = HEADER.unpack(header)
        self.payload = payload
        self.fds = fds

    @property
    def is_error(self):
        return bool(self.flags & ERROR)


class Client:
    def __init__(self, path_or_socket):
        if isinstance(path_or_socket, socket.socket):
            self.socket = path_or_socket
        else:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.connect(path_or_socket)
        self.next_id = 1

    @classmethod
    def negotiated(cls, path, capabilities=None, minor=1):
        client = cls(path)
        document = {"capabilities": {"max_msg_fds": 8} if capabilities is None else capabilities}
        client.call(VERSION, version(0, minor, json.dumps(document)))
        return client

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.socket.close()

    def message(self, command, payload=b"", flags=0, id=None, size=None):
        if id is None:
            id = self.next_id
            self.next_id = (self.next_id + 1) & 0xFFFF
        size = HEADER.size + len(payload) if size is None else size
        return HEADER.pack(id, command, size, flags, 0) + payload

    def send(self, data, fds=()):
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        sent = self.socket.sendmsg([data], control)
        if sent < len(data):
            self.socket.sendall(data[sent:])

    def receive(self, timeout=TIMEOUT):
        fds = []
        header = self._bytes(HEADER.size, fds, timeout)
        payload = self._bytes(HEADER.unpack(header)[2] - HEADER.size, fds, timeout)
        return Message(header, payload, fds)

    def _bytes(self, count, fds, timeout):
        data = b""
        while len(data) < count:
            if not select.select([self.socket], [], [], timeout)[0]:
                raise TimeoutError("the server did not answer")
            try:
                part, control, _, _ = self.socket.recvmsg(count - len(data), socket.CMSG_SPACE(64 * 4))
            except ConnectionError as e:
                raise Closed() from e
            if not part:
                raise Closed()
            for level, kind, numbers in control:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds.extend(array.array("i", numbers))
            data += part
        return data

    def exchange(self, command, payload=b"", fds=(), flags=0):
        """Sends a command and returns its reply, whatever it is."""
        self.send(self.message(command, payload, flags), fds)
        return self.receive()

    def call(self, command, payload=b"", fds=()):
        """Sends a command and returns the reply, which is none of an error."""
        reply = self.exchange(command, payload, fds)
        if reply.is_error:
            raise Refused(command, reply.error)
        return reply

    def error_of(self, command, payload=b"", fds=()):
        """The error of a command that must be refused; it may be 0."""
        reply = self.exchange(command, payload, fds)
        assert reply.is_error, "command %d with %s was not refused" % (command, payload[:40].hex())
        assert reply.size == HEADER.size and not reply.fds, "an error reply is a header alone"
        return reply.error

    def await_close(self):
        """Says no more, and waits until the server does neither."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # It was faster.
        try:
            while True:
                self.receive()
        except Closed:
            pass

    def region_info(self, index, argsz=4096):
        reply = self.call(GET_REGION_INFO, REGION_INFO.pack(argsz, 0, index, 0, 0, 0))
        return reply, REGION_INFO.unpack_from(reply.payload)

    def region_read(self, region, offset, count):
        request = ACCESS.pack(offset, region, count)
        reply = self.call(REGION_READ, request)
        assert reply.payload[:16] == request, "the reply tells of another access"
        assert len(reply.payload) == 16 + count, "%d bytes were read" % (len(reply.payload) - 16)
        return reply.payload[16:]

    def region_write(self, region, offset, data):
        request = ACCESS.pack(offset, region, len(data))
        reply = self.call(REGION_WRITE, request + data)
        assert reply.payload == request, "the reply tells of another access"

    def dma_map(self, address, size, fd=None, offset=0, flags=3):
        payload = struct.pack("=IIQQQ", 32, flags, offset, address, size)
        return self.call(DMA_MAP, payload, () if fd is None else (fd,))

    def dma_unmap(self, address, size, flags=0):
        payload = struct.pack("=IIQQ", 24, flags, address, size)
        reply = self.call(DMA_UNMAP, payload)
        assert reply.payload == payload, "the reply to DMA_UNMAP is the request's structure"

    def irq_info(self, index):
        return IRQ_INFO.unpack(self.call(GET_IRQ_INFO, IRQ_INFO.pack(16, 0, index, 0)).payload)

    def set_irqs(self, flags, index, start, count, data=b"", fds=()):
        return self.exchange(SET_IRQS, struct.pack("=IIIII", 20 + len(data), flags, index, start, count) + data, fds)


def version(major, minor, document, end=b"\0"):
    return struct.pack("=HH", major, minor) + (document.encode() + end if document is not None else b"")
