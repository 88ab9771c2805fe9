"""Where duties come from: one look for each kind of work, in the order in which they are done."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final

from wattswarm.kernel import decide
from wattswarm.kernel.allocation import (
    PROGRESS_LEASES,
    Allocation,
    Place,
    PlaceState,
    allocation,
)
from wattswarm.kernel.choice import deciders, standing_decision, turn_at
from wattswarm.kernel.contract import Allocator, Mode
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.decide.finality import signed_candidates
from wattswarm.kernel.decide.place import lease_limit
from wattswarm.kernel.decide.reuse import rejection, unrecorded
from wattswarm.kernel.decide.voting import finding, has_voted, own_commit
from wattswarm.kernel.duty.desk import Desk
from wattswarm.kernel.duty.kinds import (
    Approve,
    Check,
    Claim,
    Confirm,
    Decide,
    Duty,
    EndEpoch,
    Execute,
    Finalize,
    RejectReuse,
    Release,
    Renew,
    Retry,
    Reveal,
    Verify,
    Vote,
)
from wattswarm.kernel.execution import execution_id
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.limits import AHEAD_MS
from wattswarm.kernel.market import awaits_approval, is_declined
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.records import Subject
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.views import run_at

RENEW_FRACTION: Final = 2
"""A lease is renewed when less than this fraction of it is left."""

WITHDRAW_FRACTION: Final = 4
"""A claim that waits for a place is withdrawn when less than this fraction of its lease is left."""

WITHDRAWN: Final = "no place was free"
UNAPPROVED: Final = "not approved of in time"
"""The reasons of such withdrawals; whoever gave one of them may claim again."""

DECLINED: Final = "declined"
"""The reason for giving up a claim that the creator said no to."""


def _approvals(desk: Desk) -> Iterator[Duty]:
    """As the creator who allocates, approve of waiting claims while there is room."""
    state = desk.state
    is_mine = state.terms.allocator is Allocator.CREATOR and state.creator == desk.node
    if not (is_mine and desk.approves):
        return
    room = dict(desk.view.free)
    for place in desk.view.places:
        name = place.claim.event_id
        is_ahead = place.claim.created_at > desk.now_ms + AHEAD_MS
        is_waiting = place.state is PlaceState.WAITING and not is_ahead
        is_asking = is_waiting and name not in state.approved and not is_declined(state, name)
        if is_asking and room[place.role] > 0:
            room[place.role] -= 1
            answer = decide.decide_claim(state, desk.node, name, desk.now_ms, is_approved=True)
            if signings := desk.signed(answer):
                yield Approve(claim=name, signings=signings)


def _passing(desk: Desk) -> Iterator[Duty]:
    """Note when time alone changes what there is to do: places fall free, and dates come near."""
    patience_ms = PROGRESS_LEASES * desk.state.terms.lease_ms
    for place in desk.view.places:
        if place.state is PlaceState.WORKING:
            desk.wakes += (place.lease_end + 1, place.active_at + patience_ms + 1)
    desk.wakes += (date_ms - AHEAD_MS for date_ms in desk.state.latest.values())
    return iter(())


def _work(desk: Desk) -> Iterator[Duty]:
    """Do what this node's places are for, and keep or give back the claims."""
    for place in desk.own_places():
        if place.state is PlaceState.WORKING:
            yield from _outstanding(desk, place)
            yield from _renewals(desk, place)
        elif place.state is PlaceState.WAITING:
            yield from _waiting(desk, place)
        if place.role is Work.VERIFY and place.lease_end >= desk.now_ms:
            yield from _confirmations(desk, place)


def _waiting(desk: Desk, place: Place) -> Iterator[Duty]:
    """Wait for a place to fall free for a while; for an approval as long as the contract allows."""
    name = place.claim.event_id
    if not awaits_approval(desk.state, name):
        yield from _withdrawals(desk, place, WITHDRAWN)
    elif is_declined(desk.state, name):
        yield from _released(desk, name, DECLINED)
    elif place.lease_end < lease_limit(desk.state, name):
        yield from _prolonged(desk, place)
    else:
        yield from _withdrawals(desk, place, UNAPPROVED)


def _outstanding(desk: Desk, place: Place) -> Iterator[Duty]:
    claim, task_id = place.claim, desk.state.task_id
    if place.role is Work.PROPOSE:
        yield Execute(
            claim=claim.event_id,
            executor=place.executor,
            attempt=place.attempt,
            execution_id=execution_id(task_id, claim),
        )
        return
    for candidate in desk.view.coverage.owed(place.node, place.executor):
        yield Verify(
            claim=claim.event_id,
            candidate=candidate,
            executor=place.executor,
            attempt=place.attempt,
            execution_id=execution_id(task_id, claim, candidate),
            digests=_unconfirmed(desk, candidate),
        )


