"""Where the next page of a list begins: a text that means something to this node only."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Final, TypeVar, cast

from wattswarm.kernel import canonical
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.limits import CREATED_AT_MAX

T = TypeVar("T")

BYTES_MAX: Final = 4_096
BAD_CURSOR: Final = Rejection(
    code="bad_parameter",
    message="the cursor is not one that this node gave: begin again without it",
)


def next_of(found: Sequence[T], limit: int, place: Callable[[T], Sequence[Value]]) -> str | None:
    """Return the cursor of the page after this, or None when it is the last.

    Args:
        found: The items of this page, and one more if there are more.
        place: Returns the parts of an item that say where in the list it is.
    """
    return write(place(found[limit - 1])) if len(found) > limit else None


def write(place: Sequence[Value]) -> str:
    """Return a place in a list as a cursor."""
    return urlsafe_b64encode(canonical.encode(list(place))).rstrip(b"=").decode()


def read(cursor: str | None, make: Callable[[Sequence[Value]], T | None]) -> T | Rejection | None:
    """Return the place that a cursor stands for, and None without one; refuse any other text.

    Args:
        make: Returns what the parts of a place make, or None when they are those of another list.
    """
    if cursor is None:
        return None
    made = make(_parts(cursor))
    return BAD_CURSOR if made is None else made


def _parts(cursor: str) -> Sequence[Value]:
    """Return the parts of a cursor; none of what no node writes."""
    try:
        content = urlsafe_b64decode(cursor.encode("ascii") + b"==")
        value = canonical.decode(content, bytes_max=BYTES_MAX)
    except (ValueError, Malformed):
        return ()
    parts = cast("Sequence[Value]", value) if isinstance(value, list) else ()
    return parts if all(map(_is_part, parts)) else ()


def _is_part(part: Value) -> bool:
    match part:
        case bool():
            return False
        case int():
            return part <= CREATED_AT_MAX
        case str() | bytes():
            return True
        case _:
            return False
