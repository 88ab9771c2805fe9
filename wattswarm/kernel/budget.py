"""What a task has cost so far: a view, for `decide` and for people.

Only what was done from granted places, and by those who were entitled, is paid: surplus work spends
nothing, so that nobody can use up a task's units by doing what nobody asked for.
"""

from collections.abc import Collection

import attrs

from wattswarm.kernel.allocation import Allocation
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.records import Commit, Vote
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.version import Role


@attrs.frozen(kw_only=True)
class Usage:
    """Steps taken, and units spent in each stage, one for each thing said that is paid."""

    steps: int
    explore: int
    verify: int
    finalize: int

    @property
    def cost_units(self) -> int:
        """The units of all stages together."""
        return self.explore + self.verify + self.finalize


def usage(state: TaskState, view: Allocation) -> Usage:
    """Return what a task has cost up to the attempt of `view`; a step is a granted place.

    Saying a thing again spends nothing: the first candidate of a place is paid, one result on each
    such candidate, and so on.
    """
    paid = _paid_candidates(state, view)
    return Usage(
        steps=len(view.paid),
        explore=len(paid) + len({each.candidate for each in state.additions.values()} & paid),
        verify=_verified(state, view, paid) + _voted(state, view, paid),
        finalize=_finalized(state),
    )


def _paid_candidates(state: TaskState, view: Allocation) -> frozenset[EventId]:
    """Return the first candidate from each granted place."""
    place_of = {
        name: index
        for index, place in enumerate(view.paid)
        if place.role is Work.PROPOSE
        for name in place.claims
    }
    first: dict[int, tuple[int, EventId]] = {}
    for each in state.candidates.values():
        index = place_of.get(each.claim)
        if index is not None:
            date = (each.created_at, each.event_id)
            first[index] = min(date, first.get(index, date))
    return frozenset(name for _, name in first.values())


def _verified(state: TaskState, view: Allocation, paid: Collection[EventId]) -> int:
    place_of = {
        name: index
        for index, place in enumerate(view.paid)
        if place.role is Work.VERIFY
        for name in place.claims
    }
    found = {
        (place_of[each.claim], each.candidate)
        for each in state.results.values()
        if each.claim in place_of and each.candidate in paid
    }
    held = {
        (place_of[each.claim], each.candidate, each.digest)
        for each in state.confirmations.values()
        if each.claim in place_of and each.candidate in paid
    }
    return len(found) + len(held)


def _voted(state: TaskState, view: Allocation, paid: Collection[EventId]) -> int:
    voters = {place.node for place in view.paid if place.role is Work.VERIFY}
    said = (state.commits.values(), state.votes.values())
    return sum(
        len({(each.author, each.subject) for each in votes if _is_paid(each, voters, paid)})
        for votes in said
    )


def _is_paid(
    vote: Commit | Vote, voters: Collection[NodeId], candidates: Collection[EventId]
) -> bool:
    return vote.author in voters and vote.subject.candidate in candidates


def _finalized(state: TaskState) -> int:
    committers = state.governing.holders(Role.COMMITTER)
    here = state.here
    decided = {each.author for each in state.decisions.values() if each.label == here}
    signers = {seal.signer for seal in state.seals if seal.label == here}
    return len(decided & committers) + len(signers)