def _unconfirmed(desk: Desk, candidate: EventId) -> tuple[str, ...]:
    confirmed = {
        each.digest
        for each in desk.state.confirmations.values()
        if (each.author, each.candidate) == (desk.node, candidate)
    }
    return tuple(sorted(desk.state.candidates[candidate].digests - confirmed))


def _confirmations(desk: Desk, place: Place) -> Iterator[Duty]:
    verified = {
        result.candidate
        for result in desk.state.results.values()
        if result.claim == place.claim.event_id
    }
    for candidate in sorted(verified):
        if digests := _unconfirmed(desk, candidate):
            yield Confirm(claim=place.claim.event_id, candidate=candidate, digests=digests)


def _renewals(desk: Desk, place: Place) -> Iterator[Duty]:
    """Keep alive the lease of work that is in progress, as long as the contract allows."""
    name = place.claim.event_id
    if name in desk.in_hand and place.lease_end < lease_limit(desk.state, name):
        yield from _prolonged(desk, place)


def _prolonged(desk: Desk, place: Place) -> Iterator[Duty]:
    name = place.claim.event_id
    at_ms = place.lease_end - desk.state.terms.lease_ms // RENEW_FRACTION
    if desk.now_ms < at_ms:
        desk.wakes.append(at_ms)
        return
    leaf = desk.state.leases[name].leaf
    signings = desk.signed(decide.renew(desk.state, name, desk.now_ms))
    yield from _said(signings, partial(Renew, claim=name, previous=leaf))


def _withdrawals(desk: Desk, place: Place, reason: str) -> Iterator[Duty]:
    at_ms = place.lease_end - desk.state.terms.lease_ms // WITHDRAW_FRACTION
    if desk.now_ms < at_ms:
        desk.wakes.append(at_ms)
    else:
        yield from _released(desk, place.claim.event_id, reason)


def _released(desk: Desk, claim: EventId, reason: str) -> Iterator[Duty]:
    signings = desk.signed(decide.release(desk.state, claim, desk.now_ms, reason=reason))
    yield from _said(signings, partial(Release, claim=claim))


def _said(signings: Signings, make: Callable[..., Duty]) -> Iterator[Duty]:
    """Yield the duty that comes with these events, unless they were refused."""
    if signings:
        yield make(signings=signings)


def _claims(desk: Desk) -> Iterator[Duty]:
    """Claim places for executors that are ready, as long as there is room."""
    after, attempt = desk.state, desk.state.attempt
    at_ms = run_at(after, attempt)
    if desk.now_ms < at_ms:
        desk.wakes.append(at_ms)
        return
    for role in Work:
        for executor in desk.executors:
            if not executor.takes(after.terms.task_type, role):
                continue
            if not _is_wanted(desk, after, role, executor.name):
                continue
            answer = decide.claim(after, desk.node, role, executor.name, desk.now_ms)
            if signings := desk.signed(answer):
                after = decide.follow(after, signings, desk.node)
                yield Claim(role=role, executor=executor.name, attempt=attempt, signings=signings)


def _is_wanted(desk: Desk, state: TaskState, role: Work, executor: str) -> bool:
    """Tell whether this node would claim a place for an executor if one is free."""
    if allocation(state, desk.now_ms, is_wanted=True).free[role] == 0:
        return False
    view = allocation(state, desk.now_ms)
    held = view.place(role, desk.node, executor)
    if held is not None and not _may_return(state, held):
        return False
    if role is Work.PROPOSE:
        return not _has_hope(view, state.attempt)
    if not state.is_local and _verifies_already(view, desk.node):
        return False
    return view.coverage.owed_count(desk.node, executor) > 0


def _may_return(state: TaskState, held: Place) -> bool:
    """Tell whether an executor that had a place may take it again by itself.

    It may when the lease ended and there was work, more of which has come up for verifiers since,
    and when it never had the place but withdrew.
    """
    if held.state is PlaceState.LAPSED:
        return held.role is Work.VERIFY and held.has_work
    return held.state is PlaceState.RELEASED and any(
        release.claim == held.claim.event_id and release.reason in (WITHDRAWN, UNAPPROVED)
        for release in state.releases.values()
    )


def _has_hope(view: Allocation, attempt: int) -> bool:
    """Tell whether an earlier attempt left a candidate that may yet be approved of."""
    return any(each.attempt < attempt for each in view.coverage.candidates.values())


def _verifies_already(view: Allocation, node: NodeId) -> bool:
    """Tell whether a node holds a verify place: it has one vote, however many its executors are."""
    held = (PlaceState.WORKING, PlaceState.DONE, PlaceState.WAITING)
    return any(place.node == node and place.state in held for place in view.of(Work.VERIFY))


