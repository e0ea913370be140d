"""The Python side of Outboard's tests of rings: writes, reads and checks numbered records, creates rings, lies.

    ring_check.py write|read|create|lies FILE COUNT SPIN_NANOS
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import outboard_ring  # noqa: E402

LONG_TIME = 60


def length(number):
    mixed = ((number + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF) >> 33
    return 8 + (mixed >> 1) % 200


def payload(number):
    return number.to_bytes(8, "little") + bytes((number + i) & 0xFF for i in range(8, length(number)))


def write(ring, count):
    with ring.producer() as producer:
        for number in range(count):
            if not producer.offer(number & 0x7FFFFFFF, payload(number), LONG_TIME):
                sys.exit("the consumer does not read")


def read(ring):
    expected = records = 0
    with ring.consumer() as consumer:
        try:
            while True:
                record = consumer.read(LONG_TIME)
                if record is None:
                    sys.exit("the producer does not write after %d" % records)
                type, data = record
                number = int.from_bytes(data[:8], "little")
                if number < expected or type != number & 0x7FFFFFFF or data != payload(number):
                    sys.exit("record %d of type %d is wrong; %d was due" % (number, type, expected))
                expected = number + 1
                records += 1
        except outboard_ring.PeerGone as gone:
            if "closed" not in str(gone):
                raise
        print("%d records, %d lost, next %d" % (records, consumer.lost, expected))


def lies(path):
    refused = 0
    for offset, value in ((0x00, 0), (0x08, 2), (0x0C, 9), (0x10, 0), (0x10, 1 << 20), (0x10, 3000), (0x1C, 7), (0x20, 0)):
        with open(path, "r+b") as file:
            before = file.read()
            file.seek(offset)
            file.write(value.to_bytes(4 if offset in (0x08, 0x0C, 0x1C, 0x20) else 8, "little"))
            file.flush()
            try:
                outboard_ring.Ring.attach(path)
            except outboard_ring.RingError:
                refused += 1
            file.seek(0)
            file.write(before)
    print("refused %d" % refused)


def main():
    action, path, count, spin_nanos = sys.argv[1:5]
    outboard_ring._SPIN_SECONDS = int(spin_nanos) / 1e9
    if action == "create":
        outboard_ring.Ring.create(path, outboard_ring.BROADCAST, 4096).close()
        print("created")
    elif action == "lies":
        lies(path)
    else:
        with outboard_ring.Ring.attach(path) as ring:
            write(ring, int(count)) if action == "write" else read(ring)


if __name__ == "__main__":
    main()
