"""Cursors: what this node wrote is read again, and nothing else is."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence

import pytest

from wattswarm.kernel import canonical
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.limits import CREATED_AT_MAX
from wattswarm.operations import cursors

PLACE = (17, "a place", b"\xff" * 32)


def as_number(parts: Sequence[Value]) -> int | None:
    match parts:
        case [int() as number]:
            return number
        case _:
            return None


def cursor_of(value: Value) -> str:
    return urlsafe_b64encode(canonical.encode(value)).rstrip(b"=").decode()


def test_a_place_is_read_as_it_was_written() -> None:
    assert cursors.read(cursors.write(PLACE), tuple) == PLACE
    assert cursors.read(None, tuple) is None


def test_the_next_page_begins_after_the_last_item_of_this_one() -> None:
    found = [5, 4, 3]
    following = cursors.next_of(found, 2, lambda item: [item])
    assert cursors.read(following, as_number) == 4
    assert cursors.next_of(found, 3, lambda item: [item]) is None
    assert cursors.next_of([], 3, lambda item: [item]) is None


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "\x7f",
        "W10",
        cursor_of([True]),
        cursor_of([CREATED_AT_MAX + 1]),
        cursor_of([[1]]),
        cursor_of({"a": 1}),
        cursor_of(["of another list"]),
        cursor_of(["long" * cursors.BYTES_MAX]),
    ],
)
def test_what_no_node_wrote_is_refused(cursor: str) -> None:
    assert cursors.read(cursor, as_number) == cursors.BAD_CURSOR
