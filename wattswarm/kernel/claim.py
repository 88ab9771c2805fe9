"""The rules of claims and leases: who works on what, and until when its work counts.

A claim's lease ends where the furthest of it and its renewals ends. Another renewal can only move
that later, so a late event never takes a lease back. Release frees a place in the view and voids
nothing; an approval, once given, is not taken back.
"""

from typing import Final

from wattswarm.kernel.event import Event
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.limits import SKEW_TOLERANCE_MS
from wattswarm.kernel.payloads.claim import (
    TaskClaimDecided,
    TaskClaimed,
    TaskClaimReleased,
    TaskClaimRenewed,
    Work,
)
from wattswarm.kernel.records import Claim, ClaimDecision, Label, Lease, Release, Renewal
from wattswarm.kernel.rule import (
    Entry,
    Hold,
    Provided,
    Rule,
    find,
    ignored,
    not_in_label,
    own_claim,
    waits,
)
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Need, On
from wattswarm.kernel.version import Role

ROLE_OF: Final = {Work.PROPOSE: Role.PROPOSER, Work.VERIFY: Role.VERIFIER}


def judge_claim(entry: Entry[TaskClaimed], state: TaskState) -> Hold | None:
    """Return why a claim has no effect, or None."""
    event, claimed = entry.event, entry.payload
    label = Label(event.epoch, claimed.pin)
    hold = not_in_label(label, state)
    if hold is not None:
        return hold
    if not state.versions[label.pin].holds(event.author, ROLE_OF[claimed.role]):
        return ignored("missing_role")
    if claimed.attempt > state.terms.max_attempts:
        return ignored("no_such_attempt")
    if claimed.lease_until <= event.created_at:
        return ignored("empty_lease")
    if claimed.attempt > state.attempts[label]:
        return waits(Need(On.ATTEMPT, claimed.pin, event.epoch, claimed.attempt))
    return None


def apply_claim(entry: Entry[TaskClaimed], state: TaskState) -> Provided:
    """Write the claim, and its first lease."""
    event, claimed = entry.event, entry.payload
    end = min(claimed.lease_until, event.created_at + state.terms.lease_ms)
    state.claims[event.event_id] = Claim(
        event_id=event.event_id,
        author=event.author,
        created_at=event.created_at,
        label=Label(event.epoch, claimed.pin),
        attempt=claimed.attempt,
        role=claimed.role,
        executor=claimed.executor,
        lease_end=end,
    )
    state.leases[event.event_id] = Lease(end, event.event_id, 0)
    return ()


def judge_renewal(entry: Entry[TaskClaimRenewed], state: TaskState) -> Hold | None:
    """Return why a renewal has no effect, or None: it begins where its predecessor still held."""
    event, renewed = entry.event, entry.payload
    claim = own_claim(renewed.claim, entry.event, state)
    if isinstance(claim, Hold):
        return claim
    before = _end_of(renewed.previous, claim, event, state)
    if isinstance(before, Hold):
        return before
    if renewed.lease_until <= event.created_at:
        return ignored("empty_lease")
    if event.created_at > before + SKEW_TOLERANCE_MS:
        return ignored("lease_over", renewed.previous)
    return None


def _end_of(name: EventId, claim: Claim, event: Event, state: TaskState) -> int | Hold:
    """Return the end of the lease of a claim or of one of its renewals."""
    if name == claim.event_id:
        return claim.lease_end
    before = find(state.renewals, name, state)
    if isinstance(before, Hold):
        return before
    if before.claim != claim.event_id:
        return ignored("not_own_claim", name)
    if event.created_at <= before.created_at:
        return ignored("date_order", name)
    return before.end


def apply_renewal(entry: Entry[TaskClaimRenewed], state: TaskState) -> Provided:
    """Write the renewal; the claim's lease ends where the furthest of all does."""
    event, renewed = entry.event, entry.payload
    claim, lease = state.claims[renewed.claim], state.leases[renewed.claim]
    end = min(
        renewed.lease_until,
        event.created_at + state.terms.lease_ms,
        claim.created_at + state.terms.time_ms,
    )
    state.renewals[event.event_id] = Renewal(
        event_id=event.event_id, claim=renewed.claim, created_at=event.created_at, end=end
    )
    furthest, leaf = max((lease.end, lease.leaf), (end, event.event_id))
    state.leases[renewed.claim] = Lease(furthest, leaf, lease.renewals + 1)
    return (Need(On.LEASE, renewed.claim),)


def judge_release(entry: Entry[TaskClaimReleased], state: TaskState) -> Hold | None:
    """Return why a release has no effect, or None."""
    released = entry.payload
    claim = own_claim(released.claim, entry.event, state)
    return claim if isinstance(claim, Hold) else None


def apply_release(entry: Entry[TaskClaimReleased], state: TaskState) -> Provided:
    """Write that the place was given back, at the earliest date that says so."""
    event, released = entry.event, entry.payload
    state.releases[event.event_id] = Release(
        event_id=event.event_id,
        claim=released.claim,
        created_at=event.created_at,
        reason=released.reason,
    )
    before = state.released.get(released.claim, event.created_at)
    state.released[released.claim] = min(before, event.created_at)
    return ()


def judge_decided(entry: Entry[TaskClaimDecided], state: TaskState) -> Hold | None:
    """Return why the word on a claim has no effect, or None: only the task's creator gives it."""
    event, decided = entry.event, entry.payload
    claim = find(state.claims, decided.claim, state)
    if isinstance(claim, Hold):
        return claim
    if event.created_at <= claim.created_at:
        return ignored("date_order", decided.claim)
    if event.author != state.creator:
        return ignored("not_creator")
    if event.epoch != claim.label.epoch:
        return ignored("wrong_epoch", decided.claim)
    return None


def apply_decided(entry: Entry[TaskClaimDecided], state: TaskState) -> Provided:
    """Write what the creator said; with an approval the claim's lease exists."""
    event, decided = entry.event, entry.payload
    state.claim_decisions[event.event_id] = ClaimDecision(
        event_id=event.event_id,
        claim=decided.claim,
        created_at=event.created_at,
        is_approved=decided.approved,
    )
    if not decided.approved:
        return ()
    state.approved[decided.claim] = True
    return (Need(On.APPROVAL, decided.claim),)


RULES = (
    Rule(TaskClaimed.kind, "a proposer or verifier of the pin", judge_claim, apply_claim),
    Rule(TaskClaimRenewed.kind, "whoever made the claim", judge_renewal, apply_renewal),
    Rule(TaskClaimReleased.kind, "whoever made the claim", judge_release, apply_release),
    Rule(TaskClaimDecided.kind, "the creator of the task", judge_decided, apply_decided),
)
