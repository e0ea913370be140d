"""Checks a vfio-user server of a PCI function against the protocol's document, QEMU's docs/interop/vfio-user.rst.

    vfio_user_conformance.py SOCKET [PART-OF-A-NAME]

One line a check; exits 1 if one failed. The device is reset on the way, and may be written to: use one without data.
An NVMe controller is also made to identify itself, by DMA and with an interrupt.
"""

import ctypes
import errno
import json
import mmap
import os
import random
import select
import socket
import struct
import sys

from vfio_user_client import *  # noqa: F403

CHECKS = []
MIGRATION_FEATURE, MIGRATION_STATE_FEATURE = 1, 2
MEMORY = 2 << 20
BASE = 0x10_0000_0000
KNOWN_LIMITS = ("max_msg_fds", "max_data_xfer_size", "max_dma_maps", "pgsizes")


def check(function):
    CHECKS.append(function)
    return function


def eventfd():
    fd = ctypes.CDLL(None, use_errno=True).eventfd(0, os.O_NONBLOCK)
    assert fd >= 0
    return fd


def signalled(fd, timeout):
    if not select.select([fd], [], [], timeout)[0]:
        return 0
    return struct.unpack("=Q", os.read(fd, 8))[0]


def memory(size=MEMORY):
    fd = os.memfd_create("conformance")
    os.ftruncate(fd, size)
    return fd


def negotiate(path, document, minor=1, end=b"\0", major=0):
    client = Client(path)
    return client, client.exchange(VERSION, version(major, minor, document, end))


def serves(path):
    with Client.negotiated(path) as client:
        client.region_read(CONFIG, 0, 4)


def capabilities(reply):
    text = reply.payload[4:]
    assert text.endswith(b"\0"), "the version data ends with NUL"
    return json.loads(text[:-1])["capabilities"]


# Version


@check
def the_reply_has_the_major_version_no_newer_minor_and_limits(path):
    for minor in (0, 1, 7, 0xFFFF):
        client, reply = negotiate(path, '{"capabilities":{}}', minor)
        with client:
            assert struct.unpack_from("=H", reply.payload) == (0,)
            assert struct.unpack_from("=H", reply.payload, 2)[0] <= minor
            said = capabilities(reply)
            for name in KNOWN_LIMITS:
                assert isinstance(said.get(name, 1), int)
            assert not said.get("write_multiple") and not said.get("twin_socket"), "nobody proposed that"


@check
def version_data_is_optional_and_unknown_names_are_passed_over(path):
    for document in (None, "{}", '{"capabilities":{"of_tomorrow":{"a":[1,2,{}]}},"x":null}'):
        client, reply = negotiate(path, document)
        with client:
            assert not reply.is_error, document


@check
def wrong_versions_and_wrong_types_are_refused(path):
    for major, document in ((1, "{}"), (999, "{}"), (0, "{"), (0, '"'), (0, '{"capabilities":"23"}'),
                            (0, '{"capabilities":{"max_msg_fds":"foo"}}'), (0, '{"capabilities":{"max_msg_fds":-1}}'),
                            (0, '{"capabilities":{"migration":"23"}}')):
        try:
            client, reply = negotiate(path, document, major=major)
            with client:
                assert reply.is_error, document
        except Closed:
            pass
    serves(path)


@check
def nothing_is_done_before_the_version_is_agreed_on(path):
    with Client(path) as client:
        try:
            assert client.exchange(GET_INFO, struct.pack("=IIII", 16, 0, 0, 0)).is_error
        except Closed:
            pass
    serves(path)


@check
def a_twin_socket_comes_with_the_reply_that_promises_it(path):
    client, reply = negotiate(path, '{"capabilities":{"max_msg_fds":2,"twin_socket":{"supported":true}}}')
    with client:
        twin = capabilities(reply).get("twin_socket", {})
        if twin.get("supported"):
            fd = reply.fds[twin["fd_index"]]
            with socket.socket(fileno=fd) as other:
                assert other.family == socket.AF_UNIX and other.type == socket.SOCK_STREAM
        else:
            assert not reply.fds


# Messages


@check
def a_reply_echoes_id_and_command(path):
    with Client.negotiated(path) as client:
        for id in (0, 1, 0xFFFF, 1):
            client.send(client.message(GET_INFO, struct.pack("=IIII", 16, 0, 0, 0), id=id))
            reply = client.receive()
            assert (reply.id, reply.command, reply.flags & TYPE) == (id, GET_INFO, REPLY)
            assert not reply.flags & (ERROR | NO_REPLY)


