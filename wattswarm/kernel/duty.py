"""The duty roster: what a node should do next for a task, from derived state and the time alone.

`due` names every duty that is outstanding, each with a key: whoever carries them out starts none
twice at a time, and after any restart the same call says what is left. Duties without I/O come with
the events to sign; in networks of several nodes they are carried out only on a state that has
reached the head of the log. `complete` gives, in a network of one, all that follows at once as one
batch.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import attrs

from wattswarm.kernel import decide
from wattswarm.kernel.allocation import (
    Allocation,
    Place,
    PlaceState,
    allocation,
)
from wattswarm.kernel.choice import deciders, standing_decision
from wattswarm.kernel.contract import Allocator
from wattswarm.kernel.decide.deciding import NEVER, signed_candidates
from wattswarm.kernel.decide.gate import Signings
from wattswarm.kernel.decide.place import lease_limit
from wattswarm.kernel.decide.voting import finding, has_voted, own_commit
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.execution import execution_id
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.records import Label, Subject
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.views import run_at, workable

Key: TypeAlias = "tuple[str | int | bytes, ...]"

RENEW_FRACTION: Final = 2
"""A lease is renewed when less than this fraction of it is left."""

WITHDRAW_FRACTION: Final = 4
"""A claim that waits for a place is withdrawn when less than this fraction of its lease is left."""

WITHDRAWN: Final = "no place was free"
"""The reason of such a withdrawal; whoever gave it may claim again."""

FOLLOWING_MAX: Final = 64
"""A batch of consequences has fewer events than this."""


@attrs.frozen(kw_only=True)
class ExecutorOffer:
    """An executor of this node that is ready for work; without `task_types`, for every type."""

    name: str
    profile: str = ""
    provider: str = ""
    model: str = ""
    task_types: frozenset[str] = frozenset()
    may_propose: bool = True
    may_verify: bool = True

    def takes(self, task_type: str, role: Work) -> bool:
        """Tell whether it does this kind of work."""
        is_able = self.may_propose if role is Work.PROPOSE else self.may_verify
        return is_able and (not self.task_types or task_type in self.task_types)


# --- the duties -----------------------------------------------------------------------------------


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


Signed: TypeAlias = Claim | Approve | Renew | Release | Vote | Reveal | Decide | Finalize | Retry
"""Duties that come with their events."""

Duty: TypeAlias = Signed | Execute | Verify | Confirm | Check

FOLLOWING: Final = (Claim, Approve, Vote, Reveal, Decide, Finalize, Retry)
"""Duties that follow from others at once, in a network of one."""


@attrs.frozen
class Roster:
    """What is outstanding, and when to ask again if nothing changes (ms; None: never)."""

    duties: tuple[Duty, ...] = ()
    wake_at_ms: int | None = None


def due(
    state: TaskState,
    me: KeyPair,
    executors: Sequence[ExecutorOffer],
    now_ms: int,
    *,
    in_hand: Collection[EventId] = frozenset(),
    checked: Mapping[EventId, bool] | None = None,
    is_stale: bool = False,
    restored_at_ms: int | None = None,
) -> Roster:
    """Return what this node should do next for a task.

    Duties that come with events were drafted for this state: when those of one have been appended,
    ask again before the others.

    Args:
        executors: This node's executors that are ready for work.
        in_hand: Claims whose work is in progress; their leases are kept alive.
        checked: Candidates whose bodies are here and checked: whether their output passed.
        is_stale: Whether the pin had a successor well before the task was created
            (`Governance.is_stale`); nobody honest works on such a task.
        restored_at_ms: When this node's log was restored from a backup, if ever; it signs nothing
            for epochs opened before.
    """
    is_forgotten = restored_at_ms is not None and state.created_at <= restored_at_ms
    if is_stale or is_forgotten or not workable(state, now_ms):
        return Roster()
    desk = _Desk.of(state, me, executors, now_ms, in_hand, checked)
    for look in _LOOKS:
        desk.duties += look(desk)
    wakes = [at_ms for at_ms in desk.wakes if desk.now_ms < at_ms < NEVER]
    return Roster(tuple(desk.duties), min(wakes, default=None))


def complete(
    state: TaskState,
    signings: Signings,
    me: KeyPair,
    executors: Sequence[ExecutorOffer],
    now_ms: int,
    *,
    in_hand: Collection[EventId] = frozenset(),
    checked: Mapping[EventId, bool] | None = None,
) -> Signings:
    """Return these events and, in a network of one, all that follows from them without I/O.

    They are meant as one batch: a result with its vote, the decision and its finality.
    """
    batch = list(signings)
    if not state.is_local:
        return signings
    after = decide.follow(state, batch, me.node_id)
    while len(batch) < FOLLOWING_MAX and workable(after, now_ms):
        desk = _Desk.of(after, me, executors, now_ms, in_hand, checked)
        duty = next(_following(desk), None)
        if duty is None:
            break
        batch += duty.signings
        after = decide.follow(after, duty.signings, me.node_id)
    return tuple(batch)


def _following(desk: "_Desk") -> Iterator[Signed]:
    """Yield what follows at once, as `due` would list it, and look no further than is asked for."""
    for look in _LOOKS:
        for duty in look(desk):
            desk.duties.append(duty)
            if isinstance(duty, FOLLOWING):
                yield duty


# --- looking for duties ---------------------------------------------------------------------------


@attrs.define(kw_only=True)
class _Desk:
    """What is looked at, and what has been found: duties, and dates at which there may be more."""

    state: TaskState
    me: KeyPair
    executors: Sequence[ExecutorOffer]
    now_ms: int
    in_hand: Collection[EventId]
    checked: Mapping[EventId, bool]
    view: Allocation
    duties: list[Duty] = attrs.field(factory=list)
    wakes: list[int] = attrs.field(factory=list[int])

    @classmethod
    def of(
        cls,
        state: TaskState,
        me: KeyPair,
        executors: Sequence[ExecutorOffer],
        now_ms: int,
        in_hand: Collection[EventId],
        checked: Mapping[EventId, bool] | None,
    ) -> "_Desk":
        """Return a desk with nothing found yet."""
        # Events of one batch are dated one after the other, and so beyond the clock.
        now_ms = max(now_ms, state.latest.get(me.node_id, 0))
        return cls(
            state=state,
            me=me,
            executors=executors,
            now_ms=now_ms,
            in_hand=in_hand,
            checked={} if checked is None else checked,
            view=allocation(state, now_ms),
        )

    @property
    def node(self) -> NodeId:
        return self.me.node_id

    @property
    def label(self) -> Label:
        assert self.state.label is not None, "an open task has a label"
        return self.state.label

    def own_places(self) -> Iterator[Place]:
        return (place for place in self.view.places if place.node == self.node)

    def signed(self, answer: Signings | Rejection) -> Signings:
        """Return the events of an answer; of a refusal none, and note when to ask again."""
        if not isinstance(answer, Rejection):
            return answer
        at_ms = answer.details.get("at", answer.details.get("run_at"))
        if isinstance(at_ms, int):
            self.wakes.append(at_ms)
        return ()


def _approvals(desk: _Desk) -> Iterator[Duty]:
    """As the creator who allocates, approve of waiting claims while there is room."""
    state = desk.state
    if state.terms.allocator is not Allocator.CREATOR or state.creator != desk.node:
        return
    room = dict(desk.view.free)
    for place in desk.view.places:
        name = place.claim.event_id
        is_asking = place.state is PlaceState.WAITING and name not in state.approved
        if is_asking and room[place.role] > 0:
            room[place.role] -= 1
            answer = decide.decide_claim(state, desk.node, name, desk.now_ms, is_approved=True)
            if signings := desk.signed(answer):
                yield Approve(claim=name, signings=signings)


def _work(desk: _Desk) -> Iterator[Duty]:
    """Do what this node's places are for, and keep or give back the claims."""
    for place in desk.own_places():
        if place.state is PlaceState.WORKING:
            desk.wakes.append(place.lease_end + 1)
            yield from _outstanding(desk, place)
            yield from _renewals(desk, place)
        elif place.state is PlaceState.WAITING and not _is_unapproved(desk.state, place):
            yield from _withdrawals(desk, place)
        if place.role is Work.VERIFY and place.lease_end >= desk.now_ms:
            yield from _confirmations(desk, place)


