"""Outboard's rings in shared memory, for Python: both sides, both kinds. The layout is that of docs/rings.md, version 1.

    with Ring.attach("/dev/shm/records") as ring, ring.consumer() as consumer:
        for type, payload in consumer.records(timeout=1.0):
            ...

    with Ring.create("/dev/shm/records", SINGLE_CONSUMER, 1 << 16) as ring, ring.producer() as producer:
        producer.offer(7, b"payload", timeout=1.0)

One file, no package needed; Linux on x86-64 and CPython 3.8 or later. Other processors order memory in ways that plain
Python cannot: there, importing this fails. Not safe for use by several threads at a time on one side.
"""

import ctypes
import errno
import mmap
import os
import platform
import threading
import time

SINGLE_CONSUMER = 1
BROADCAST = 2

_MAGIC = int.from_bytes(b"OUTBRING", "little")
_VERSION = 1
# Offsets in the header, in bytes.
_KIND, _CAPACITY, _DATA_OFFSET, _RECORD_HEADER, _MAXIMUM_LENGTH = 0x0C, 0x10, 0x18, 0x1C, 0x20
_TAIL, _RESERVED, _LATEST, _HEAD = 0x80, 0x88, 0x90, 0x100
_DATA_BELL, _SPACE_BELL, _PRODUCER, _CONSUMER, _DATA = 0x180, 0x200, 0x280, 0x300, 0x400
_NO_RECORD = 1
_PADDING = 0xFFFFFFFF
_SLEEPS = 1
_CLOSED = (1 << 64) - 1
_SLICE_SECONDS = 0.05
_SPIN_SECONDS = 50e-6

_SYS_FUTEX, _FUTEX_WAIT, _FUTEX_WAKE = 202, 0, 1

if platform.machine() != "x86_64" or platform.system() != "Linux":
    raise ImportError("outboard_ring needs Linux on x86-64: it relies on that processor's order of loads and stores")

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_fence_lock = threading.Lock()


class RingError(Exception):
    """Memory is no ring, or the other side broke the rules of the layout."""


class PeerGone(RingError):
    """The other side has closed the ring, or died."""


class _Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanos", ctypes.c_long)]


def _full_fence():
    # x86-64 reorders one thing: a load before an older store to elsewhere. A locked instruction prevents it, and taking
    # a lock is one.
    with _fence_lock:
        pass


def _aligned(size):
    return (size + 15) & ~15


