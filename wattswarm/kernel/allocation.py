"""Who holds which place: a view of the state at a moment, for `decide` and for people.

A place belongs to a node and one of its executors, in one role and attempt. What a claim allows is
a matter of leases and never of places: work beyond the places is effective, shown, and not paid. So
nothing here may be asked by a rule that judges events.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import attrs

from wattswarm.kernel.contract import Allocator, Independence
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.payloads.claim import Work
from wattswarm.kernel.payloads.result import Status
from wattswarm.kernel.records import Candidate, Claim, Label
from wattswarm.kernel.state import TaskState, is_independent

PROGRESS_LEASES: Final = 2
"""A holder that shows no work for this many leases gives way to another claimant."""


class PlaceState(enum.StrEnum):
    """What has become of a place."""

    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    RELEASED = "released"
    LAPSED = "lapsed"
    WAITING = "waiting"
    """Claimed when all were taken, or not approved of yet."""


ENDED: Final = frozenset({PlaceState.FAILED, PlaceState.RELEASED, PlaceState.LAPSED})

Holder: TypeAlias = "tuple[Work, NodeId, str]"


@attrs.frozen(kw_only=True)
class Place:
    """One node and executor in one role of one attempt.

    `claim` is the newest of its claims and `lease_end` the end of that one's lease. `owes` counts
    the candidates that it has still to verify, `active_at` is the date of its first claim or last
    work.
    """

    role: Work
    attempt: int
    node: NodeId
    executor: str
    state: PlaceState
    claim: Claim
    lease_end: int
    claimed_at: int
    active_at: int
    owes: int
    has_work: bool
    is_paid: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be waited for: its work is done, or will not come."""
        return self.state is PlaceState.DONE or self.state in ENDED


@attrs.frozen
class Allocation:
    """The places of one attempt of one label, and how many are free, at one moment."""

    places: tuple[Place, ...]
    free: Mapping[Work, int]

    def of(self, role: Work) -> tuple[Place, ...]:
        """Return the places of a role, in the order of their first claims."""
        return tuple(place for place in self.places if place.role is role)

    def place(self, role: Work, node: NodeId, executor: str) -> Place | None:
        """Return the place of a node's executor, if it ever claimed one."""
        holder = (role, node, executor)
        found = (p for p in self.places if (p.role, p.node, p.executor) == holder)
        return next(found, None)


NOTHING: Final = Allocation((), {Work.PROPOSE: 0, Work.VERIFY: 0})


def allocation(
    state: TaskState, now_ms: int, attempt: int | None = None, *, is_wanted: bool = False
) -> Allocation:
    """Return the places of an attempt of the newest epoch, by default of the newest attempt.

    With `is_wanted`, as they would be if one more claimant waited for each.
    """
    label = state.label
    if label is None or not state.is_effective:
        return NOTHING
    number = state.attempt if attempt is None else attempt
    view = _View.of(state, label, number, now_ms, is_wanted=is_wanted)
    terms = state.terms
    proposing = _grant(
        view.places(Work.PROPOSE), view, terms.max_proposers, terms.max_concurrency.propose
    )
    verifying = _grant(
        view.places(Work.VERIFY), view, terms.max_verifiers, terms.max_concurrency.verify
    )
    return Allocation(
        (*proposing.places, *verifying.places),
        {Work.PROPOSE: proposing.free, Work.VERIFY: verifying.free},
    )


@attrs.frozen(kw_only=True)
class Coverage:
    """What there is to verify in one attempt, and who has verified what.

    It covers the candidates of the attempt, and those of earlier ones that were not found wanting:
    the votes of a decision are of one attempt, so that they are verified anew.
    """

    independence: Independence
    candidates: Mapping[EventId, Candidate]
    verified: Mapping[tuple[NodeId, str], frozenset[EventId]]
    by_node: Mapping[NodeId, int]
    by_executor: Mapping[tuple[NodeId, str], int]

    @classmethod
    def of(cls, state: TaskState, label: Label, attempt: int) -> "Coverage":
        """Return the coverage of an attempt."""
        wanting = found_wanting(state)
        covered = {
            each.event_id: each
            for each in sorted(state.candidates.values(), key=_by_date)
            if each.label == label
            and (
                each.attempt == attempt or (each.attempt < attempt and each.event_id not in wanting)
            )
        }
        verified: dict[tuple[NodeId, str], set[EventId]] = {}
        for result in state.results.values():
            if (result.label, result.attempt) == (label, attempt) and result.candidate in covered:
                who = (result.author, result.executor)
                verified.setdefault(who, set()).add(result.candidate)
        return cls(
            independence=state.terms.independence,
            candidates=covered,
            verified={who: frozenset(names) for who, names in verified.items()},
            by_node=Counter(each.author for each in covered.values()),
            by_executor=Counter((each.author, each.executor) for each in covered.values()),
        )

    def owed_count(self, node: NodeId, executor: str) -> int:
        """Return how many candidates a verifier has still to verify."""
        verified = len(self.verified.get((node, executor), ()))
        return len(self.candidates) - self._dependent(node, executor) - verified

    def owed(self, node: NodeId, executor: str) -> tuple[EventId, ...]:
        """Return the candidates that a verifier has still to verify, oldest first."""
        verified = self.verified.get((node, executor), frozenset())
        return tuple(
            name
            for name, candidate in self.candidates.items()
            if name not in verified and is_independent(self.independence, node, executor, candidate)
        )

    def _dependent(self, node: NodeId, executor: str) -> int:
        match self.independence:
            case Independence.NODE:
                return self.by_node.get(node, 0)
            case Independence.EXECUTOR:
                return self.by_executor.get((node, executor), 0)
            case Independence.NONE:
                return 0


