"""Runs calls on an mmap object, one a line of standard input, and prints what each gives, one a line.

The first line: open PATH read|write|copy OFFSET LENGTH. Then a call and its arguments; bytes are hexadecimal after "x",
"-" is an argument that is left out. The answers: "= VALUE", or "! EXCEPTION MESSAGE".
"""
import mmap
import os
import sys

ACCESS = {"read": mmap.ACCESS_READ, "write": mmap.ACCESS_WRITE, "copy": mmap.ACCESS_COPY}


def value(text):
    if text == "-":
        return None
    return bytes.fromhex(text[1:]) if text.startswith("x") else int(text)


def shown(result):
    if isinstance(result, bytes):
        return "x" + result.hex()
    return "-" if result is None else str(result)


def start(path, access, offset, length):
    fd = os.open(path, os.O_RDONLY if access == "read" else os.O_RDWR)
    try:
        return mmap.mmap(fd, int(length), access=ACCESS[access], offset=int(offset))
    finally:
        os.close(fd)


def call(mapped, name, args):
    if name == "len":
        return len(mapped)
    if name == "closed":
        return int(mapped.closed)
    if name == "get":
        return mapped[args[0]]
    if name == "put":
        mapped[args[0]] = args[1]
        return None
    if name == "slice":
        return mapped[slice(*args)]
    if name == "putslice":
        mapped[slice(*args[:-1])] = args[-1]
        return None
    return getattr(mapped, name)(*args)


mapped = None
for line in sys.stdin:
    name, *texts = line.split()
    try:
        if name == "open":
            mapped = None
            mapped = start(*texts)
            result = len(mapped)
        else:
            result = call(mapped, name, [value(text) for text in texts])
        print("=", shown(result))
    except Exception as e:
        print("!", type(e).__name__, e)