@check
def commands_are_pipelined_and_answered_in_order(path):
    with Client.negotiated(path) as client:
        read = ACCESS.pack(0, CONFIG, 4)
        client.send(b"".join(client.message(REGION_READ, read, id=id) for id in range(200)))
        assert [client.receive().id for _ in range(200)] == list(range(200))


@check
def a_message_may_be_split_at_any_byte(path):
    with Client.negotiated(path) as client:
        whole = client.message(REGION_READ, ACCESS.pack(0, CONFIG, 4))
        for at in range(1, len(whole)):
            client.send(whole[:at])
            client.send(whole[at:])
            assert not client.receive().is_error
        for i in range(len(whole)):
            client.send(whole[i:i + 1])
        assert not client.receive().is_error


@check
def no_reply_means_none_and_the_order_stays(path):
    with Client.negotiated(path) as client:
        write = ACCESS.pack(0x3C, CONFIG, 1) + b"\x55"
        client.send(client.message(REGION_WRITE, write, NO_REPLY))
        client.send(client.message(999, b"12345678", NO_REPLY))
        assert client.region_read(CONFIG, 0x3C, 1) == b"\x55"
        client.region_write(CONFIG, 0x3C, b"\0")


@check
def an_unknown_command_is_refused_and_the_connection_goes_on(path):
    with Client.negotiated(path) as client:
        for command in (0, 19, 999, 0xFFFF, DMA_READ):
            client.error_of(command, bytes(16))
        client.region_read(CONFIG, 0, 4)


@check
def sizes_that_no_message_has_do_no_harm(path):
    for size in (0, 15, 0x7FFFFFFF, 0xFFFFFFFF):
        with Client.negotiated(path) as client:
            client.send(client.message(GET_INFO, b"", size=size))
            client.await_close()
    serves(path)


