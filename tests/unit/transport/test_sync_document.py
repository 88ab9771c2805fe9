"""The document of the wire format says what the code does, byte for byte."""

import re
from pathlib import Path

import pytest

from tests.support.sync_messages import MESSAGES, SHARED
from wattswarm.kernel import limits
from wattswarm.kernel.radix_trie import EMPTY
from wattswarm.transport.proto.sync.frames import FrameReader
from wattswarm.transport.proto.sync.frames import encode as framed
from wattswarm.transport.proto.sync.messages import FORMS, decode, encode
from wattswarm.transport.proto.sync.session_key import session_key

TEXT = (Path(__file__).parents[3] / "docs" / "protocol" / "sync.md").read_text(encoding="utf-8")
VECTORS = {
    name: "".join(digits.split())
    for name, digits in re.findall(r"^```hex ([a-z-]+)\n([0-9a-f\s]+)```$", TEXT, re.MULTILINE)
}


def test_there_is_a_vector_of_every_message() -> None:
    assert VECTORS.keys() == MESSAGES.keys()


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_a_message_is_written_and_read_as_its_vector(name: str) -> None:
    wire = framed(encode(MESSAGES[name]))
    assert wire.hex() == VECTORS[name]
    (frame,) = FrameReader().feed(bytes.fromhex(VECTORS[name]))
    assert decode(frame) == MESSAGES[name]


def test_the_types_in_the_document_are_those_of_the_code() -> None:
    told = {
        int(number, 16): name
        for number, name in re.findall(r"^\| ([0-9a-f]{2}) \| ([A-Z]+)", TEXT, re.M)
    }
    assert told == {number: form.__name__.upper() for number, form in FORMS.items()}


def test_the_values_under_keys_are_those_of_the_code() -> None:
    key = session_key(b"d" * 16, b"a" * 16, 7)
    for value in (SHARED, key.secret, key.tag(EMPTY), key.short(bytes(6) + b"i" * 32)):
        assert f"`{value.hex()}`" in TEXT


def test_the_bounds_in_the_document_are_those_of_the_code() -> None:
    for name in vars(limits):
        if name.startswith("SYNC_"):
            assert f"{getattr(limits, name):,}".replace(",", " ") in TEXT, name
