"""What statements leave of a task: what is void, why, and what depends on that; pure."""

from collections import Counter
from collections.abc import Iterable, Iterator

from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads.statement import EventRevoked, NodePenalized
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Ignored
from wattswarm.surface.task import VoidedView

REVOKED, PENALIZED = "revoked", "penalized"


def voided_views(state: TaskState, governance: Governance) -> tuple[VoidedView, ...]:
    """Return each statement that voids something of a task, by its target."""
    directly = dict(_directly(state))
    depending = Counter(root for root in _roots(state, directly) if root is not None)
    revoked = [
        _view(state, governance, REVOKED, name, [event], depending, kind=event.kind)
        for name, (code, event) in sorted(directly.items())
        if code == REVOKED
    ]
    of_nodes: dict[bytes, list[Event]] = {}
    for code, event in directly.values():
        if code == PENALIZED:
            of_nodes.setdefault(event.author, []).append(event)
    penalized = [
        _view(state, governance, PENALIZED, node, events, depending)
        for node, events in sorted(of_nodes.items())
    ]
    return (*revoked, *penalized)


def voided_story(state: TaskState, governance: Governance) -> Iterator[str]:
    """Yield a sentence for each of them."""
    for each in voided_views(state, governance):
        reason = f": {each.reason}" if each.reason else ""
        rest = f", and {each.dependents} that depend on it" if each.dependents else ""
        if each.word == REVOKED:
            what = f"Event {each.target[:12]} ({each.event_kind}) was revoked by finalizers{reason}"
            yield f"{what}. It has no effect{rest}."
        else:
            what = f"Node {each.target[:12]} was penalized by finalizers{reason}"
            yield f"{what}. {each.events} events of its own have no effect{rest}."


def _directly(state: TaskState) -> Iterator[tuple[EventId, tuple[str, Event]]]:
    for name, (entry, _) in state.pending.items():
        match state.verdict(name):
            case Ignored(code="revoked" | "penalized" as code):
                yield name, (code, entry.event)
            case _:
                pass


def _roots(state: TaskState, directly: Iterable[EventId]) -> Iterator[EventId | None]:
    """Yield, for each event that depends on what is void, what that is."""
    known: dict[EventId, EventId | None] = {name: name for name in directly}
    for name in state.pending:
        chain: list[EventId] = []
        at: EventId | None = name
        while at is not None and at not in known:
            chain.append(at)
            at = _cause(state, at)
        root = None if at is None else known[at]
        known |= dict.fromkeys(chain, root)
        if chain:
            yield root


def _cause(state: TaskState, name: EventId) -> EventId | None:
    match state.verdict(name):
        case Ignored(code="depends_on_revoked", of=of):
            return of
        case _:
            return None


def _view(
    state: TaskState,
    governance: Governance,
    word: str,
    target: bytes,
    events: list[Event],
    depending: Counter[EventId],
    *,
    kind: str | None = None,
) -> VoidedView:
    of = EventRevoked.kind if word == REVOKED else NodePenalized.kind
    said = governance.statements.standing_statement(of, target, state.pin)
    return VoidedView(
        word="revoked" if word == REVOKED else "penalized",
        target=target.hex(),
        event_kind=kind,
        reason="" if said is None else said.reason,
        events=len(events),
        dependents=sum(depending[event.event_id] for event in events),
    )
