"""The verdict on an event: it is effective, waits for something named, or is ignored.

Verdicts move from waiting or ignored to effective and, statements apart, never back. Sentences are
made on display and are no part of the state.
"""

import enum
from typing import NamedTuple, TypeAlias

import attrs

from wattswarm.kernel.codes import CODES
from wattswarm.kernel.event import Event
from wattswarm.kernel.ids import EventId, short


class On(enum.StrEnum):
    """What kind of thing is waited for."""

    EVENT = "event"
    VERSION = "version"
    EPOCH = "epoch"
    ATTEMPT = "attempt"
    APPROVAL = "approval"
    LEASE = "lease"
    EXPIRY = "expiry"
    QUORUM = "quorum"


class Need(NamedTuple):
    """One thing that is waited for.

    An event by id, a governance version by hash, a claim's approval or longer lease, the quorum of
    a content by its hash, or the opening of an epoch or attempt (then `name` is the pin) or a later
    end of it.
    """

    on: On
    name: bytes
    epoch: int = 0
    attempt: int = 0

    def __str__(self) -> str:
        match self.on:
            case On.EVENT:
                return f"event {short(self.name)}"
            case On.VERSION:
                return f"governance version {short(self.name)}"
            case On.EPOCH:
                return f"epoch {self.epoch} to be opened"
            case On.ATTEMPT:
                return f"attempt {self.attempt} of epoch {self.epoch} to be opened"
            case On.APPROVAL:
                return f"the task's creator to approve of claim {short(self.name)}"
            case On.LEASE:
                return f"a longer lease of claim {short(self.name)}"
            case On.EXPIRY:
                return f"a later end of epoch {self.epoch}"
            case On.QUORUM:  # exhaustive
                return f"more finalizers to sign the same, {short(self.name)}"


@attrs.frozen
class Effective:
    """The event has taken effect."""


@attrs.frozen
class Waiting:
    """The event will be judged further when what it waits for is there."""

    for_: tuple[Need, ...]


@attrs.frozen
class Ignored:
    """The event has no effect; `code` is of the public table, `of` an event that it is about."""

    code: str
    of: EventId | None = None


Verdict: TypeAlias = Effective | Waiting | Ignored


def explain(verdict: Verdict, event: Event) -> str:
    """Return one sentence for people: what has become of the event, and why."""
    what = f"{event.kind} {short(event.event_id)} by {short(event.author)}"
    match verdict:
        case Effective():
            return f"{what} is effective."
        case Waiting():
            return f"{what} waits for {' and '.join(map(str, verdict.for_))}."
        case Ignored():  # exhaustive
            about = "" if verdict.of is None else f" (see event {short(verdict.of)})"
            return f"{what} is ignored: {CODES[verdict.code].rstrip('.')}{about}."