def _is_unapproved(state: TaskState, place: Place) -> bool:
    is_needed = state.terms.allocator is Allocator.CREATOR
    return is_needed and place.claim.event_id not in state.approved


def _outstanding(desk: _Desk, place: Place) -> Iterator[Duty]:
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


def _unconfirmed(desk: _Desk, candidate: EventId) -> tuple[str, ...]:
    confirmed = {
        each.digest
        for each in desk.state.confirmations.values()
        if (each.author, each.candidate) == (desk.node, candidate)
    }
    return tuple(sorted(desk.state.candidates[candidate].digests - confirmed))


def _confirmations(desk: _Desk, place: Place) -> Iterator[Duty]:
    verified = {
        result.candidate
        for result in desk.state.results.values()
        if result.claim == place.claim.event_id
    }
    for candidate in sorted(verified):
        if digests := _unconfirmed(desk, candidate):
            yield Confirm(claim=place.claim.event_id, candidate=candidate, digests=digests)


def _renewals(desk: _Desk, place: Place) -> Iterator[Duty]:
    name = place.claim.event_id
    if name not in desk.in_hand or place.lease_end >= lease_limit(desk.state, name):
        return
    at_ms = place.lease_end - desk.state.terms.lease_ms // RENEW_FRACTION
    if desk.now_ms < at_ms:
        desk.wakes.append(at_ms)
    elif signings := desk.signed(decide.renew(desk.state, name, desk.now_ms)):
        yield Renew(claim=name, previous=desk.state.leases[name].leaf, signings=signings)


