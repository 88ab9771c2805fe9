"""What has to happen next for a task to become final, in sentences; pure."""

from collections.abc import Iterable, Iterator

from wattswarm.kernel.choice import choices, deciders
from wattswarm.kernel.ids import EventId, NodeId, short
from wattswarm.kernel.market import awaits_approval, is_declined
from wattswarm.kernel.payloads.claim import Work
from wattswarm.kernel.records import Decision, Subject
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Waiting
from wattswarm.kernel.views import (
    Allocation,
    Place,
    PlaceState,
    allocation,
    best_subject,
    going_word,
    run_at,
    state_word,
)
from wattswarm.operations.epoch_view import epoch_steps
from wattswarm.surface.words import when


def next_steps(state: TaskState, now_ms: int) -> tuple[str, ...]:
    """Return what has to happen next; nothing for a task that is over, whatever it came to.

    A continuous task goes on: its next epoch is to be opened.
    """
    match state_word(state, now_ms), going_word(state, now_ms):
        case "pending", _:
            return tuple(_arrivals(state))
        case "open", _:
            return (*_work(state, now_ms), *epoch_steps(state, now_ms))
        case _, "suspended" | "stopped" as word:
            return (f"it is {word}: `task resume` has it worked on again",)
        case _:
            return tuple(epoch_steps(state, now_ms))


def _arrivals(state: TaskState) -> Iterator[str]:
    match state.verdict(state.task_id):
        case Waiting(for_=needs):
            yield from (f"{need} has to arrive" for need in needs)
        case _:
            yield "the event that creates the task has to arrive"


def _work(state: TaskState, now_ms: int) -> Iterator[str]:
    begins_ms = run_at(state, state.attempt)
    if now_ms < begins_ms:
        yield f"attempt {state.attempt} begins at {when(begins_ms)}"
        return
    decision = state.decision
    if decision is not None:
        yield _signing(state, decision)
        return
    view = allocation(state, now_ms)
    yield from _approving(state, view)
    yield from _proposing(state, view)
    yield from _judging(state, view)
    yield from _deciding(state)


def _approving(state: TaskState, view: Allocation) -> Iterator[str]:
    """Name the claims that wait for the creator, as long as there is room for one of their role."""
    for place in view.places:
        name = place.claim.event_id
        is_waiting = place.state is PlaceState.WAITING and view.free[place.role] > 0
        if is_waiting and awaits_approval(state, name) and not is_declined(state, name):
            yield (
                f"the creator has to approve claim {short(name)} of {_who(place)} to "
                f"{place.role.value}, which is kept until {when(place.lease_end)}: "
                "`task approve-claim`"
            )


def _signing(state: TaskState, decision: Decision) -> str:
    label, threshold = decision.label, state.governing.threshold
    missing = max(threshold - state.sealed.get((label, decision.candidate), 0), 1)
    return (
        f"{_counted(missing, 'finalizer has', 'finalizers have')} to sign candidate "
        f"{short(decision.candidate)}, which decision {short(decision.event_id)} is for"
    )


def _proposing(state: TaskState, view: Allocation) -> Iterator[str]:
    working = [place for place in view.of(Work.PROPOSE) if place.state is PlaceState.WORKING]
    yield from (f"{_who(place)} proposes, until {when(place.lease_end)}" for place in working)
    has_own = any(item.attempt == state.attempt for item in state.candidates.values())
    if has_own or working:
        return
    if _is_any_awaited(state, view, Work.PROPOSE):
        return
    if view.free[Work.PROPOSE]:
        yield (
            f"an executor for {state.terms.task_type} has to claim one of "
            f"{view.free[Work.PROPOSE]} free places and propose"
        )
    elif not state.candidates:
        yield f"no place is free in attempt {state.attempt}: another attempt has to be opened"


def _judging(state: TaskState, view: Allocation) -> Iterator[str]:
    if not state.candidates or choices(state):
        return
    working = [place for place in view.of(Work.VERIFY) if place.state is PlaceState.WORKING]
    yield from (f"{_who(place)} verifies, until {when(place.lease_end)}" for place in working)
    is_awaited = _is_any_awaited(state, view, Work.VERIFY)
    if not (working or is_awaited) and view.free[Work.VERIFY]:
        yield f"a verifier has to claim one of {view.free[Work.VERIFY]} free places"
    yield from (_support(state, name) for name in _hopeful(state))
    sealed = len(state.commits) - len({vote.commit for vote in state.votes.values()} - {None})
    if sealed:
        yield f"{_counted(sealed, 'sealed vote has', 'sealed votes have')} to be revealed"


def _is_any_awaited(state: TaskState, view: Allocation, role: Work) -> bool:
    waiting = (place for place in view.of(role) if place.state is PlaceState.WAITING)
    return any(awaits_approval(state, place.claim.event_id) for place in waiting)


def _hopeful(state: TaskState) -> Iterable[EventId]:
    return (name for name in sorted(state.candidates) if _missing(state, name) > 0)


def _support(state: TaskState, name: EventId) -> str:
    missing = _missing(state, name)
    return f"candidate {short(name)} needs {_counted(missing, 'more approval', 'more approvals')}"


def _missing(state: TaskState, name: EventId) -> int:
    subject: Subject = best_subject(state, state.candidates[name].label, name)
    return state.terms.quorum_threshold - state.approvals(subject)


def _deciding(state: TaskState) -> Iterator[str]:
    found = choices(state)
    if found:
        first = next(iter(deciders(state)), None)
        yield f"{_node(first)} has to decide for candidate {short(found[0].candidate)}"


def _node(node: NodeId | None) -> str:
    return "a committer" if node is None else f"node {short(node)}"


def _who(place: Place) -> str:
    return f"executor {place.executor} of node {short(place.node)}"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
