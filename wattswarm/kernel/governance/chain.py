"""The governance chain: which versions are valid, who is admitted, and what new work is pinned to.

Version 0 is valid whoever carries it, provided that the network id is made of it; any other is
valid once enough Finalizers of its predecessor signed it, gathered by content over all carriers.
Once valid it is valid for ever. Validity and admission only grow, so the state is a function of the
set of events: they may be taken in any order, and again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import attrs

from wattswarm.kernel import fields
from wattswarm.kernel import version as versions
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance.drafting import signed_message
from wattswarm.kernel.governance.standing import EFFECTIVE, Standing, Word
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.limits import PIN_GRACE_MS, SIGNATURES_MAX
from wattswarm.kernel.signature import is_valid
from wattswarm.kernel.version import Admission, Version, network_id_of


@attrs.frozen
class Equivocation:
    """A Finalizer that signed rival successors of one version, neither superseding the other."""

    node: NodeId
    prev: Digest
    signed: tuple[Digest, ...]


@attrs.frozen(kw_only=True)
class Proposal:
    """A successor of a version, and the Finalizers of that version that signed it so far."""

    version: Version
    signers: frozenset[NodeId]
    is_valid: bool


@attrs.define
class _Offer:
    """A known content and its signers: Finalizers of its predecessor, once that is valid."""

    version: Version
    signers: set[NodeId] = attrs.field(factory=set[NodeId])
    unchecked: list[tuple[NodeId, bytes]] = attrs.field(factory=list[tuple[NodeId, bytes]])


@attrs.define
class Chain:
    """The governance versions of one network, and who is admitted to it."""

    network_id: str
    _valid: dict[Digest, Version] = attrs.field(init=False, factory=dict[Digest, Version])
    _offers: dict[Digest, _Offer] = attrs.field(init=False, factory=dict[Digest, _Offer])
    _successors: defaultdict[Digest, set[Digest]] = attrs.field(
        init=False, factory=lambda: defaultdict[Digest, set[Digest]](set)
    )
    _carried: dict[EventId, Digest] = attrs.field(init=False, factory=dict[EventId, Digest])
    _admissions: dict[EventId, tuple[NodeId, NodeId]] = attrs.field(
        init=False, factory=dict[EventId, tuple[NodeId, NodeId]]
    )
    _admitters: set[NodeId] = attrs.field(init=False, factory=set[NodeId])
    _admitted: set[NodeId] = attrs.field(init=False, factory=set[NodeId])
    _is_open: bool = attrs.field(init=False, default=False)

    # --- asking -------------------------------------------------------------------------------

    def version(self, pin: Digest) -> Version | None:
        """Return the valid version with this id, if there is one yet."""
        return self._valid.get(pin)

    def descends(self, version: Digest, pin: Digest) -> bool:
        """Tell whether a valid version is `pin`, or descends from it."""
        at: Version | None = self._valid.get(version)
        while at is not None and at.id != pin:
            at = None if at.prev is None else self._valid[at.prev]
        return at is not None

    @property
    def versions(self) -> Iterable[Version]:
        """The valid versions."""
        return self._valid.values()

    @property
    def admissions(self) -> Iterable[tuple[NodeId, NodeId, EventId]]:
        """The admissions that count: node, the finalizer who admitted it, and by which event."""
        for event_id, (author, node) in self._admissions.items():
            if author in self._admitters:
                yield node, author, event_id

    @property
    def genesis(self) -> Version | None:
        """The genesis record, once an event has carried it."""
        return next((v for v in self._valid.values() if v.prev is None), None)

    def head(self, now_ms: int | None = None) -> Version | None:
        """Return the version that new work is pinned to: the newest, by smaller id among siblings.

        With `now_ms`, the newest that is in effect by then, and the genesis record at least.
        """
        head = self.genesis
        while head is not None:
            following = self._following(head, now_ms)
            if following is None:
                return head
            head = following
        return None

    def _following(self, version: Version, now_ms: int | None) -> Version | None:
        first = min(self._valid.keys() & self._successors.get(version.id, set()), default=None)
        if first is None:
            return None
        following = self._valid[first]
        return following if now_ms is None or following.effective_at <= now_ms else None

    def proposals(self, prev: Digest) -> tuple[Proposal, ...]:
        """Return the successors of a valid version that a Finalizer of it signed, by their ids."""
        offers = (self._offers[name] for name in sorted(self._successors.get(prev, ())))
        return tuple(
            Proposal(
                version=offer.version,
                signers=frozenset(offer.signers),
                is_valid=offer.version.id in self._valid,
            )
            for offer in offers
            if offer.signers
        )

    def is_stale(self, pin: Digest, opened_at: int) -> bool:
        """Tell whether a successor of `pin` was in effect well before an epoch was opened.

        A reason not to sign for the epoch, never a reason not to count.
        """
        return any(
            self._valid[name].effective_at + PIN_GRACE_MS <= opened_at
            for name in self._valid.keys() & self._successors.get(pin, set())
        )

    def admits(self, node: NodeId) -> bool:
        """Tell whether the node's events are taken into the set."""
        return self._is_open or node in self._admitted

    @property
    def admitted(self) -> frozenset[NodeId]:
        """The nodes admitted by name; with open admission there are others."""
        return frozenset(self._admitted)

    @property
    def equivocators(self) -> tuple[Equivocation, ...]:
        """Who signed several successors of one version: reported, and without any other effect."""
        found = (
            equivocation
            for prev, names in self._successors.items()
            for equivocation in self._equivocations(prev, sorted(names))
        )
        return tuple(sorted(found, key=lambda each: (each.prev, each.node)))

    def _equivocations(self, prev: Digest, names: list[Digest]) -> Iterator[Equivocation]:
        for node in sorted({node for name in names for node in self._offers[name].signers}):
            signed = [name for name in names if node in self._offers[name].signers]
            if any(self._conflict(a, b) for a in signed for b in signed if a < b):
                yield Equivocation(node, prev, tuple(signed))

    def _conflict(self, one: Digest, other: Digest) -> bool:
        return (
            one not in self._offers[other].version.supersedes
            and other not in self._offers[one].version.supersedes
        )

    # --- adding -------------------------------------------------------------------------------

    def take_admission(self, event: Event) -> None:
        """Take a genuine NODE_ADMITTED into account.

        Raises:
            Malformed: The payload is not one.
        """
        node = _read_admission(event.payload)
        self._admissions[event.event_id] = (event.author, node)
        if event.author in self._admitters:
            self._admitted.add(node)

    def take_update(self, event: Event) -> frozenset[Digest]:
        """Take a genuine GOVERNANCE_UPDATED into account; return the versions it made valid.

        Raises:
            Malformed: The payload is not one, or the version could never be valid.
        """
        version, sigs = _read_update(event.payload)
        offer = self._offers.setdefault(version.id, _Offer(version))
        offer.unchecked += sigs
        self._carried[event.event_id] = version.id
        if version.prev is not None:
            self._successors[version.prev].add(version.id)
        return frozenset(self._settle(version.id))

    def _settle(self, name: Digest) -> Iterator[Digest]:
        """Make valid what now has its quorum, and then what had been waiting for that."""
        pending = [name]
        while pending:
            offer = self._offers[pending.pop()]
            if self._is_quorate(offer) and offer.version.id not in self._valid:
                self._make_valid(offer.version)
                pending += self._successors.get(offer.version.id, set())
                yield offer.version.id

    def _is_quorate(self, offer: _Offer) -> bool:
        version = offer.version
        if version.prev is None:
            return network_id_of(version) == self.network_id
        prev = self._valid.get(version.prev)
        if prev is None or version.version != prev.version + 1:
            return False
        self._check_signatures(offer, prev)
        return len(offer.signers) >= prev.threshold

    def _check_signatures(self, offer: _Offer, prev: Version) -> None:
        signed = signed_message(self.network_id, offer.version)
        for node, signature in offer.unchecked:
            if node in offer.signers or node not in prev.finalizers:
                continue
            if is_valid(node, signed, signature):
                offer.signers.add(node)
        offer.unchecked.clear()

    def _make_valid(self, version: Version) -> None:
        self._valid[version.id] = version
        self._is_open = self._is_open or version.admission is Admission.OPEN
        self._admitted |= version.members.keys()
        self._admitters |= version.finalizers
        self._admitted |= {
            node for author, node in self._admissions.values() if author in version.finalizers
        }

    # --- showing ------------------------------------------------------------------------------

    def standing(self, event_id: EventId) -> Standing | None:
        """Return what has become of an event that was added; none for others."""
        if event_id in self._admissions:
            is_entitled = self._admissions[event_id][0] in self._admitters
            return EFFECTIVE if is_entitled else Standing(Word.IGNORED, "missing_role")
        if event_id in self._carried:
            return self._carrier_standing(self._offers[self._carried[event_id]].version)
        return None

    def _carrier_standing(self, version: Version) -> Standing:
        if version.id in self._valid:
            return EFFECTIVE
        if version.prev is None:
            return Standing(Word.IGNORED, "foreign_genesis")
        prev = self._valid.get(version.prev)
        if prev is None:
            return Standing(Word.WAITING, "predecessor", version.prev)
        if version.version != prev.version + 1:
            return Standing(Word.IGNORED, "wrong_version_number")
        return Standing(Word.WAITING, "quorum", version.id)


def _read_update(
    payload: Mapping[str, Value],
) -> tuple[Version, list[tuple[NodeId, bytes]]]:
    content = fields.mapping(
        payload, "$.payload", required=frozenset({"version", "sigs"}), optional=frozenset()
    )
    sigs = fields.signatures(content["sigs"], "$.payload.sigs", most=SIGNATURES_MAX)
    version = versions.read(content["version"], "$.payload.version")
    return version, [(NodeId(node), signature) for node, signature in sigs]


def _read_admission(payload: Mapping[str, Value]) -> NodeId:
    content = fields.mapping(
        payload, "$.payload", required=frozenset({"node"}), optional=frozenset()
    )
    return NodeId(fields.octets(content["node"], "$.payload.node"))