def _withdrawals(desk: _Desk, place: Place) -> Iterator[Duty]:
    name = place.claim.event_id
    at_ms = place.lease_end - desk.state.terms.lease_ms // WITHDRAW_FRACTION
    if desk.now_ms < at_ms:
        desk.wakes.append(at_ms)
    elif signings := desk.signed(decide.release(desk.state, name, desk.now_ms, reason=WITHDRAWN)):
        yield Release(claim=name, signings=signings)


def _claims(desk: _Desk) -> Iterator[Duty]:
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


def _is_wanted(desk: _Desk, state: TaskState, role: Work, executor: str) -> bool:
    """Tell whether this node would claim a place for an executor if one is free."""
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
        release.claim == held.claim.event_id and release.reason == WITHDRAWN
        for release in state.releases.values()
    )


def _has_hope(view: Allocation, attempt: int) -> bool:
    """Tell whether an earlier attempt left a candidate that may yet be approved of."""
    return any(each.attempt < attempt for each in view.coverage.candidates.values())


def _verifies_already(view: Allocation, node: NodeId) -> bool:
    """Tell whether a node holds a verify place: it has one vote, however many its executors are."""
    held = (PlaceState.WORKING, PlaceState.DONE, PlaceState.WAITING)
    return any(place.node == node and place.state in held for place in view.of(Work.VERIFY))


def _votes(desk: _Desk) -> Iterator[Duty]:
    """Vote on what all of this node's executors have had their say on."""
    state = desk.state
    subjects = {result.subject for result in state.results.values() if result.author == desk.node}
    for subject in sorted(subjects):
        if own_commit(state, desk.node, subject) or has_voted(state, desk.node, subject):
            continue
        if finding(state, desk.node, subject) is None or _is_awaited(desk, subject):
            continue
        if signings := desk.signed(decide.vote(state, desk.me, subject, desk.now_ms)):
            yield Vote(subject=subject, signings=signings)


def _is_awaited(desk: _Desk, subject: Subject) -> bool:
    """Tell whether another executor of this node is still to verify the candidate."""
    if subject.attempt != desk.state.attempt:
        return False
    return any(
        place.role is Work.VERIFY
        and place.state is PlaceState.WORKING
        and subject.candidate in desk.view.coverage.owed(place.node, place.executor)
        for place in desk.own_places()
    )


def _reveals(desk: _Desk) -> Iterator[Duty]:
    state = desk.state
    for commit in sorted(state.commits.values(), key=lambda each: each.event_id):
        if commit.author != desk.node or has_voted(state, desk.node, commit.subject):
            continue
        answer = decide.reveal(state, desk.me, commit.event_id, desk.now_ms)
        if signings := desk.signed(answer):
            yield Reveal(commit=commit.event_id, signings=signings)


def _decisions(desk: _Desk) -> Iterator[Duty]:
    """Decide, unless this node is about to take another place first."""
    if desk.node not in deciders(desk.state):
        return
    if desk.state.is_local and _has_claims(desk.duties):
        return
    if signings := desk.signed(decide.decision(desk.state, desk.node, desk.now_ms)):
        yield Decide(signings=signings)


def _finality(desk: _Desk) -> Iterator[Duty]:
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


def _wake_for_turns(desk: _Desk) -> None:
    """Ask again later when a decision is there whose author's turn has not come."""
    if desk.state.decisions:
        desk.wakes.append(desk.now_ms + desk.state.terms.decider_timeout_ms)


def _retries(desk: _Desk) -> Iterator[Duty]:
    """Open another attempt when this one came to nothing, and no place is left to be taken."""
    if desk.node not in deciders(desk.state) or _has_claims(desk.duties):
        return
    if signings := desk.signed(decide.retry(desk.state, desk.node, desk.now_ms)):
        yield Retry(attempt=desk.state.attempt, signings=signings)


def _has_claims(duties: Iterable[Duty]) -> bool:
    return any(isinstance(duty, Claim) for duty in duties)


_LOOKS: Final[Sequence[Callable[[_Desk], Iterator[Duty]]]] = (
    _approvals,
    _work,
    _claims,
    _votes,
    _reveals,
    _decisions,
    _finality,
    _retries,
)