def _votes(desk: Desk) -> Iterator[Duty]:
    """Vote on what all of this node's executors have had their say on."""
    state = desk.state
    subjects = {result.subject for result in state.results.values() if result.author == desk.node}
    for subject in sorted(each for each in subjects if each.label == desk.label):
        if own_commit(state, desk.node, subject) or has_voted(state, desk.node, subject):
            continue
        if finding(state, desk.node, subject) is None or _is_awaited(desk, subject):
            continue
        if signings := desk.signed(decide.vote(state, desk.me, subject, desk.now_ms)):
            yield Vote(subject=subject, signings=signings)


def _is_awaited(desk: Desk, subject: Subject) -> bool:
    """Tell whether another executor of this node is still to verify the candidate."""
    if subject.attempt != desk.state.attempt:
        return False
    return any(
        place.role is Work.VERIFY
        and place.state is PlaceState.WORKING
        and subject.candidate in desk.view.coverage.owed(place.node, place.executor)
        for place in desk.own_places()
    )


def _reveals(desk: Desk) -> Iterator[Duty]:
    state = desk.state
    for commit in sorted(state.commits.values(), key=lambda each: each.event_id):
        if commit.author != desk.node or commit.subject.label != desk.label:
            continue
        if has_voted(state, desk.node, commit.subject):
            continue
        answer = decide.reveal(state, desk.me, commit.event_id, desk.now_ms)
        if signings := desk.signed(answer):
            yield Reveal(commit=commit.event_id, signings=signings)


def _decisions(desk: Desk) -> Iterator[Duty]:
    """Decide, unless this node is about to take another place first."""
    if desk.node not in deciders(desk.state):
        return
    if desk.state.is_local and _has_claims(desk.duties):
        return
    if signings := desk.signed(decide.decision(desk.state, desk.node, desk.now_ms)):
        yield Decide(signings=signings)


def _finality(desk: Desk) -> Iterator[Duty]:
    state = desk.state
    if desk.node not in state.governing.finalizers or signed_candidates(state, desk.node):
        return
    standing = standing_decision(state, desk.now_ms)
    if standing is None:
        _wake_for_turns(desk)
        return
    if standing.candidate not in desk.checked:
        yield Check(candidate=standing.candidate, decision=standing.event_id)
        return
    answer = decide.finality(
        state,
        desk.me,
        standing.event_id,
        desk.now_ms,
        has_bodies=True,
        has_passed=desk.checked[standing.candidate],
    )
    if signings := desk.signed(answer):
        yield Finalize(decision=standing.event_id, signings=signings)


def _wake_for_turns(desk: Desk) -> None:
    """Ask again later when a decision is there whose author's turn has not come."""
    if desk.state.decisions:
        desk.wakes.append(desk.now_ms + desk.state.terms.decider_timeout_ms)


def _reuse_rejections(desk: Desk) -> Iterator[Duty]:
    """Record rejected repetitions, in the order in which deciders take turns."""
    state, ranks = desk.state, deciders(desk.state)
    for name in unrecorded(state) if desk.node in ranks else ():
        since_ms = max(vote.created_at for vote in rejection(state, name))
        at_ms = turn_at(state, ranks.index(desk.node), since_ms)
        if desk.now_ms < at_ms:
            desk.wakes.append(at_ms)
            continue
        answer = decide.reject_reuse(state, desk.node, desk.now_ms, candidate_id=name)
        if signings := desk.signed(answer):
            yield RejectReuse(candidate=name, signings=signings)


def _retries(desk: Desk) -> Iterator[Duty]:
    """Open another attempt when this one came to nothing, and no place is left to be taken."""
    if desk.node not in deciders(desk.state) or _has_claims(desk.duties):
        return
    if signings := desk.signed(decide.retry(desk.state, desk.node, desk.now_ms)):
        yield Retry(attempt=desk.state.attempt, signings=signings)


def end_of_epoch(desk: Desk) -> Iterator[Duty]:
    """As a finalizer of a continuous task, end an epoch that is over."""
    state = desk.state
    if not state.is_effective or state.terms.mode is not Mode.CONTINUOUS:
        return
    if desk.governance is None or desk.node not in state.governing.finalizers:
        return
    if signings := desk.signed(decide.end_epoch(state, desk.me, desk.governance, desk.now_ms)):
        yield EndEpoch(epoch=desk.label.epoch, signings=signings)


def _has_claims(duties: Iterable[Duty]) -> bool:
    return any(isinstance(duty, Claim) for duty in duties)


LOOKS: Final[Sequence[Callable[[Desk], Iterator[Duty]]]] = (
    _passing,
    _approvals,
    _work,
    _claims,
    _votes,
    _reveals,
    _decisions,
    _finality,
    _reuse_rejections,
    _retries,
)
