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
from wattswarm.kernel.limits import AHEAD_MS
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
    """Claimed when all were taken, or not approved of yet, or for a time that is far ahead."""


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
    claims: tuple[EventId, ...]
    lease_end: int
    claimed_at: int
    active_at: int
    owes: int
    has_work: bool
    is_paid: bool = False


@attrs.frozen(kw_only=True)
class Coverage:
    """What there is to verify in one attempt, and who has verified what.

    It covers what was proposed from the attempt's places, the first candidate from each, and of
    earlier attempts what was not found wanting: the votes of a decision are of one attempt, so that
    those are verified anew. Surplus candidates are verified by whoever likes to.
    """

    independence: Independence
    candidates: Mapping[EventId, Candidate]
    verified: Mapping[tuple[NodeId, str], frozenset[EventId]]
    by_node: Mapping[NodeId, int]
    by_executor: Mapping[tuple[NodeId, str], int]

    @classmethod
    def of(
        cls, state: TaskState, label: Label, attempt: int, covered: Iterable[Candidate]
    ) -> "Coverage":
        """Return the coverage of an attempt in which these candidates are to be verified."""
        candidates = {each.event_id: each for each in sorted(covered, key=_by_date)}
        verified: dict[tuple[NodeId, str], set[EventId]] = {}
        for result in state.results.values():
            is_here = (result.label, result.attempt) == (label, attempt)
            if is_here and result.candidate in candidates:
                who = (result.author, result.executor)
                verified.setdefault(who, set()).add(result.candidate)
        return cls(
            independence=state.terms.independence,
            candidates=candidates,
            verified={who: frozenset(names) for who, names in verified.items()},
            by_node=Counter(each.author for each in candidates.values()),
            by_executor=Counter((each.author, each.executor) for each in candidates.values()),
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
            case Independence.NONE:  # exhaustive
                return 0


NO_COVERAGE: Final = Coverage(
    independence=Independence.NONE, candidates={}, verified={}, by_node={}, by_executor={}
)


@attrs.frozen(kw_only=True)
class Allocation:
    """The places of one attempt of one label, and how many are free, at one moment.

    `paid` are the places that were granted in this attempt and all before it.
    """

    places: tuple[Place, ...]
    free: Mapping[Work, int]
    coverage: Coverage
    paid: tuple[Place, ...]

    def of(self, role: Work) -> tuple[Place, ...]:
        """Return the places of a role, in the order of their first claims."""
        return tuple(place for place in self.places if place.role is role)

    def place(self, role: Work, node: NodeId, executor: str) -> Place | None:
        """Return the place of a node's executor, if it ever claimed one."""
        holder = (role, node, executor)
        found = (p for p in self.places if (p.role, p.node, p.executor) == holder)
        return next(found, None)


NOTHING: Final = Allocation(
    places=(), free={Work.PROPOSE: 0, Work.VERIFY: 0}, coverage=NO_COVERAGE, paid=()
)


def allocation(
    state: TaskState, now_ms: int, attempt: int | None = None, *, is_wanted: bool = False
) -> Allocation:
    """Return the places of an attempt of the newest epoch, by default of the newest attempt.

    With `is_wanted`, as they would be if one more claimant waited for each.
    """
    label = state.label
    if label is None or not state.is_effective:
        return NOTHING
    last = state.attempt if attempt is None else attempt
    view = state.view(
        ("allocation", now_ms, last), lambda: _allocated(state, label, now_ms, last, False)
    )
    if not is_wanted or not any(_gives_way(state, now_ms, place) for place in view.places):
        return view
    return state.view(
        ("allocation", now_ms, last, is_wanted),
        lambda: _allocated(state, label, now_ms, last, is_wanted),
    )


def _allocated(
    state: TaskState, label: Label, now_ms: int, last: int, is_wanted: bool
) -> Allocation:
    ground = _Ground.of(state, label, now_ms)
    made = NOTHING
    for number in range(1, last + 1):
        made = _allocate(ground, number, made, is_wanted=is_wanted and number == last)
    return made


def _allocate(
    ground: "_Ground", attempt: int, before: Allocation, *, is_wanted: bool
) -> Allocation:
    """Return the places of an attempt, given those of the attempt before."""
    terms = ground.state.terms
    proposing = _grant(
        ground.places(Work.PROPOSE, attempt, before.coverage),
        ground,
        _Room(terms.max_proposers, terms.max_concurrency.propose, is_wanted),
    )
    kept = [
        candidate
        for name, candidate in before.coverage.candidates.items()
        if name not in ground.wanting
    ]
    covered = [*kept, *ground.proposed(proposing.places)]
    coverage = Coverage.of(ground.state, ground.label, attempt, covered)
    verifying = _grant(
        ground.places(Work.VERIFY, attempt, coverage),
        ground,
        _Room(terms.max_verifiers, terms.max_concurrency.verify, is_wanted),
    )
    places = (*proposing.places, *verifying.places)
    return Allocation(
        places=places,
        free={Work.PROPOSE: proposing.free, Work.VERIFY: verifying.free},
        coverage=coverage,
        paid=(*before.paid, *(place for place in places if place.is_paid)),
    )


def found_wanting(state: TaskState) -> frozenset[EventId]:
    """Return the candidates that at least as many verifiers found bad as good.

    Each verifier counts once, however often it says so.
    """
    return state.view(("found_wanting",), lambda: _found_wanting(state))


def _found_wanting(state: TaskState) -> frozenset[EventId]:
    said: dict[tuple[EventId, NodeId], int] = {}
    for result in state.results.values():
        if result.status is not Status.INCONCLUSIVE:
            step = 1 if result.status is Status.PASSED else -1
            who = result.candidate, result.author
            said[who] = said.get(who, 0) + step
    balance: dict[EventId, int] = {}
    for (name, _), sum_ in said.items():
        balance[name] = balance.get(name, 0) + (sum_ > 0) - (sum_ < 0)
    return frozenset(name for name, sum_ in balance.items() if sum_ <= 0)


def _by_date(record: Candidate | Claim) -> tuple[int, EventId]:
    return record.created_at, record.event_id


# --- what each place has come to ------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class _Ground:
    """One label at one moment, with what is asked about it again and again."""

    state: TaskState
    label: Label
    now_ms: int
    claims: Mapping[tuple[int, Work], Mapping[Holder, Sequence[Claim]]]
    candidates: Mapping[EventId, Candidate]
    work_at: Mapping[EventId, int]
    failed: frozenset[EventId]
    wanting: frozenset[EventId]

    @classmethod
    def of(cls, state: TaskState, label: Label, now_ms: int) -> "_Ground":
        return cls(
            state=state,
            label=label,
            now_ms=now_ms,
            claims=_claims_by_holder(state, label),
            candidates=_first_candidates(state, now_ms + AHEAD_MS),
            work_at=_last_work(state, now_ms + AHEAD_MS),
            failed=frozenset(error.claim for error in state.errors.values()),
            wanting=found_wanting(state),
        )

    def proposed(self, places: Iterable[Place]) -> Iterator[Candidate]:
        """Yield the first candidate from each place that there was room for."""
        for place in places:
            if place.is_paid and place.has_work:
                made = (self.candidates[name] for name in place.claims if name in self.candidates)
                yield min(made, key=_by_date)

    def places(self, role: Work, attempt: int, coverage: Coverage) -> list[Place]:
        """Return the places of a role as if there were room for all, by date of the first claim."""
        made = [
            self._place(attempt, holder, claims, coverage)
            for holder, claims in self.claims.get((attempt, role), {}).items()
        ]
        return sorted(made, key=lambda place: (place.claimed_at, place.claim.event_id))

    def _place(
        self, attempt: int, holder: Holder, claims: Sequence[Claim], coverage: Coverage
    ) -> Place:
        role, node, executor = holder
        newest = claims[-1]
        worked = [self.work_at[each.event_id] for each in claims if each.event_id in self.work_at]
        owes = coverage.owed_count(node, executor) if role is Work.VERIFY else 0
        return Place(
            role=role,
            attempt=attempt,
            node=node,
            executor=executor,
            state=self._condition(newest, is_done=bool(worked) and owes == 0),
            claim=newest,
            claims=tuple(each.event_id for each in claims),
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
        if claim.created_at > self.now_ms + AHEAD_MS:
            return PlaceState.WAITING
        needs_approval = self.state.terms.allocator is Allocator.CREATOR
        if needs_approval and name not in self.state.approved:
            return PlaceState.WAITING
        return PlaceState.WORKING


def _claims_by_holder(
    state: TaskState, label: Label
) -> Mapping[tuple[int, Work], Mapping[Holder, Sequence[Claim]]]:
    """Return the claims of each attempt and role by who holds them, oldest first."""
    found: dict[tuple[int, Work], dict[Holder, list[Claim]]] = {}
    for claim in sorted(state.claims.values(), key=_by_date):
        if claim.label == label:
            holders = found.setdefault((claim.attempt, claim.role), {})
            holder = (claim.role, claim.author, claim.executor)
            holders.setdefault(holder, []).append(claim)
    return found


def _first_candidates(state: TaskState, until_ms: int) -> Mapping[EventId, Candidate]:
    """Return the first candidate under each claim that brought one by then."""
    first: dict[EventId, Candidate] = {}
    for candidate in state.candidates.values():
        if candidate.created_at <= until_ms:
            held = first.get(candidate.claim, candidate)
            first[candidate.claim] = min(candidate, held, key=_by_date)
    return first


def _last_work(state: TaskState, until_ms: int) -> Mapping[EventId, int]:
    """Return for each claim under which something was proposed or verified when that was last.

    What is dated later than `until_ms` is left out.
    """
    latest: dict[EventId, int] = {}
    for record in (*state.candidates.values(), *state.results.values()):
        if record.created_at <= until_ms:
            latest[record.claim] = max(record.created_at, latest.get(record.claim, 0))
    return latest


# --- how many there is room for -------------------------------------------------------------------


@attrs.frozen
class _Room:
    """How many places there are in all and at one time, and whether one more claimant waits."""

    most: int
    at_once: int
    is_wanted: bool


@attrs.frozen
class _Grant:
    places: tuple[Place, ...]
    free: int


def _grant(places: list[Place], ground: _Ground, room: _Room) -> _Grant:
    """Return the places that there is room for, older claims first; others wait.

    When somebody waits, a holder that has shown no work for too long gives way.
    """
    seated = list(_seat(places, room))
    if room.is_wanted or any(place.state is PlaceState.WAITING for place in seated):
        seated = list(_seat(_lapsed(places, ground), room))
    taken = [place for place in seated if place.is_paid]
    working = sum(place.state is PlaceState.WORKING for place in taken)
    return _Grant(tuple(seated), max(0, min(room.most - len(taken), room.at_once - working)))


def _seat(places: Iterable[Place], room: _Room) -> Iterator[Place]:
    taken = working = 0
    for place in places:
        is_working = place.state is PlaceState.WORKING
        if place.state is not PlaceState.DONE and not is_working:
            yield place
        elif taken < room.most and (not is_working or working < room.at_once):
            taken += 1
            working += is_working
            yield attrs.evolve(place, is_paid=True)
        elif is_working:
            yield attrs.evolve(place, state=PlaceState.WAITING)
        else:
            yield place


def _lapsed(places: Iterable[Place], ground: _Ground) -> Iterator[Place]:
    for place in places:
        gives_way = _gives_way(ground.state, ground.now_ms, place)
        yield attrs.evolve(place, state=PlaceState.LAPSED) if gives_way else place


def _gives_way(state: TaskState, now_ms: int, place: Place) -> bool:
    """Tell whether a holder has shown no work for too long, should another claimant wait."""
    patience_ms = PROGRESS_LEASES * state.terms.lease_ms
    return place.state is PlaceState.WORKING and place.active_at < now_ms - patience_ms