@check
def structures_that_are_cut_off_are_refused(path):
    with Client.negotiated(path) as client:
        for command, size in ((DMA_MAP, 32), (DMA_UNMAP, 24), (GET_INFO, 16), (GET_REGION_INFO, 32), (GET_IRQ_INFO, 16),
                              (SET_IRQS, 20), (REGION_READ, 16), (REGION_WRITE, 16), (GET_REGION_IO_FDS, 16),
                              (FEATURE, 8), (MIG_READ, 8)):
            for cut in (0, size // 2, size - 1):
                client.error_of(command, struct.pack("=I", size).ljust(size, b"\0")[:cut])
        client.region_read(CONFIG, 0, 4)


@check
def a_client_may_leave_in_the_middle_of_any_message(path):
    hello, read, map = version(0, 1, "{}"), ACCESS.pack(0, CONFIG, 4), struct.pack("=IIQQQ", 32, 3, 0, BASE, MEMORY)
    for connect, command, payload in ((Client, VERSION, hello), (Client.negotiated, REGION_READ, read),
                                      (Client.negotiated, DMA_MAP, map)):
        for left in (1, 16, 17, 15 + len(payload)):
            with connect(path) as client:
                client.send(client.message(command, payload)[:left], (memory_once(),))
    serves(path)


_memory = []


def memory_once():
    if not _memory:
        _memory.append(memory())
    return _memory[0]


@check
def nothing_of_earlier_messages_is_in_a_reply(path):
    mark = b"\xA5\x5A\xC3\x3C" * 4
    with Client.negotiated(path) as client:
        client.exchange(999, mark * 4096)
        with_mark = [client.exchange(GET_INFO, struct.pack("=IIII", 4096, 0, 0, 0))]
        for index in range(9):
            with_mark.append(client.exchange(GET_REGION_INFO, REGION_INFO.pack(4096, 0, index, 0, 0, 0)))
            with_mark.append(client.exchange(GET_REGION_IO_FDS, struct.pack("=IIII", 4096, 0, index, 0)))
        for index in range(5):
            with_mark.append(client.exchange(GET_IRQ_INFO, IRQ_INFO.pack(4096, 0, index, 0)))
        with_mark.append(client.exchange(REGION_READ, ACCESS.pack(0, CONFIG, 256)))
        assert all(mark[:8] not in reply.payload for reply in with_mark)


# The device


@check
def the_device_is_a_pci_device(path):
    with Client.negotiated(path) as client:
        for argsz in (16, 17, 4096):
            reply = client.call(GET_INFO, struct.pack("=IIII", argsz, 0, 0, 0))
            size, flags, regions, irqs = struct.unpack("=IIII", reply.payload)
            assert size == 16 and flags & 2 and regions >= 9 and irqs >= 5
        client.error_of(GET_INFO, struct.pack("=IIII", 15, 0, 0, 0))


@check
def regions_are_described_with_areas_that_can_be_mapped(path):
    with Client.negotiated(path) as client:
        for index in range(9):
            reply, (argsz, flags, same, cap_offset, size, offset) = client.region_info(index)
            assert same == index and argsz == len(reply.payload)
            assert len(reply.fds) <= 1 or flags & REGION_CAPS
            assert bool(reply.fds) == bool(flags & REGION_MMAP)
            if not flags & REGION_MMAP:
                continue
            areas = [(0, size)]
            while flags & REGION_CAPS and cap_offset:
                kind, _, next_offset = struct.unpack_from("=HHI", reply.payload, cap_offset)
                if kind == CAP_SPARSE_MMAP:
                    count, _ = struct.unpack_from("=II", reply.payload, cap_offset + 8)
                    areas = [struct.unpack_from("=QQ", reply.payload, cap_offset + 16 + 16 * i) for i in range(count)]
                cap_offset = next_offset
            for start, length in areas:
                assert start + length <= size, "an area outside of the region"
                with mmap.mmap(reply.fds[0], length, offset=offset + start) as area:
                    assert len(area[:4]) == 4
            for fd in reply.fds:
                os.close(fd)
        client.error_of(GET_REGION_INFO, REGION_INFO.pack(4096, 0, 512, 0, 0, 0))
        client.error_of(GET_REGION_INFO, REGION_INFO.pack(31, 0, 0, 0, 0, 0))


@check
def a_description_that_does_not_fit_says_how_much_it_needs(path):
    with Client.negotiated(path) as client:
        for index in range(9):
            full = client.region_info(index)[1]
            reply, (argsz, flags, _, cap_offset, size, _) = client.region_info(index, 32)
            assert (argsz, size) == (full[0], full[4]) and len(reply.payload) == 32
            if argsz > 32:
                assert not reply.fds and not flags & REGION_CAPS and cap_offset == 0


@check
def io_descriptors_are_told_or_refused(path):
    with Client.negotiated(path) as client:
        reply = client.exchange(GET_REGION_IO_FDS, struct.pack("=IIII", 4096, 0, BAR0, 0))
        if not reply.is_error:
            argsz, flags, index, count = struct.unpack_from("=IIII", reply.payload)
            assert (argsz, flags, index) == (len(reply.payload), 0, BAR0) and bool(count) == bool(reply.fds)
        client.error_of(GET_REGION_IO_FDS, struct.pack("=IIII", 4096, 0, 512, 0))


@check
def a_feature_that_is_probed_is_there_or_refused(path):
    with Client.negotiated(path) as client:
        for feature in (1, 2, 6, 7, 8, 0xFFFF):
            request = struct.pack("=II", 8, feature | 1 << 18)
            reply = client.exchange(FEATURE, request)
            assert reply.is_error or reply.payload == request


@check
def migration_is_refused_where_the_feature_is_not_there(path):
    with Client.negotiated(path) as client:
        probe = client.exchange(FEATURE, struct.pack("=II", 8, MIGRATION_FEATURE | 1 << 18))
        if probe.is_error:
            client.error_of(FEATURE, struct.pack("=IIII", 16, MIGRATION_STATE_FEATURE | 1 << 17, 2, 0))
            client.error_of(MIG_READ, struct.pack("=II", 4096, 4096))
            client.error_of(MIG_WRITE, struct.pack("=II", 12, 4) + bytes(4))
        client.region_read(CONFIG, 0, 4)


@check
def configuration_space_is_the_same_in_every_width(path):
    with Client.negotiated(path) as client:
        whole = client.region_read(CONFIG, 0, 256)
        assert whole[:4] not in (bytes(4), b"\xFF" * 4)
        assert client.region_read(CONFIG, 0, 4096)[:256] == whole
        for width in (1, 2, 3, 4, 5, 8, 16, 64):
            for offset in range(0, 64, width):
                assert client.region_read(CONFIG, offset, width) == whole[offset:offset + width]


@check
def accesses_outside_of_regions_are_refused(path):
    with Client.negotiated(path) as client:
        size = client.region_info(CONFIG)[1][4]
        for region, offset, count in ((CONFIG, size, 1), (CONFIG, size - 1, 2), (CONFIG, 1 << 63, 4),
                                      (CONFIG, (1 << 64) - 4, 8), (512, 0, 4), (CONFIG, 0, 0xFFFFFFFF)):
            client.error_of(REGION_READ, ACCESS.pack(offset, region, count))
            client.error_of(REGION_WRITE, ACCESS.pack(offset, region, count) + b"1234")
        client.error_of(REGION_WRITE, ACCESS.pack(0, CONFIG, 8) + b"1234")


@check
def several_writes_come_in_one_message(path):
    with Client.negotiated(path, {"write_multiple": True}) as client:
        writes = [(0x3C, b"\x11"), (0x3C, b"\x22")]
        body = b"".join(struct.pack("=QII8s", at, CONFIG, len(data), data) for at, data in writes)
        reply = client.exchange(WRITE_MULTI, struct.pack("=Q", 2) + body)
        if not reply.is_error:
            assert reply.payload == struct.pack("=Q", 2)
            assert client.region_read(CONFIG, 0x3C, 1) == b"\x22"
            client.error_of(WRITE_MULTI, struct.pack("=Q", 3) + body)
            client.error_of(WRITE_MULTI, struct.pack("=Q", 1 << 63) + body)


@check
def a_reset_forgets_what_was_written(path):
    with Client.negotiated(path) as client:
        client.region_write(CONFIG, 4, b"\x06\x04")
        assert client.region_read(CONFIG, 4, 2) == b"\x06\x04"
        assert client.call(RESET).payload == b""
        assert client.region_read(CONFIG, 4, 1)[0] & 4 == 0


# Interrupts


@check
def interrupts_are_described(path):
    with Client.negotiated(path) as client:
        for index in range(5):
            argsz, flags, same, count = client.irq_info(index)
            assert argsz == 16 and same == index and (not count or flags & 1)
        client.error_of(GET_IRQ_INFO, IRQ_INFO.pack(16, 0, 512, 0))
        client.error_of(GET_IRQ_INFO, IRQ_INFO.pack(15, 0, 0, 0))


@check
def vectors_are_connected_triggered_and_disconnected(path):
    with Client.negotiated(path) as client:
        index = next(i for i in (MSIX, MSI, INTX) if client.irq_info(i)[3])
        count = min(2, client.irq_info(index)[3])
        fds = [eventfd() for _ in range(count)]
        assert not client.set_irqs(DATA_EVENTFD | TRIGGER, index, 0, count, fds=fds).is_error
        assert not client.set_irqs(DATA_NONE | TRIGGER, index, count - 1, 1).is_error
        assert signalled(fds[-1], 5) == 1
        assert not client.set_irqs(DATA_BOOL | TRIGGER, index, 0, count, bytes(count - 1) + b"\1").is_error
        assert signalled(fds[-1], 5) == 1
        assert count == 1 or signalled(fds[0], 0) == 0
        assert not client.set_irqs(DATA_EVENTFD | TRIGGER, index, count - 1, 1).is_error
        client.set_irqs(DATA_NONE | TRIGGER, index, count - 1, 1)
        assert signalled(fds[-1], 0) == 0
        assert not client.set_irqs(DATA_NONE | TRIGGER, index, 0, 0).is_error
        for fd in fds:
            os.close(fd)


@check
def errors_and_requests_are_told_by_interrupt(path):
    with Client.negotiated(path) as client:
        for index in (ERR, REQ):
            if client.irq_info(index)[3] == 0:
                continue
            fd = eventfd()
            assert not client.set_irqs(DATA_EVENTFD | TRIGGER, index, 0, 1, fds=(fd,)).is_error
            assert signalled(fd, 0) == 0
            assert not client.set_irqs(DATA_NONE | TRIGGER, index, 0, 1).is_error
            assert signalled(fd, 5) == 1
            assert not client.set_irqs(DATA_NONE | TRIGGER, index, 0, 0).is_error
            os.close(fd)


@check
def wrong_interrupt_commands_are_refused(path):
    with Client.negotiated(path) as client:
        count = client.irq_info(MSIX)[3]
        fd = eventfd()
        for arguments, fds in (((DATA_NONE | TRIGGER, 512, 0, 1), ()), ((DATA_NONE | TRIGGER, MSIX, count, 1), ()),
                               ((DATA_NONE | TRIGGER, MSIX, 0, count + 1), ()), ((DATA_NONE, MSIX, 0, 1), ()),
                               ((DATA_NONE | MASK | UNMASK, MSIX, 0, 1), ()), ((TRIGGER, MSIX, 0, 1), ()),
                               ((DATA_NONE | DATA_BOOL | TRIGGER, MSIX, 0, 1), ()),
                               ((DATA_NONE | TRIGGER, MSIX, 0xFFFFFFFF, 2), ()),
                               ((DATA_EVENTFD | TRIGGER, MSIX, 0, 2), (fd,)),
                               ((DATA_EVENTFD | TRIGGER, MSIX, 0, 1), (memory_once(),))):
            assert client.set_irqs(*arguments, fds=fds).is_error, arguments
        os.close(fd)


# DMA


@check
def memory_is_mapped_once_and_unmapped_as_it_was(path):
    with Client.negotiated(path) as client:
        fd = memory_once()
        client.dma_map(BASE, MEMORY, fd)
        for address, size in ((BASE, MEMORY), (BASE + 4096, 4096), (BASE - 4096, 8192), (BASE - 4096, MEMORY + 8192)):
            try:
                client.dma_map(address, size)
                raise AssertionError("an overlapping map was not refused")
            except Refused as e:
                assert e.error in (0, errno.EEXIST)
        for address, size in ((BASE, 4096), (BASE + 4096, MEMORY), (0, MEMORY)):
            try:
                client.dma_unmap(address, size)
                raise AssertionError("an unmap of something else was not refused")
            except Refused:
                pass
        client.dma_unmap(BASE, MEMORY)
        client.dma_map(BASE, MEMORY, fd, flags=1)
        client.dma_unmap(BASE, MEMORY)
        client.dma_map(BASE, MEMORY)
        client.dma_unmap(BASE, MEMORY)


@check
def many_maps_are_held(path):
    with Client.negotiated(path) as client:
        fd = memory_once()
        for i in range(512):
            client.dma_map(BASE + i * 8192, 4096, fd, offset=i * 4096)
        for i in reversed(range(512)):
            client.dma_unmap(BASE + i * 8192, 4096)


@check
def wrong_maps_do_no_harm(path):
    with Client.negotiated(path) as client:
        for fields in ((32, 3, 0, 0, 0), (32, 3, 0, (1 << 64) - 4096, 8192), (32, 0xFF, 0, BASE, 4096),
                       (31, 3, 0, BASE, 4096), (32, 3, 1 << 63, BASE, 4096), (32, 3, 0, BASE, 1 << 63)):
            client.error_of(DMA_MAP, struct.pack("=IIQQQ", *fields), (memory_once(),))
        event = eventfd()
        client.error_of(DMA_MAP, struct.pack("=IIQQQ", 32, 3, 0, BASE, 4096), (event,))
        os.close(event)
    serves(path)


@check
def random_messages_do_no_harm(path):
    seed = random.randrange(1 << 32)
    generator = random.Random(seed)
    for _ in range(30):
        try:
            with Client.negotiated(path) as client:
                for _ in range(30):
                    payload = generator.randbytes(generator.randrange(80))
                    if generator.random() < 0.5:
                        payload = bytes(b & 0x2F if i % 4 == 0 else 0 for i, b in enumerate(payload))
                    fds = (memory_once(),) if generator.random() < 0.2 else ()
                    client.send(client.message(generator.randrange(20), payload, generator.randrange(4) << 4), fds)
        except (ConnectionError, Closed):
            pass
    try:
        serves(path)
    except Exception as e:
        raise AssertionError("not after the random messages of seed %d" % seed) from e


@check
def an_nvme_controller_identifies_itself(path):
    import vfio_user_nvme

    with Client.negotiated(path) as client:
        if client.region_read(CONFIG, 9, 3) != b"\x02\x08\x01":
            return
        vfio_user_nvme.identify(client, memory(), eventfd())
    serves(path)


def main(arguments):
    if not 1 <= len(arguments) <= 2:
        sys.exit(__doc__)
    failed = 0
    chosen = [c for c in CHECKS if len(arguments) < 2 or arguments[1] in c.__name__]
    for function in chosen:
        name = function.__name__.replace("_", " ")
        try:
            function(arguments[0])
            print("ok     ", name, flush=True)
        except Exception as e:
            failed += 1
            line = e.__traceback__
            while line.tb_next:
                line = line.tb_next
            print("FAILED ", name, "(%s: %s, line %d)" % (type(e).__name__, e, line.tb_lineno), flush=True)
    print("%d checked, %d failed" % (len(chosen), failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
