"""A body goes from a provider to a getter, in one go or in several."""

import pytest
from blake3 import blake3

from wattswarm.kernel.errors import Malformed
from wattswarm.transport.proto.blobs import request, tree
from wattswarm.transport.proto.blobs.errors import CutOff, NotHeld, NotServed, WrongBytes
from wattswarm.transport.proto.blobs.getter import Getter
from wattswarm.transport.proto.blobs.provider import Body, Provider
from wattswarm.transport.proto.blobs.ranges import ALL, ChunkRanges, RangesByBlob
from wattswarm.transport.proto.blobs.request import Get

CONTENT = bytes(range(256)) * 400
ROOT = blake3(CONTENT).digest()


def find(root: bytes) -> Body | None:
    if root != ROOT:
        return None
    outboard = tree.hash_body([CONTENT]).outboard
    return Body(len(CONTENT), outboard, lambda at, length: CONTENT[at : at + length])


def answer(wire: bytes) -> bytes:
    provider = Provider(find)
    for byte in wire:
        provider.receive(bytes((byte,)))
    return b"".join(provider.end())


def test_a_body_is_got_whole() -> None:
    getter = Getter(ROOT)
    pieces = getter.receive(answer(getter.request()))
    getter.end()
    assert b"".join(piece.content for piece in pieces) == CONTENT
    assert getter.is_done
    assert getter.size == len(CONTENT)
    assert getter.held == ALL


def test_a_body_is_got_from_one_provider_and_then_from_another() -> None:
    first = Getter(ROOT)
    pieces = list(first.receive(answer(first.request())[:50_000]))
    with pytest.raises(CutOff):
        first.end()
    pieces += first.pause()
    assert first.held == ChunkRanges((0, 48))
    assert first.size is None

    second = Getter(ROOT, first.held)
    rest = answer(second.request())
    assert len(rest) < len(CONTENT) - 48 * 1024 + 1024
    pieces += second.receive(rest)
    second.end()
    assert b"".join(piece.content for piece in pieces) == CONTENT
    assert second.held == ALL


def test_a_body_that_is_not_there_is_an_empty_answer() -> None:
    getter = Getter(b"\1" * 32)
    assert answer(getter.request()) == b""
    with pytest.raises(NotHeld):
        getter.end()


def test_another_body_than_asked_for_is_told() -> None:
    with pytest.raises(WrongBytes):
        Getter(b"\1" * 32).receive(answer(Get.blob(ROOT).encode()))


def test_children_are_not_served() -> None:
    with pytest.raises(NotServed):
        answer(Get(ROOT, RangesByBlob(((0, ALL),))).encode())


def test_a_request_that_is_too_large_is_refused_before_it_is_kept() -> None:
    provider = Provider(find)
    provider.receive(b"\0" * request.REQUEST_BYTES_MAX)
    with pytest.raises(Malformed):
        provider.receive(b"\0\0")
