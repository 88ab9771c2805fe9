"""Names that people give: the full hex name of a thing, or a unique prefix of it."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId, NodeId, Seq, TaskId, short
from wattswarm.store.board_reader import BoardReader
from wattswarm.store.connection import Connection
from wattswarm.store.log_reader import LogReader
from wattswarm.store.log_record import LogRow
from wattswarm.store.projection_reader import ProjectionReader

T = TypeVar("T")
K = TypeVar("K", bound=bytes)

HEX_PREFIX: Final = re.compile(r"[0-9a-f]{1,64}\Z")
FULL_NIBBLES: Final = 64
SEQ: Final = re.compile(r"[0-9]{1,15}\Z")
CREATION: Final = "TASK_CREATED"
SCANNED_MAX: Final = 64
"""Events that a prefix may fit before it is called ambiguous unread."""

NAME_SHOWN_MAX: Final = 80


def find_task(connection: Connection, name: str) -> TaskId | Rejection:
    """Return the task of this name: one that was created here, or that events speak of.

    A task that was created a moment ago is found as well: the log is asked, not only what is
    derived from it.
    """
    if not HEX_PREFIX.match(name):
        return _unknown("task", name)
    reader = LogReader(connection)
    if (task_id := as_task_id(name)) is not None:
        found = [task_id] if reader.task_events(task_id, limit=1) else []
        return _one(found, "task", name)
    rows = reader.find(name, limit=SCANNED_MAX)
    created = {row.event_id for row in rows if row.kind == CREATION}
    known = created.union(ProjectionReader(connection).find_tasks(name))
    return _one(sorted(known), "task", name)


def as_task_id(name: str) -> TaskId | None:
    """Return the task that a complete name is of, whether anything is known of it or not."""
    return as_event_id(name)


def as_event_id(name: str) -> EventId | None:
    """Return the event that a complete name is of, whether anything is known of it or not."""
    whole = as_digest(name)
    return None if whole is None else EventId(whole)


def as_node_id(name: str) -> NodeId | None:
    """Return the node that a complete name is of, whether anything is known of it or not."""
    whole = as_digest(name)
    return None if whole is None else NodeId(whole)


def as_digest(name: str) -> bytes | None:
    """Return the 32 bytes that a complete name stands for; None for any other text."""
    if len(name) != FULL_NIBBLES or not HEX_PREFIX.match(name):
        return None
    return bytes.fromhex(name)


def find_message(board: BoardReader, name: str) -> EventId | Rejection:
    """Return the topic message whose id begins so."""
    if not HEX_PREFIX.match(name):
        return _unknown("message", name)
    return _one(board.find_messages(name), "message", name)


def find_event(connection: Connection, name: str) -> LogRow | Rejection:
    """Return the event of this id or prefix, or at this seq in decimal.

    Digits alone are a seq when there is such a row, and else the beginning of an id.
    """
    at = LogReader(connection).at(Seq(int(name))) if SEQ.match(name) else None
    return at or find_prefix(connection, name)


def find_prefix(connection: Connection, name: str) -> LogRow | Rejection:
    """Return the event of this id or unique prefix; digits are no seq here."""
    if not HEX_PREFIX.match(name):
        return _unknown("event", name)
    return _one(LogReader(connection).find(name), "event", name)


def pick(known: Iterable[K], name: str, what: str) -> K | Rejection:
    """Return the one of these ids that has this name; `what` they are is said when none has."""
    if not HEX_PREFIX.match(name):
        return _unknown(what, name)
    return _one(sorted(each for each in known if each.hex().startswith(name)), what, name)


def _one(found: Sequence[T], what: str, name: str) -> T | Rejection:
    if not found:
        return _unknown(what, name)
    if len(found) == 1:
        return found[0]
    first = ", ".join(map(_shown, found[:2]))
    return Rejection(
        code="ambiguous_name",
        message=f"several {what}s begin with {name}, {first} among them: give more digits",
    )


def _shown(found: object) -> str:
    match found:
        case bytes():
            return short(found)
        case LogRow(event_id=event_id):
            return short(event_id)
        case _:
            return str(found)


def _unknown(what: str, name: str) -> Rejection:
    shown = name[:NAME_SHOWN_MAX]
    return Rejection(code="not_found", message=f"there is no {what} {shown} here")