def found_wanting(state: TaskState) -> frozenset[EventId]:
    """Return the candidates that at least as many effective results failed as passed."""
    balance: dict[EventId, int] = {}
    for result in state.results.values():
        if result.status is not Status.INCONCLUSIVE:
            step = 1 if result.status is Status.PASSED else -1
            balance[result.candidate] = balance.get(result.candidate, 0) + step
    return frozenset(name for name, sum_ in balance.items() if sum_ <= 0)


def _by_date(record: Candidate | Claim) -> tuple[int, EventId]:
    return record.created_at, record.event_id


# --- what each place has come to ------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class _View:
    """One attempt at one moment, with what is asked about it again and again."""

    state: TaskState
    label: Label
    attempt: int
    now_ms: int
    is_wanted: bool
    claims: Mapping[Holder, Sequence[Claim]]
    coverage: Coverage
    work_at: Mapping[EventId, int]
    failed: frozenset[EventId]

    @classmethod
    def of(
        cls, state: TaskState, label: Label, attempt: int, now_ms: int, *, is_wanted: bool
    ) -> "_View":
        return cls(
            state=state,
            label=label,
            attempt=attempt,
            now_ms=now_ms,
            is_wanted=is_wanted,
            claims=_claims_by_holder(state, label, attempt),
            coverage=Coverage.of(state, label, attempt),
            work_at=_last_work(state),
            failed=frozenset(error.claim for error in state.errors.values()),
        )

    def places(self, role: Work) -> list[Place]:
        """Return the places of a role as if there were room for all, by date of the first claim."""
        made = [
            self._place(holder, claims)
            for holder, claims in self.claims.items()
            if holder[0] is role
        ]
        return sorted(made, key=lambda place: (place.claimed_at, place.claim.event_id))

    def _place(self, holder: Holder, claims: Sequence[Claim]) -> Place:
        role, node, executor = holder
        newest = claims[-1]
        worked = [self.work_at[each.event_id] for each in claims if each.event_id in self.work_at]
        owes = self.coverage.owed_count(node, executor) if role is Work.VERIFY else 0
        return Place(
            role=role,
            attempt=self.attempt,
            node=node,
            executor=executor,
            state=self._condition(newest, is_done=bool(worked) and owes == 0),
            claim=newest,
            lease_end=self.state.leases[newest.event_id].end,
            claimed_at=claims[0].created_at,
            active_at=max(worked, default=claims[0].created_at),
            owes=owes,
            has_work=bool(worked),
        )

    def _condition(self, claim: Claim, *, is_done: bool) -> PlaceState:
        name = claim.event_id
        if is_done:
            return PlaceState.DONE
        if name in self.failed:
            return PlaceState.FAILED
        if name in self.state.released:
            return PlaceState.RELEASED
        if self.state.leases[name].end < self.now_ms:
            return PlaceState.LAPSED
        needs_approval = self.state.terms.allocator is Allocator.CREATOR
        if needs_approval and name not in self.state.approved:
            return PlaceState.WAITING
        return PlaceState.WORKING


def _claims_by_holder(
    state: TaskState, label: Label, attempt: int
) -> Mapping[Holder, Sequence[Claim]]:
    found: dict[Holder, list[Claim]] = {}
    for claim in sorted(state.claims.values(), key=_by_date):
        if (claim.label, claim.attempt) == (label, attempt):
            holder = (claim.role, claim.author, claim.executor)
            found.setdefault(holder, []).append(claim)
    return found


def _last_work(state: TaskState) -> Mapping[EventId, int]:
    """Return for each claim under which something was proposed or verified when that was last."""
    latest: dict[EventId, int] = {}
    for record in (*state.candidates.values(), *state.results.values()):
        latest[record.claim] = max(record.created_at, latest.get(record.claim, 0))
    return latest


# --- how many there is room for -------------------------------------------------------------------


@attrs.frozen
class _Grant:
    places: tuple[Place, ...]
    free: int


def _grant(places: list[Place], view: _View, most: int, at_once: int) -> _Grant:
    """Return the places that there is room for, older claims first; others wait.

    When somebody waits, a holder that has shown no work for too long gives way.
    """
    seated = list(_seat(places, most, at_once, view.state))
    if view.is_wanted or any(place.state is PlaceState.WAITING for place in seated):
        patience_ms = PROGRESS_LEASES * view.state.terms.lease_ms
        lapsed = [_lapse(place, view.now_ms - patience_ms) for place in places]
        seated = list(_seat(lapsed, most, at_once, view.state))
    taken = [place for place in seated if place.is_paid]
    working = sum(place.state is PlaceState.WORKING for place in taken)
    return _Grant(tuple(seated), max(0, min(most - len(taken), at_once - working)))


def _seat(places: Iterable[Place], most: int, at_once: int, state: TaskState) -> Iterator[Place]:
    taken = working = 0
    for place in places:
        is_working = place.state is PlaceState.WORKING
        if place.state is not PlaceState.DONE and not is_working:
            yield place
        elif taken < most and (not is_working or working < at_once):
            taken += 1
            working += is_working
            yield attrs.evolve(place, is_paid=True)
        elif is_working:
            yield attrs.evolve(place, state=PlaceState.WAITING)
        else:
            yield place


def _lapse(place: Place, since_ms: int) -> Place:
    if place.state is PlaceState.WORKING and place.active_at < since_ms:
        return attrs.evolve(place, state=PlaceState.LAPSED)
    return place
