"""Statements: that an event is revoked or a node penalized, or restored.

They are gathered by content over all carriers, like governance versions: a content counts once as
many Finalizers of the version that it names signed it as that version's threshold. Of a target,
that of the highest version holds, then of the highest serial, then a revocation before a
restoration. Whether one holds is a function of the set of events; nothing that is effective for
want of a statement can be taken for granted, and everything else of the kernel only grows.

For a task only statements count whose version is the pin of its creation or descends from it, so
that keys that a fork left behind void nothing.
"""

from collections.abc import Callable, Iterable, Iterator

import attrs

from wattswarm.kernel.event import Event
from wattswarm.kernel.governance.chain import Chain
from wattswarm.kernel.governance.standing import EFFECTIVE, Standing, Word
from wattswarm.kernel.governance.statement import (
    Statement,
    Target,
    content,
    statement_hash,
    statement_message,
)
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.payloads import statement as payloads
from wattswarm.kernel.payloads.signatures import Signatures
from wattswarm.kernel.payloads.statement import (
    EventRevoked,
    NodePenalized,
    StatementState,
)
from wattswarm.kernel.signature import is_valid


@attrs.define(eq=False)
class Gathered:
    """A content and its signers: Finalizers of the version that it names, once that is valid."""

    id: Digest
    statement: Statement
    signers: dict[NodeId, bytes] = attrs.field(factory=dict[NodeId, bytes])
    valid: set[tuple[NodeId, bytes]] = attrs.field(factory=set[tuple[NodeId, bytes]])
    unchecked: list[tuple[NodeId, bytes]] = attrs.field(factory=list[tuple[NodeId, bytes]])


def void_code(event: Event, standing: Callable[[str, bytes], Statement | None]) -> str | None:
    """Return the code of why an event has no effect by what stands of it and its author."""
    for kind, target, code in (
        (EventRevoked.kind, event.event_id, "revoked"),
        (NodePenalized.kind, event.author, "penalized"),
    ):
        said = standing(kind, target)
        if said is not None and said.covers(event.event_id, event.created_at):
            return code
    return None


@attrs.define
class Statements:
    """All statements about one network."""

    chain: Chain
    _gathered: dict[Digest, Gathered] = attrs.field(init=False, factory=dict[Digest, Gathered])
    _by_version: dict[Digest, list[Gathered]] = attrs.field(
        init=False, factory=dict[Digest, list[Gathered]]
    )
    _quorate: dict[Target, list[Gathered]] = attrs.field(
        init=False, factory=dict[Target, list[Gathered]]
    )
    _carried: dict[EventId, tuple[Gathered, Signatures]] = attrs.field(
        init=False, factory=dict[EventId, tuple[Gathered, Signatures]]
    )

    # --- asking -------------------------------------------------------------------------------

    @property
    def gathered(self) -> Iterable[Gathered]:
        """All contents, with or without a quorum."""
        return self._gathered.values()

    def is_quorate(self, gathered: Gathered) -> bool:
        """Tell whether a content counts."""
        version = self.chain.version(gathered.statement.governance)
        return version is not None and len(gathered.signers) >= version.threshold

    def standing_statement(
        self, kind: str, target: bytes, pin: Digest | None = None
    ) -> Statement | None:
        """Return the statement that holds of a target; with `pin`, for a task of that pin."""
        held = self.holding(kind, target, pin)
        return None if held is None else held.statement

    def holding(self, kind: str, target: bytes, pin: Digest | None = None) -> Gathered | None:
        """Return the statement that holds of a target, with its signers."""
        counting = [
            each
            for each in self._quorate.get((kind, target), ())
            if pin is None or self.chain.descends(each.statement.governance, pin)
        ]
        return max(counting, key=self._precedence) if counting else None

    def would_hold(self, gathered: Gathered) -> bool:
        """Tell whether a content whose version is valid would hold if it had its quorum."""
        if self.chain.version(gathered.statement.governance) is None:
            return False
        held = self.holding(*gathered.statement.about)
        return held is None or self._precedence(gathered) >= self._precedence(held)

    def _precedence(self, gathered: Gathered) -> tuple[int, int, bool, Digest]:
        said = gathered.statement
        version = self.chain.version(said.governance)
        assert version is not None, "only what counts has a place in the order"
        is_revocation = said.state is StatementState.REVOKED
        return version.version, said.serial, is_revocation, gathered.id

    def voids(self, event: Event, pin: Digest | None = None) -> str | None:
        """Return the code of why an event has no effect, or None; see `standing_statement`."""
        if not self._quorate:
            return None
        return void_code(event, lambda kind, target: self.standing_statement(kind, target, pin))

    def bars(self, node: NodeId, now_ms: int) -> bool:
        """Tell whether what a node says now has no effect."""
        penalty = self.standing_statement(NodePenalized.kind, node)
        return penalty is not None and penalty.covers(None, now_ms)

    # --- adding -------------------------------------------------------------------------------

    def take(self, event: Event) -> frozenset[Target]:
        """Take a genuine statement into account; return the targets of what it made count.

        Raises:
            Malformed: The payload is not one.
        """
        said = payloads.read(event.kind, event.payload)
        gathered = self._gather(content(said))
        gathered.unchecked += said.sigs
        self._carried[event.event_id] = (gathered, said.sigs)
        return frozenset(self._count([gathered]))

    def versions_valid(self, versions: Iterable[Digest]) -> frozenset[Target]:
        """Take in that versions have become valid; return the targets of what counts by that."""
        waiting = [each for name in versions for each in self._by_version.get(name, ())]
        return frozenset(self._count(waiting))

    def _gather(self, said: Statement) -> Gathered:
        name = statement_hash(self.chain.network_id, said)
        if name not in self._gathered:
            gathered = Gathered(name, said)
            self._gathered[name] = gathered
            self._by_version.setdefault(said.governance, []).append(gathered)
        return self._gathered[name]

    def _count(self, touched: Iterable[Gathered]) -> Iterator[Target]:
        for gathered in touched:
            was_quorate = self.is_quorate(gathered)
            self._check_signatures(gathered)
            if self.is_quorate(gathered) and not was_quorate:
                about = gathered.statement.about
                self._quorate.setdefault(about, []).append(gathered)
                yield about

    def _check_signatures(self, gathered: Gathered) -> None:
        version = self.chain.version(gathered.statement.governance)
        if version is None:
            return
        signed = statement_message(self.chain.network_id, gathered.statement)
        for node, signature in gathered.unchecked:
            pair = (node, signature)
            if pair in gathered.valid or node not in version.finalizers:
                continue
            if is_valid(node, signed, signature):
                gathered.valid.add(pair)
                gathered.signers[node] = min(signature, gathered.signers.get(node, signature))
        gathered.unchecked.clear()

    # --- showing ------------------------------------------------------------------------------

    def standing(self, event_id: EventId) -> Standing | None:
        """Return what has become of an event that was taken; none for others."""
        if event_id not in self._carried:
            return None
        gathered, sigs = self._carried[event_id]
        version = self.chain.version(gathered.statement.governance)
        if version is None:
            return Standing(Word.WAITING, "version", gathered.statement.governance)
        if self.is_quorate(gathered):
            return EFFECTIVE
        is_signed = not gathered.valid.isdisjoint(sigs)
        if is_signed:
            return Standing(Word.WAITING, "quorum", gathered.id)
        return Standing(Word.IGNORED, "no_valid_signature")
