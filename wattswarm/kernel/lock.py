"""Sign-locks: what a node has signed once, and may not sign otherwise ever after.

The log writer takes the lock in the transaction that appends the event, and refuses another value
for the same key; a refused lock refuses its whole batch. So no crash at any step of signing, and no
second thought, makes a node contradict itself.
"""

import enum
from collections.abc import Collection, Iterable

import attrs

from wattswarm.kernel import canonical
from wattswarm.kernel.event import Draft
from wattswarm.kernel.ids import Digest, EventId, TaskId


class LockKind(enum.StrEnum):
    """What is signed at most once per key."""

    FINALITY = "finality"
    COMMIT = "commit"
    REVEAL = "reveal"
    PLAIN_VOTE = "plain_vote"
    DECISION = "decision"
    EPOCH_END = "epoch_end"
    GOVERNANCE = "governance"


@attrs.frozen
class Lock:
    """`value` is what was signed for `key`: an event id, a candidate, a pin, or a version."""

    kind: str
    key: bytes
    value: bytes


@attrs.frozen
class Signing:
    """A draft to be signed and appended, with the locks that must hold in the same transaction.

    `opened_at`: when that was opened, in ms, which this may contradict an earlier signature on: an
    epoch, or governance as it stands. A log that was restored since then has forgotten locks, so
    its writer refuses it. None: it contradicts nothing, whatever was signed before.
    """

    draft: Draft
    locks: tuple[Lock, ...] = ()
    opened_at: int | None = None


def opened_at(signings: Iterable[Signing]) -> int | None:
    """Return when the oldest of what some signings are for was opened, if that matters to any."""
    return min((each.opened_at for each in signings if each.opened_at is not None), default=None)


def epoch_key(task_id: TaskId, epoch: int, pin: Digest) -> bytes:
    """Return the key of what is signed once per epoch: a decision, finality, or its end."""
    return canonical.encode([task_id, epoch, pin])


def vote_key(task_id: TaskId, epoch: int, pin: Digest, attempt: int, candidate: EventId) -> bytes:
    """Return the key of what is signed once per candidate and attempt: each form of a vote."""
    parts: list[canonical.Value] = [task_id, epoch, pin, attempt, candidate]
    return canonical.encode(parts)


def governance_lock(prev: Digest, version: Digest, after: Collection[Digest] = ()) -> Lock:
    """Return the lock on the one successor of `prev` that a finalizer signs.

    A second one, which names the first as superseded, has a lock of its own, and so on: `after` are
    the successors of `prev` that were signed before. So nobody signs two that do not name each
    other, and two that supersede the same are two values for one key.
    """
    key = canonical.encode([prev, sorted(after)]) if after else prev
    return Lock(LockKind.GOVERNANCE.value, key, version)
