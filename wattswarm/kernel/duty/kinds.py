"""The duties: one frozen class each, with a key that makes two of them the same duty."""

from typing import Final, TypeAlias

import attrs

from wattswarm.kernel.decide.gate import Signings
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.records import Subject

Key: TypeAlias = "tuple[str | int | bytes, ...]"


@attrs.frozen(kw_only=True)
class Claim:
    """Take a place."""

    role: Work
    executor: str
    attempt: int
    signings: Signings

    @property
    def key(self) -> Key:
        """What makes two of these the same duty."""
        return ("claim", self.attempt, self.role.value, self.executor)


@attrs.frozen(kw_only=True)
class Approve:
    """As the task's creator, approve of a claim."""

    claim: EventId
    signings: Signings

    @property
    def key(self) -> Key:
        """What makes two of these the same duty."""
        return ("approve", self.claim)


@attrs.frozen(kw_only=True)
class Renew:
    """Go on holding a claim whose work is in hand."""

    claim: EventId
    previous: EventId
    signings: Signings

    @property
    def key(self) -> Key:
        """What makes two of these the same duty."""
        return ("renew", self.claim, self.previous)


@attrs.frozen(kw_only=True)
class Release:
    """Withdraw a claim that waited for a place in vain."""

    claim: EventId
    signings: Signings

    @property
    def key(self) -> Key:
        """What makes two of these the same duty."""
        return ("release", self.claim)


@attrs.frozen(kw_only=True)
class Execute:
    """Have the executor make an output, and propose it."""

    claim: EventId
    executor: str
    attempt: int
    execution_id: str

    @property
    def key(self) -> Key:
        """What makes two of these the same duty."""
        return ("execute", self.execution_id)


@attrs.frozen(kw_only=True)
class Verify:
    """Have the executor verify a candidate; evidence of `digests` is to be held and confirmed."""

    claim: EventId
    candidate: EventId
    executor: str
    attempt: int
    execution_id: str
    digests: tuple[str, ...]

    @property
    def key(self) -> Key:
        """What makes two of these the same duty."""
        return ("verify", self.execution_id)


@attrs.frozen(kw_only=True)
class Confirm:
    """Hold evidence of a candidate that was verified already, and say so."""

    claim: EventId
    candidate: EventId
    digests: tuple[str, ...]

    @property
    def key(self) -> Key:
        """What makes two of these the same duty."""
        return ("confirm", self.claim, self.candidate)


@attrs.frozen(kw_only=True)
class Vote:
    """Vote on a candidate: a commit, or plainly."""

    subject: Subject
    signings: Signings

    @property
    def key(self) -> Key:
        """What makes two of these the same duty."""
        return ("vote", self.subject.attempt, self.subject.candidate)


@attrs.frozen(kw_only=True)
class Reveal:
    """Reveal a commit."""

    commit: EventId
    signings: Signings

    @property
    def key(self) -> Key:
        """What makes two of these the same duty."""
        return ("reveal", self.commit)


@attrs.frozen(kw_only=True)
class Decide:
    """Decide for the best candidate."""

    signings: Signings

    @property
    def key(self) -> Key:
        """What makes two of these the same duty."""
        return ("decide",)


@attrs.frozen(kw_only=True)
class Check:
    """Fetch a decided candidate's bodies and check its output, before finality is signed."""

    candidate: EventId
    decision: EventId

    @property
    def key(self) -> Key:
        """What makes two of these the same duty."""
        return ("check", self.candidate)


@attrs.frozen(kw_only=True)
class Finalize:
    """Sign finality."""

    decision: EventId
    signings: Signings

    @property
    def key(self) -> Key:
        """What makes two of these the same duty."""
        return ("finalize",)


@attrs.frozen(kw_only=True)
class Retry:
    """Open the attempt after this one."""

    attempt: int
    signings: Signings

    @property
    def key(self) -> Key:
        """What makes two of these the same duty."""
        return ("retry", self.attempt)


@attrs.frozen(kw_only=True)
class EndEpoch:
    """Sign that the epoch is over."""

    epoch: int
    signings: Signings

    @property
    def key(self) -> Key:
        """What makes two of these the same duty."""
        return ("end epoch", self.epoch)


@attrs.frozen(kw_only=True)
class RejectReuse:
    """Record that verifiers rejected a candidate which repeats an earlier decision."""

    candidate: EventId
    signings: Signings

    @property
    def key(self) -> Key:
        """What makes two of these the same duty."""
        return ("reject_reuse", self.candidate)


Signed: TypeAlias = (
    Claim
    | Approve
    | Renew
    | Release
    | Vote
    | Reveal
    | Decide
    | Finalize
    | Retry
    | EndEpoch
    | RejectReuse
)
"""Duties that come with their events."""

Duty: TypeAlias = Signed | Execute | Verify | Confirm | Check

FOLLOWING: Final = (Claim, Approve, Vote, Reveal, Decide, Finalize, Retry, RejectReuse)
"""Duties that follow from others at once, in a network of one."""
