"""What a history's governance brings: versions that come late, handovers, forks, and statements."""

import random
from collections.abc import Iterable, Sequence

import attrs

from tests.laws.world import START_MS, Network
from wattswarm.kernel import governance
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import Role, Version
from wattswarm.kernel.governance.statement import Statement, statement_message
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.limits import CREATED_AT_MAX
from wattswarm.kernel.payloads.statement import EventRevoked, NodePenalized, StatementState
from wattswarm.kernel.signature import KeyPair

EVERY_ROLE = frozenset(Role)
UNKNOWN_RULES = 2

SPECIAL = frozenset(
    {
        "TASK_CREATED",
        "TASK_RETRY_SCHEDULED",
        "EPOCH_ENDED",
        "DECISION_FINALIZED",
        "TASK_STOPPED",
        "TASK_SUSPENDED",
        "TASK_RESUMED",
        "TASK_KILLED",
    }
)
"""Kinds that stand, in part or wholly, whatever statements say of them; and what all rests on."""


@attrs.define
class Governing:
    """The versions of a history after its genesis, and the events that carry them."""

    network: Network
    cast: Sequence[KeyPair]
    rng: random.Random
    versions: list[Version] = attrs.field(factory=list[Version])
    carriers: list[Event] = attrs.field(factory=list[Event])

    @classmethod
    def drawn(cls, rng: random.Random, network: Network, cast: Sequence[KeyPair]) -> "Governing":
        """Draw what comes after the genesis: nothing, a chain, a fork, and drafts of few."""
        made = cls(network, cast, rng, [network.genesis])
        if rng.random() < 0.4:
            return made
        grown = made.follow(members={**network.genesis.members, cast[-1].node_id: EVERY_ROLE})
        if rng.random() < 0.5:
            made.follow(grown, members=made.heirs())
        if rng.random() < 0.3:
            made.follow(params={**network.genesis.params, "fork": rng.randint(0, 9)})
        if rng.random() < 0.15:
            made.follow(grown, rules_version=UNKNOWN_RULES)
        if rng.random() < 0.3:
            made.follow(rng.choice(made.versions), is_quorate=False, params={"draft": 1})
        return made

    def heirs(self) -> dict[NodeId, frozenset[Role]]:
        """Draw members of whom others than before are finalizers."""
        heirs = self.rng.sample(self.cast, self.rng.randint(1, len(self.cast)))
        members = {key.node_id: EVERY_ROLE - {Role.FINALIZER} for key in self.cast}
        return {**members, **{key.node_id: EVERY_ROLE for key in heirs}}

    def follow(
        self, prev: Version | None = None, *, is_quorate: bool = True, **changes: object
    ) -> Version:
        """Sign a successor, one carrier for each signature; return it."""
        before = self.network.genesis if prev is None else prev
        date_ms = START_MS + self.rng.randint(-500, 20_000)
        version = governance.successor(before, effective_at=date_ms, **changes)
        signers = [key for key in self.cast if key.node_id in before.finalizers]
        if not is_quorate:
            signers = signers[: before.threshold - 1]
        else:
            self.versions.append(version)
        for key in signers:
            sigs = {key.node_id: governance.sign(self.network.network_id, version, key)}
            draft = governance.draft_update(version, sigs, START_MS - 400 + len(self.carriers))
            self.carriers.append(draft.sign(self.network.network_id, self.rng.choice(self.cast)))
        return version

    # --- statements -----------------------------------------------------------------------------

    def statements(self, events: Sequence[Event]) -> list[Event]:
        """Draw statements about these events and the cast: quorate or not, taken back, rivals."""
        said: list[Statement] = []
        for _ in range(self.rng.randint(1, 5)):
            said.append(
                self._again(said) if said and self.rng.random() < 0.5 else self._new(events)
            )
        return [event for each in said for event in self._carried(each)]

    def _new(self, events: Sequence[Event]) -> Statement:
        special = [event for event in events if event.kind in SPECIAL]
        event = self.rng.choice(special if self.rng.random() < 0.5 else events)
        if self.rng.random() < 0.6:
            return self._draw(EventRevoked.kind, event.event_id, events)
        outsider = EventId(self.rng.randbytes(32))
        is_known = self.rng.random() < 0.95
        return self._draw(NodePenalized.kind, event.author if is_known else outsider, events)

    def _again(self, said: Sequence[Statement]) -> Statement:
        """Say something else of the same target."""
        before = self.rng.choice(said)
        state = self.rng.choice(tuple(StatementState))
        version = before.governance if self.rng.random() < 0.5 else self._version()
        is_penalty = (before.kind, state) == (NodePenalized.kind, StatementState.REVOKED)
        has_extent = before.window is not None or before.keep is not None
        window = (0, CREATED_AT_MAX) if is_penalty and not has_extent else before.window
        return attrs.evolve(
            before,
            serial=self.rng.choice((before.serial, before.serial + 1)),
            state=state,
            governance=version,
            window=window if is_penalty else None,
            keep=before.keep if is_penalty else None,
        )

    def _draw(self, kind: str, target: bytes, events: Sequence[Event]) -> Statement:
        state = StatementState.REVOKED if self.rng.random() < 0.8 else StatementState.RESTORED
        window: tuple[int, int] | None = None
        keep: frozenset[EventId] | None = None
        if kind == NodePenalized.kind and state is StatementState.REVOKED:
            window, keep = self._extent(events)
        return Statement(
            kind=kind,
            target=target,
            serial=self.rng.randint(1, 3),
            state=state,
            governance=self._version(),
            reason=self.rng.choice(("", "why")),
            window=window,
            keep=keep,
        )

    def _extent(
        self, events: Sequence[Event]
    ) -> tuple[tuple[int, int] | None, frozenset[EventId] | None]:
        if self.rng.random() < 0.5:
            share = self.rng.choice((0.0, 0.2, 0.8))
            kept = [event.event_id for event in events if self.rng.random() < share]
            return None, frozenset(kept)
        begin_ms, end_ms = sorted(self.rng.choice(events).created_at for _ in range(2))
        return (begin_ms, end_ms + 1), None

    def _version(self) -> Digest:
        if self.rng.random() < 0.03:
            return Digest(self.rng.randbytes(32))
        return self.rng.choice(self.versions).id

    def _carried(self, said: Statement) -> list[Event]:
        """Carry a statement's signatures: all or too few, some forged, some copied by others."""
        signers = self._signers(said)
        cut = self.rng.randint(0, len(signers))
        made = [self._carrier(said, part) for part in (signers[:cut], signers[cut:]) if part]
        if self.rng.random() < 0.2:
            made.append(self._carrier(said, self.rng.sample(self.cast, 1), is_forged=True))
        return made

    def _signers(self, said: Statement) -> list[KeyPair]:
        version = next((each for each in self.versions if each.id == said.governance), None)
        if version is None:
            return [*self.cast]
        able = [key for key in self.cast if key.node_id in version.finalizers]
        if self.rng.random() < 0.75:
            return self.rng.sample(able, max(version.threshold, self.rng.randint(0, len(able))))
        return self.rng.sample(able, version.threshold - 1)

    def _carrier(
        self, said: Statement, signers: Iterable[KeyPair], *, is_forged: bool = False
    ) -> Event:
        signed = statement_message(self.network.network_id, said)
        sigs = {
            key.node_id: self.rng.randbytes(64) if is_forged else key.sign(signed)
            for key in signers
        }
        draft = governance.draft_statement(said, sigs, START_MS + self.rng.randint(0, 10**6))
        return draft.sign(self.network.network_id, self.rng.choice(self.cast))