def _maximum_length(kind, capacity):
    return min((capacity // 8 if kind == BROADCAST else capacity // 2) - 24, 1 << 30)


def _process_word(pid):
    """The word of a process in the header: its pid, and above it when it began; 0 if there is none."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0
    if fields[0] in (b"Z", b"X"):
        return 0
    return (int(fields[19]) & 0xFFFFFFFF) << 32 | pid


def _is_alive(word):
    pid = word & 0xFFFFFFFF
    return word not in (0, _CLOSED) and 0 < pid < 1 << 31 and _process_word(pid) == word


class Ring:
    """A ring that is mapped into this process. Close what it gave first."""

    def __init__(self, memory, own=True):
        self._mmap = memory if own else None
        view = memoryview(memory)
        if view.readonly or view.nbytes < _DATA + 1024:
            raise RingError("no ring: it needs writable memory of at least 2048 bytes, not %d" % view.nbytes)
        # Views of whole words: an item that is read or written through one is one load or store.
        self.bytes = view.cast("B")
        whole = view.nbytes & ~7
        self.u64 = self.bytes[:whole].cast("Q")
        self.u32 = self.bytes[:whole].cast("I")
        if self.u64[0] != _MAGIC:
            raise RingError("no ring here, or not yet created: it does not start with OUTBRING")
        if self.u32[8 // 4] != _VERSION:
            raise RingError("version %d of the layout; this is for version %d" % (self.u32[2], _VERSION))
        self.kind = self.u32[_KIND // 4]
        self.capacity = self.u64[_CAPACITY // 8]
        if self.kind not in (SINGLE_CONSUMER, BROADCAST):
            raise RingError("kind %d is neither 1 nor 2" % self.kind)
        if self.capacity < 1024 or self.capacity & (self.capacity - 1) or self.capacity > whole - _DATA:
            raise RingError("%d bytes of data are no power of two that fits the memory" % self.capacity)
        self.header_bytes = 24 if self.kind == BROADCAST else 16
        self.maximum_length = _maximum_length(self.kind, self.capacity)
        found = (self.u32[_DATA_OFFSET // 4], self.u32[_RECORD_HEADER // 4], self.u32[_MAXIMUM_LENGTH // 4])
        due = (_DATA, self.header_bytes, self.maximum_length)
        if found != due:
            raise RingError("data offset, record header and longest record are %r, due are %r" % (found, due))

    @classmethod
    def create(cls, path, kind, capacity):
        """Creates a ring in a file; what the file held is gone."""
        if kind not in (SINGLE_CONSUMER, BROADCAST):
            raise ValueError("kind is SINGLE_CONSUMER or BROADCAST")
        if capacity < 1024 or capacity & (capacity - 1):
            raise ValueError("a capacity is a power of two of at least 1024, not %d" % capacity)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(fd).st_size < _DATA + capacity:
                os.ftruncate(fd, _DATA + capacity)
            memory = mmap.mmap(fd, _DATA + capacity)
        finally:
            os.close(fd)
        with memoryview(memory) as view, view.cast("Q") as u64, view.cast("I") as u32:
            if u64[0] == _MAGIC and (_is_alive(u64[_PRODUCER // 8]) or _is_alive(u64[_CONSUMER // 8])):
                raise RingError("there is a ring already, and somebody uses it: attach to it")
            u64[0] = 0
            memory[8:] = bytes(len(memory) - 8)
            u32[2] = _VERSION
            u32[_KIND // 4] = kind
            u64[_CAPACITY // 8] = capacity
            u32[_DATA_OFFSET // 4] = _DATA
            u32[_RECORD_HEADER // 4] = 24 if kind == BROADCAST else 16
            u32[_MAXIMUM_LENGTH // 4] = _maximum_length(kind, capacity)
            u64[_LATEST // 8] = _NO_RECORD
            u64[0] = _MAGIC
        return cls(memory)

    @classmethod
    def attach(cls, file):
        """Uses the ring in a file: a path, or a descriptor such as a memfd that was passed on."""
        fd = file if isinstance(file, int) else os.open(file, os.O_RDWR | os.O_CLOEXEC)
        try:
            if os.fstat(fd).st_size < _DATA + 1024:
                raise RingError("no ring: the file has %d bytes" % os.fstat(fd).st_size)
            return cls(mmap.mmap(fd, 0))
        finally:
            if fd is not file:
                os.close(fd)

    def producer(self):
        """Takes the producer's role."""
        return Producer(self)

    def consumer(self):
        """Opens a consumer: the only one, or one more of a broadcast ring, which starts with the next record."""
        return BroadcastConsumer(self) if self.kind == BROADCAST else Consumer(self)

    def close(self):
        for view in (self.u32, self.u64, self.bytes):
            view.release()
        if self._mmap is not None:
            self._mmap.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    # Roles. There is no compare-and-swap in Python: two that take a role at the same moment may both believe they have it.

    def _take(self, role, what):
        owner = self.u64[role // 8]
        if _is_alive(owner):
            raise RingError("the ring has its %s already: process %d" % (what, owner & 0xFFFFFFFF))
        self.u64[role // 8] = _process_word(os.getpid())

    def _release(self, role):
        if self.u64[role // 8] == _process_word(os.getpid()):
            self.u64[role // 8] = _CLOSED

    def _check_present(self, role, what):
        owner = self.u64[role // 8]
        if owner == _CLOSED:
            raise PeerGone("the %s has closed the ring" % what)
        if owner and not _is_alive(owner):
            raise PeerGone("the %s died: there is no process %d any more" % (what, owner & 0xFFFFFFFF))

    # Bells: a word of flags and a futex. Why no wake-up is lost is argued in docs/rings.md.

    def _ring_if_awaited(self, bell):
        _full_fence()
        if self.u32[bell // 4]:
            self.u32[bell // 4] = 0
            self.u32[bell // 4 + 1] = (self.u32[bell // 4 + 1] + 1) & 0xFFFFFFFF
            self._futex(bell + 4, _FUTEX_WAKE, 0x7FFFFFFF, None)

    def _raise_flag(self, bell):
        counter = self.u32[bell // 4 + 1]
        self.u32[bell // 4] = self.u32[bell // 4] | _SLEEPS
        _full_fence()
        return counter

    def _sleep(self, bell, counter, seconds):
        seconds = max(0.0, min(_SLICE_SECONDS, seconds))
        timeout = _Timespec(int(seconds), int(seconds % 1 * 1e9))
        self._futex(bell + 4, _FUTEX_WAIT, counter, ctypes.byref(timeout))

    def _futex(self, offset, operation, value, timeout):
        word = ctypes.c_uint32.from_buffer(self.bytes, offset)
        result = _libc.syscall(
            ctypes.c_long(_SYS_FUTEX), ctypes.byref(word), ctypes.c_int(operation), ctypes.c_uint32(value), timeout,
            None, ctypes.c_int(0))
        if result < 0 and ctypes.get_errno() not in (errno.EAGAIN, errno.EINTR, errno.ETIMEDOUT):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _wait(ring, bell, role, who, attempt, ready, timeout):
    """Spins, then sleeps, until an attempt gives something; None at the deadline."""
    result = attempt()
    if result is not None:
        return result
    now = time.monotonic()
    deadline, spin_until = now + timeout, now + _SPIN_SECONDS
    while time.monotonic() < spin_until:
        result = attempt()
        if result is not None:
            return result
    while True:
        counter = ring._raise_flag(bell)
        result = attempt()
        if result is not None:
            return result
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return None
        try:
            ring._check_present(role, who)
        except PeerGone:
            if ready():
                continue
            raise
        ring._sleep(bell, counter, remaining)


class Producer:
    """Writes records."""

    def __init__(self, ring):
        self._ring = ring
        self._mask = ring.capacity - 1
        ring._take(_PRODUCER, "producer")
        self._open = True
        self._tail = ring.u64[_TAIL // 8]
        self._head = 0
        self._sequence = 0
        latest = ring.u64[_LATEST // 8]
        if self._tail & 15 or self._tail >> 63:
            raise RingError("the producer's position is %#x" % self._tail)
        if ring.kind == BROADCAST and latest != _NO_RECORD:
            if latest & 15 or ring.capacity - (latest & self._mask) < 24:
                raise RingError("the latest record is at %#x" % latest)
            self._sequence = self._word(latest, 16)
        self._resume()

    def _word(self, position, offset):
        return self._ring.u64[(_DATA + (position & self._mask) + offset) // 8]

    def _set_word(self, position, offset, value):
        self._ring.u64[(_DATA + (position & self._mask) + offset) // 8] = value

    def _resume(self):
        ring, start = self._ring, self._tail
        while self._word(self._tail, 0) == self._tail | 1:
            room = ring.capacity - (self._tail & self._mask)
            word = self._word(self._tail, 8)
            padding = word >> 32 == _PADDING
            size = room if padding else _aligned(ring.header_bytes + (word & 0xFFFFFFFF))
            if size > room or self._tail + size - start > ring.capacity:
                raise RingError("the record at position %d cannot be" % self._tail)
            if ring.kind == BROADCAST and not padding:
                self._sequence = self._word(self._tail, 16)
                ring.u64[_LATEST // 8] = self._tail
            self._tail += size
        ring.u64[_TAIL // 8] = self._tail

    def try_offer(self, type, payload):
        """Writes a record; False if the ring is full."""
        ring, length = self._ring, len(payload)
        if not self._open:
            raise RingError("this producer is closed")
        if length > ring.maximum_length:
            raise ValueError("a record of %d bytes: this ring takes up to %d" % (length, ring.maximum_length))
        if not 0 <= type < _PADDING:
            raise ValueError("a type is a number from 0 to 0xfffffffe, not %r" % (type,))
        size = _aligned(ring.header_bytes + length)
        room = ring.capacity - (self._tail & self._mask)
        padding = room if size > room else 0
        end = self._tail + padding + size
        if ring.kind == BROADCAST:
            ring.u64[_RESERVED // 8] = end + 16
        elif end - self._head > ring.capacity:
            self._read_head()
            if end - self._head > ring.capacity:
                return False
        if padding:
            self._publish(_PADDING, room - 16, self._tail + padding)
            self._tail += padding
        at = _DATA + (self._tail & self._mask) + ring.header_bytes
        ring.bytes[at:at + length] = payload
        if ring.kind == BROADCAST:
            self._sequence += 1
            self._set_word(self._tail, 16, self._sequence)
        self._publish(type, length, end)
        if ring.kind == BROADCAST:
            ring.u64[_LATEST // 8] = self._tail
        self._tail = end
        ring.u64[_TAIL // 8] = end
        ring._ring_if_awaited(_DATA_BELL)
        return True

    def _publish(self, type, length, end):
        self._set_word(self._tail, 8, type << 32 | length)
        # What is left from a round ago must not look like the next header.
        if self._word(end, 0) == end | 1:
            self._set_word(end, 0, 0)
        # x86-64 keeps stores in order: whoever sees this one sees the record.
        self._set_word(self._tail, 0, self._tail | 1)

    def _read_head(self):
        head = self._ring.u64[_HEAD // 8]
        if not self._head <= head <= self._tail or self._tail - head > self._ring.capacity or head & 15:
            raise RingError("the consumer says that it has read up to %d of %d" % (head, self._tail))
        self._head = head

    def offer(self, type, payload, timeout):
        """Writes a record, waiting up to timeout seconds for room; False if there was none."""
        return _wait(self._ring, _SPACE_BELL, _CONSUMER, "consumer",
                     lambda: self.try_offer(type, payload) or None, lambda: False, timeout) is not None

    def close(self):
        if self._open:
            self._open = False
            self._ring._release(_PRODUCER)
            self._ring._ring_if_awaited(_DATA_BELL)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


class _Reader:
    def __init__(self, ring):
        self._ring = ring
        self._mask = ring.capacity - 1
        self._position = 0
        self._open = True
        self.lost = 0

    def _word(self, position, offset):
        return self._ring.u64[(_DATA + (position & self._mask) + offset) // 8]

    def _room(self, position):
        return self._ring.capacity - (position & self._mask)

    def _lie(self, position, type, length):
        return RingError("the producer wrote a record that cannot be, at %d: type %d, length %d"
                         % (position, type, length))

    def poll(self):
        """The next record as (type, bytes); None if there is none."""
        if not self._open:
            raise RingError("this consumer is closed")
        return self._read()

    def read(self, timeout):
        """The next record as (type, bytes), waiting up to timeout seconds; None if there was none."""
        return _wait(self._ring, _DATA_BELL, _PRODUCER, "producer", self.poll, self._ready, timeout)

    def records(self, timeout):
        """All records until the producer closes the ring or dies, or is silent for timeout seconds."""
        while True:
            try:
                record = self.read(timeout)
            except PeerGone:
                return
            if record is None:
                return
            yield record

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


class Consumer(_Reader):
    """The consumer of a ring with one."""

    def __init__(self, ring):
        super().__init__(ring)
        ring._take(_CONSUMER, "consumer")
        self._position = ring.u64[_HEAD // 8]
        if self._position & 15 or self._position >> 63:
            raise RingError("the consumer's position is %#x" % self._position)

    def _read(self):
        ring, position = self._ring, self._position
        while self._word(position, 0) == position | 1:
            word = self._word(position, 8)
            type, length, room = word >> 32, word & 0xFFFFFFFF, self._room(position) - 16
            if type == _PADDING:
                if position & self._mask == 0 or length != room:
                    raise self._lie(position, type, length)
                position += room + 16
                continue
            if length > ring.maximum_length or length > room:
                raise self._lie(position, type, length)
            at = _DATA + (position & self._mask) + 16
            payload = bytes(ring.bytes[at:at + length])
            self._advance(position + _aligned(16 + length))
            return type, payload
        if position != self._position:
            self._advance(position)
        return None

    def _advance(self, position):
        self._position = position
        self._ring.u64[_HEAD // 8] = position
        self._ring._ring_if_awaited(_SPACE_BELL)

    def _ready(self):
        return self._word(self._position, 0) == self._position | 1

    def close(self):
        if self._open:
            self._open = False
            self._ring._release(_CONSUMER)
            self._ring._ring_if_awaited(_SPACE_BELL)


class BroadcastConsumer(_Reader):
    """A consumer of a broadcast ring; lost counts the records that it was too slow for."""

    def __init__(self, ring):
        super().__init__(ring)
        self._expected = 1
        while not self._join():
            pass

    def _join(self):
        latest = self._ring.u64[_LATEST // 8]
        if latest == _NO_RECORD:
            return True
        self._check_latest(latest)
        length = self._word(latest, 8) & 0xFFFFFFFF
        sequence = self._word(latest, 16) if self._room(latest) >= 24 else 0
        if self._lapped(latest):
            return False
        if length > self._ring.maximum_length or length > self._room(latest) - 24 or sequence == 0:
            raise self._lie(latest, 0, length)
        self._position = latest + _aligned(24 + length)
        self._expected = sequence + 1
        return True

    def _check_latest(self, latest):
        if latest < self._position or latest & 15 or latest >> 63:
            raise RingError("the producer says that its latest record is at %#x" % latest)

    def _lapped(self, position):
        # x86-64 keeps loads in order: what was read before this was read before the producer announced this.
        return self._ring.u64[_RESERVED // 8] - position > self._ring.capacity

    def _jump(self):
        latest = self._ring.u64[_LATEST // 8]
        self._check_latest(latest)
        self._position = latest

    def _read(self):
        ring = self._ring
        for _ in range(64):
            position = self._position
            if self._word(position, 0) != position | 1:
                if not self._lapped(position):
                    return None
                self._jump()
                continue
            word = self._word(position, 8)
            type, length, room = word >> 32, word & 0xFFFFFFFF, self._room(position)
            sequence, payload = None, b""
            if type == _PADDING:
                if length == room - 16 and room != ring.capacity:
                    sequence = 0
            elif length <= ring.maximum_length and length <= room - 24:
                at = _DATA + (position & self._mask) + 24
                payload = bytes(ring.bytes[at:at + length])
                sequence = self._word(position, 16)
            if self._lapped(position):
                self._jump()
                continue
            if sequence is None:
                raise self._lie(position, type, length)
            if type == _PADDING:
                self._position += room
                continue
            if sequence < self._expected:
                raise RingError("the producer numbers a record %d after %d" % (sequence, self._expected - 1))
            self.lost += sequence - self._expected
            self._expected = sequence + 1
            self._position += _aligned(24 + length)
            return type, payload
        return None

    def _ready(self):
        return self._word(self._position, 0) == self._position | 1 or self._lapped(self._position)

    def close(self):
        self._open = False
