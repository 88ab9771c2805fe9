"""All that a set of governance events says about one network.

The state is a function of the set of events: `Governance.add` may be called in any order, and
again.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Event, LaneClass
from wattswarm.kernel.governance.chain import Chain, Equivocation, Proposal
from wattswarm.kernel.governance.drafting import GOVERNANCE_UPDATED, NODE_ADMITTED, SCOPE
from wattswarm.kernel.governance.rows import Row, chain_rows, statement_rows
from wattswarm.kernel.governance.standing import EFFECTIVE, Standing, Word
from wattswarm.kernel.governance.statement import Statement, Target
from wattswarm.kernel.governance.statements import Statements
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.payloads.statement import EventRevoked, NodePenalized
from wattswarm.kernel.version import Version


@attrs.frozen
class Changes:
    """What is different now: versions that became valid, and events and nodes spoken about."""

    versions: frozenset[Digest] = frozenset()
    events: frozenset[EventId] = frozenset()
    nodes: frozenset[NodeId] = frozenset()

    def __or__(self, other: "Changes") -> "Changes":
        return Changes(
            self.versions | other.versions, self.events | other.events, self.nodes | other.nodes
        )


NOTHING: Final = Changes()

KINDS: Final = frozenset({GOVERNANCE_UPDATED, NODE_ADMITTED, EventRevoked.kind, NodePenalized.kind})
"""The kinds of event that governance is made of."""


@attrs.frozen
class _Known:
    """A governance event as far as it is shown."""

    kind: str
    author: NodeId
    created_at: int


class Governance:
    """The chain of versions, the admitted, and the statements that hold, of one network."""

    def __init__(self, network_id: str) -> None:
        self.network_id = network_id
        self._chain = Chain(network_id)
        self._statements = Statements(self._chain)
        self._ignored: dict[EventId, Standing] = {}
        self._known: dict[EventId, _Known] = {}

    # --- asking -------------------------------------------------------------------------------

    def version(self, pin: Digest) -> Version | None:
        """Return the valid version with this id, if there is one yet."""
        return self._chain.version(pin)

    @property
    def genesis(self) -> Version | None:
        """The genesis record, once an event has carried it."""
        return self._chain.genesis

    def head(self, now_ms: int | None = None) -> Version | None:
        """Return the version that new work is pinned to: the newest, by smaller id among siblings.

        With `now_ms`, the newest that is in effect by then, and the genesis record at least.
        """
        return self._chain.head(now_ms)

    def proposals(self, prev: Digest) -> tuple[Proposal, ...]:
        """Return the successors of a valid version that a Finalizer of it signed, by their ids."""
        return self._chain.proposals(prev)

    def is_stale(self, pin: Digest, opened_at: int) -> bool:
        """Tell whether a successor of `pin` was in effect well before an epoch was opened.

        A reason not to sign for the epoch, never a reason not to count.
        """
        return self._chain.is_stale(pin, opened_at)

    def admits(self, node: NodeId) -> bool:
        """Tell whether the node's events are taken into the set."""
        return self._chain.admits(node)

    @property
    def admitted(self) -> frozenset[NodeId]:
        """The nodes admitted by name; with open admission there are others."""
        return self._chain.admitted

    @property
    def equivocators(self) -> tuple[Equivocation, ...]:
        """Who signed several successors of one version: reported, and without any other effect."""
        return self._chain.equivocators

    def voids(self, event: Event, pin: Digest | None = None) -> str | None:
        """Return the code of why a statement leaves an event without effect, or None.

        With `pin`, for a task that was created under it: then only statements of that version and
        its descendants count.
        """
        return self._statements.voids(event, pin)

    def bars(self, node: NodeId, now_ms: int) -> bool:
        """Tell whether a penalty leaves what a node says now without effect."""
        return self._statements.bars(node, now_ms)

    def barred_until(self, node: NodeId) -> int | None:
        """Return when a penalty for a time is over, in ms; None where there is none such."""
        penalty = self.penalty(node)
        return None if penalty is None or penalty.window is None else penalty.window[1]

    def revocation(self, target: EventId) -> Statement | None:
        """Return the statement that holds of an event, if there is one."""
        return self._statements.standing_statement(EventRevoked.kind, target)

    def penalty(self, target: NodeId) -> Statement | None:
        """Return the statement that holds of a node, if there is one."""
        return self._statements.standing_statement(NodePenalized.kind, target)

    @property
    def statements(self) -> Statements:
        """All statements, with or without a quorum."""
        return self._statements

    # --- adding -------------------------------------------------------------------------------

    def add(self, event: Event) -> Changes:
        """Take a genuine event into account and return what is different by it."""
        name = event.event_id
        if name in self._known:
            return NOTHING
        self._known[name] = _Known(event.kind, event.author, event.created_at)
        flaw = self._flaw(event)
        if flaw is None:
            try:
                return self._take(event)
            except Malformed as error:
                flaw = error.code
        self._ignored[name] = Standing(Word.IGNORED, flaw)
        return NOTHING

    def _flaw(self, event: Event) -> str | None:
        if event.network_id != self.network_id:
            return "wrong_network"
        if event.lane_class is not LaneClass.CONTROL:
            return "wrong_class"
        if event.scope != SCOPE or event.task_id is not None:
            return "wrong_scope"
        return None if event.kind in KINDS else "unknown_kind"

    def _take(self, event: Event) -> Changes:
        match event.kind:
            case "GOVERNANCE_UPDATED":
                versions = self._chain.take_update(event)
                return Changes(versions) | _about(self._statements.versions_valid(versions))
            case "NODE_ADMITTED":
                self._chain.take_admission(event)
                return NOTHING
            case _:
                return _about(self._statements.take(event))

    # --- showing ------------------------------------------------------------------------------

    def standing(self, event_id: EventId) -> Standing | None:
        """Return what has become of an event that was added; none for others."""
        return (
            self._chain.standing(event_id)
            or self._statements.standing(event_id)
            or self._ignored.get(event_id)
        )

    def standings(self) -> Mapping[EventId, Standing]:
        """Return what has become of every event that is not effective."""
        found = ((name, self.standing(name)) for name in sorted(self._known))
        return {
            name: standing
            for name, standing in found
            if standing is not None and standing != EFFECTIVE
        }

    def rows(self) -> Mapping[str, tuple[Row, ...]]:
        """Return the rows of the governance tables, each table in the order of its key."""
        return {
            **chain_rows(self._chain),
            **statement_rows(self._statements),
            "governance_verdicts": tuple(self._verdict_rows()),
        }

    def _verdict_rows(self) -> Iterable[Row]:
        for name, standing in self.standings().items():
            known = self._known[name]
            is_ignored = standing.word is Word.IGNORED
            yield (
                name,
                known.kind,
                known.author,
                known.created_at,
                standing.word.value,
                standing.code if is_ignored else None,
                None if is_ignored else standing.code,
                standing.of,
            )


def _about(targets: Iterable[Target]) -> Changes:
    named = list(targets)
    return Changes(
        events=frozenset(EventId(name) for kind, name in named if kind == EventRevoked.kind),
        nodes=frozenset(NodeId(name) for kind, name in named if kind == NodePenalized.kind),
    )
