"""Passing messages without actors: two tasks and a deque, two processes and a socket pair."""

import socket
import struct
import subprocess
import sys
import time
import zlib
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, cast

import cbor2
import trio

FRAME: Final = struct.Struct("<II")
"""Length and checksum of what follows."""

BATCH: Final = 64
CHUNK: Final = 262_144
ROOM: Final = 1_024


async def deque_rate(count: int) -> float:
    """Return how many items per second one task hands to another through a bounded deque."""
    items: deque[bytes] = deque()
    full, empty = trio.lowlevel.ParkingLot(), trio.lowlevel.ParkingLot()

    async def take() -> None:
        left = count
        while left:
            while not items:
                await empty.park()
            items.popleft()
            left -= 1
            if full:
                full.unpark()

    began = time.perf_counter()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(take)
        for _ in range(count):
            while len(items) >= ROOM:
                await full.park()
            items.append(b"")
            if empty:
                empty.unpark()
    return count / (time.perf_counter() - began)


async def event_round_trips_us(count: int) -> Sequence[float]:
    """Return how long a question and its answer take between two tasks that wait for events."""
    took: list[float] = []
    inbox: deque[tuple[trio.Event, bytes]] = deque()
    waiting = trio.lowlevel.ParkingLot()

    async def answer() -> None:
        while True:
            while not inbox:
                await waiting.park()
            reply, _ = inbox.popleft()
            reply.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(answer)
        for _ in range(count):
            began = time.perf_counter()
            reply = trio.Event()
            inbox.append((reply, b""))
            waiting.unpark()
            await reply.wait()
            took.append((time.perf_counter() - began) * 1e6)
        nursery.cancel_scope.cancel()
    return took


def pair_rate(body: bytes, count: int) -> float:
    """Return how many messages per second go to another process, encoded, checked and decoded."""
    with _peer("take") as sock:
        one = _frame(body)
        began = time.perf_counter()
        for at in range(0, count, BATCH):
            sock.sendall(b"".join(_frame(body) for _ in range(min(BATCH, count - at))))
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1), one
        return count / (time.perf_counter() - began)


def pair_round_trips_us(body: bytes, count: int) -> Sequence[float]:
    """Return how long a question and its answer take between two processes, on blocking sockets."""
    took: list[float] = []
    with _peer("echo") as sock:
        frames = _frames(sock)
        for _ in range(count):
            began = time.perf_counter()
            sock.sendall(_frame(body))
            next(frames)
            took.append((time.perf_counter() - began) * 1e6)
    return took


def _frame(body: bytes) -> bytes:
    encoded = cbor2.dumps([1, 1, body])
    return FRAME.pack(len(encoded), zlib.crc32(encoded)) + encoded


def _frames(sock: socket.socket) -> Iterator[object]:
    """Yield what arrives, checked and decoded, until the other end shuts down."""
    waiting = bytearray()
    while chunk := sock.recv(CHUNK):
        waiting += chunk
        at = 0
        while len(waiting) - at >= FRAME.size:
            size, checksum = FRAME.unpack_from(waiting, at)
            if len(waiting) - at - FRAME.size < size:
                break
            encoded = bytes(waiting[at + FRAME.size : at + FRAME.size + size])
            assert zlib.crc32(encoded) == checksum
            yield cbor2.loads(encoded)
            at += FRAME.size + size
        del waiting[:at]


@contextmanager
def _peer(what: str) -> Generator[socket.socket]:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "bench.raw_messages", what, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
            )
        try:
            assert ours.recv(1), "it is there"
            yield ours
        finally:
            ours.close()
            process.wait()


def serve(what: str, sock: socket.socket) -> None:
    """Be the other process until the first is done."""
    sock.sendall(b"!")
    for value in _frames(sock):
        if what == "echo":
            _, _, body = cast("tuple[int, int, bytes]", value)
            sock.sendall(_frame(body))
    if what == "take":
        sock.sendall(b"!")


if __name__ == "__main__":
    serve(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))
