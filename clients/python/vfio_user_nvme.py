"""Makes an NVMe controller behind vfio-user identify itself: admin queues in shared memory, one interrupt.

NVM Express base specification 2.0: 3.1.3 registers, 3.3.3 queues, 5.17 identify.
"""

import mmap
import select
import struct
import time

from vfio_user_client import BAR0, CONFIG, DATA_EVENTFD, MSIX, TRIGGER

ADDRESS = 0x40_0000_0000
SIZE = 2 << 20
SUBMISSION, COMPLETION, DATA = 0, 0x1000, 0x2000
CAP, CC, CSTS, AQA, ASQ, ACQ, DOORBELLS = 0, 0x14, 0x1C, 0x24, 0x28, 0x30, 0x1000
ENABLE = 6 << 16 | 4 << 20 | 1
ENTRIES = 4
PATIENCE = 20.0


def identify(client, memory, event):
    client.region_write(CONFIG, 4, struct.pack("=H", 6))
    client.dma_map(ADDRESS, SIZE, memory)
    assert not client.set_irqs(DATA_EVENTFD | TRIGGER, MSIX, 0, 1, fds=(event,)).is_error
    with mmap.mmap(memory, SIZE) as shared:
        client.region_write(BAR0, CC, struct.pack("=I", 0))
        await_status(client, 0)
        client.region_write(BAR0, AQA, struct.pack("=I", (ENTRIES - 1) << 16 | ENTRIES - 1))
        client.region_write(BAR0, ASQ, struct.pack("=Q", ADDRESS + SUBMISSION))
        client.region_write(BAR0, ACQ, struct.pack("=Q", ADDRESS + COMPLETION))
        client.region_write(BAR0, CC, struct.pack("=I", ENABLE))
        await_status(client, 1)
        # IDENTIFY of the controller, command id 7.
        shared[SUBMISSION:SUBMISSION + 64] = struct.pack("=IIQQQQIIIIII", 7 << 16 | 6, 0, 0, 0, ADDRESS + DATA, 0, 1, 0,
                                                         0, 0, 0, 0)
        client.region_write(BAR0, DOORBELLS, struct.pack("=I", 1))
        assert select.select([event], [], [], PATIENCE)[0], "no interrupt came"
        _, _, head, queue, id, status = struct.unpack_from("=IIHHHH", shared, COMPLETION)
        assert (head, queue, id, status) == (1, 0, 7, 1), "the completion is %r" % ((head, queue, id, status),)
        serial = shared[DATA + 4:DATA + 24]
        assert serial.strip() and serial.isascii(), "the serial number is %r" % serial
        # The memory is taken away from a controller that runs: it fails, and nothing else does.
        client.dma_unmap(ADDRESS, SIZE)
        client.region_write(BAR0, DOORBELLS, struct.pack("=I", 2))
        client.region_read(BAR0, CSTS, 4)


def await_status(client, ready):
    deadline = time.monotonic() + PATIENCE
    while struct.unpack("=I", client.region_read(BAR0, CSTS, 4))[0] & 1 != ready:
        assert time.monotonic() < deadline, "CSTS.RDY does not become %d" % ready
