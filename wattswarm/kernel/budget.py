"""What a task has cost so far: a view, for `decide` and for people.

Only what was done from granted places, and by those who were entitled, is paid: surplus work spends
nothing, so that nobody can use up a task's units by doing what nobody asked for.
"""

from collections.abc import Collection

import attrs

from wattswarm.kernel.allocation import Allocation
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.version import Role


@attrs.frozen(kw_only=True)
class Usage:
    """Steps taken, and units spent in each stage, one for each event that is paid."""

    steps: int
    explore: int
    verify: int
    finalize: int

    @property
    def cost_units(self) -> int:
        """The units of all stages together."""
        return self.explore + self.verify + self.finalize


def usage(state: TaskState, view: Allocation) -> Usage:
    """Return what a task has cost up to the attempt of `view`; a step is a granted place."""
    claims = frozenset(name for place in view.paid for name in place.claims)
    return Usage(
        steps=len(view.paid),
        explore=_explored(state, claims),
        verify=_verified(state, claims) + _voted(state, view),
        finalize=_finalized(state),
    )


def _explored(state: TaskState, claims: Collection[EventId]) -> int:
    proposed = {each.event_id for each in state.candidates.values() if each.claim in claims}
    added = sum(each.candidate in proposed for each in state.additions.values())
    return len(proposed) + added


def _verified(state: TaskState, claims: Collection[EventId]) -> int:
    found = sum(each.claim in claims for each in state.results.values())
    return found + sum(each.claim in claims for each in state.confirmations.values())


def _voted(state: TaskState, view: Allocation) -> int:
    voters = {place.node for place in view.paid if place.role is Work.VERIFY}
    votes = (*state.commits.values(), *state.votes.values())
    return sum(each.author in voters for each in votes)


def _finalized(state: TaskState) -> int:
    committers = state.governing.holders(Role.COMMITTER)
    decided = sum(each.author in committers for each in state.decisions.values())
    finalizers = state.governing.finalizers
    return decided + sum(each.author in finalizers for each in state.carriers.values())
