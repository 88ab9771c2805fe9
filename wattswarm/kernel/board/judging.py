"""The verdict on an event of the board: a function of the event, and of what voids it."""

from typing import Final, Protocol

import attrs

from wattswarm.kernel.board.kinds import KINDS
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Event
from wattswarm.kernel.payloads import board
from wattswarm.kernel.payloads.board import BoardPayload
from wattswarm.kernel.verdict import Ignored


class Statements(Protocol):
    """What judging asks of statements; `Governance` answers it."""

    def voids(self, event: Event) -> str | None:
        """Return the code of why a statement leaves an event without effect, or None."""
        ...


@attrs.frozen
class _Nothing:
    def voids(self, event: Event) -> str | None:
        del event
        return None


NOTHING_VOIDED: Final[Statements] = _Nothing()


def judge(event: Event, statements: Statements = NOTHING_VOIDED) -> BoardPayload | Ignored:
    """Return what an event of the board says, or why it has no effect."""
    payload = judge_form(event)
    if isinstance(payload, Ignored):
        return payload
    flaw = KINDS[event.kind].judge(payload, event)
    if flaw is not None:
        return flaw
    code = statements.voids(event)
    return payload if code is None else Ignored(code)


def judge_form(event: Event) -> BoardPayload | Ignored:
    """Return what an event says, or what is wrong with it whatever its scope and author."""
    assert event.kind in KINDS, event.kind
    assert event.group_task is None, "such an event is one of a task"
    if event.lane_class is not KINDS[event.kind].lane_class:
        return Ignored("wrong_class")
    try:
        return board.read(event.kind, event.payload)
    except Malformed as error:
        return Ignored(error.code)
