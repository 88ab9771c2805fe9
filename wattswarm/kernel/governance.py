"""The governance chain: which versions are valid, who is admitted, and what new work is pinned to.

Version 0 is valid whoever carries it, provided that the network id is made of it; any other is
valid once enough Finalizers of its predecessor signed it, gathered by content over all carriers.
Once valid it is valid for ever. Validity and admission only grow, so the state is a function of the
set of events: `Governance.add` may be called in any order, and again.
"""

import enum
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

import attrs

from wattswarm.kernel import canonical, fields
from wattswarm.kernel import version as versions
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.limits import PIN_GRACE_MS, SIGNATURES_MAX
from wattswarm.kernel.signature import Domain, KeyPair, is_valid, message
from wattswarm.kernel.version import (
    RULES_VERSION,
    Admission,
    Role,
    Version,
    default_threshold,
    genesis,
    local_genesis,
    network_id_of,
    successor,
)

__all__ = [
    "GOVERNANCE_UPDATED",
    "KINDS",
    "NODE_ADMITTED",
    "RULES_VERSION",
    "SCOPE",
    "Admission",
    "Equivocation",
    "Governance",
    "Role",
    "Standing",
    "Version",
    "Word",
    "default_threshold",
    "draft_admission",
    "draft_update",
    "genesis",
    "local_genesis",
    "network_id_of",
    "sign",
    "signed_message",
    "successor",
]

GOVERNANCE_UPDATED: Final = "GOVERNANCE_UPDATED"
NODE_ADMITTED: Final = "NODE_ADMITTED"
Row: TypeAlias = "tuple[int | str | bytes | bool | None, ...]"

KINDS: Final = frozenset({GOVERNANCE_UPDATED, NODE_ADMITTED})
SCOPE: Final = "global"


class Word(enum.StrEnum):
    """What has become of an event."""

    EFFECTIVE = "effective"
    WAITING = "waiting"
    IGNORED = "ignored"


@attrs.frozen
class Standing:
    """What has become of one governance event.

    `code` says why an ignored event has no effect; a waiting one waits for the content that `of`
    names: for its predecessor to become valid (`predecessor`), or for more signatures on itself
    (`quorum`).
    """

    word: Word
    code: str = ""
    of: Digest | None = None


EFFECTIVE: Final = Standing(Word.EFFECTIVE)


@attrs.frozen
class Equivocation:
    """A Finalizer that signed rival successors of one version, neither superseding the other."""

    node: NodeId
    prev: Digest
    signed: tuple[Digest, ...]


@attrs.define
class _Offer:
    """A known content and its signers: Finalizers of its predecessor, once that is valid."""

    version: Version
    signers: set[NodeId] = attrs.field(factory=set[NodeId])
    unchecked: list[tuple[NodeId, bytes]] = attrs.field(factory=list[tuple[NodeId, bytes]])


@attrs.define
class Governance:
    """All that a set of governance events says about one network."""

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
    _ignored: dict[EventId, Standing] = attrs.field(init=False, factory=dict[EventId, Standing])
    _admitters: set[NodeId] = attrs.field(init=False, factory=set[NodeId])
    _admitted: set[NodeId] = attrs.field(init=False, factory=set[NodeId])
    _is_open: bool = attrs.field(init=False, default=False)

    # --- asking -------------------------------------------------------------------------------

    def version(self, pin: Digest) -> Version | None:
        """Return the valid version with this id, if there is one yet."""
        return self._valid.get(pin)

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

    def add(self, event: Event) -> frozenset[Digest]:
        """Take a genuine event into account and return the ids of versions it made valid."""
        name = event.event_id
        if name in self._carried or name in self._admissions or name in self._ignored:
            return frozenset()
        if event.network_id != self.network_id:
            return self._ignore(name, "wrong_network")
        if event.lane_class is not LaneClass.CONTROL:
            return self._ignore(name, "wrong_class")
        if event.scope != SCOPE or event.task_id is not None:
            return self._ignore(name, "wrong_scope")
        try:
            return self._take(event)
        except Malformed as error:
            return self._ignore(name, error.code)

    def _ignore(self, name: EventId, code: str) -> frozenset[Digest]:
        self._ignored[name] = Standing(Word.IGNORED, code)
        return frozenset()

    def _take(self, event: Event) -> frozenset[Digest]:
        match event.kind:
            case "GOVERNANCE_UPDATED":
                return self._take_update(event)
            case "NODE_ADMITTED":
                return self._take_admission(event)
            case _:
                return self._ignore(event.event_id, "unknown_kind")

    def _take_admission(self, event: Event) -> frozenset[Digest]:
        node = _read_admission(event.payload)
        self._admissions[event.event_id] = (event.author, node)
        if event.author in self._admitters:
            self._admitted.add(node)
        return frozenset()

    def _take_update(self, event: Event) -> frozenset[Digest]:
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
        return self._ignored.get(event_id)

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

    def standings(self) -> Mapping[EventId, Standing]:
        """Return what has become of every event that is not effective."""
        names = [*self._carried, *self._admissions, *self._ignored]
        standings = {name: self.standing(name) for name in sorted(names)}
        return {
            name: standing
            for name, standing in standings.items()
            if standing is not None and standing.word is not Word.EFFECTIVE
        }

    def rows(self) -> Mapping[str, tuple[Row, ...]]:
        """Return the rows of the governance tables, each table in the order of its key."""
        versions_ = sorted(self._valid.values(), key=lambda version: version.id)
        head = self.head()
        return {
            "governance_versions": tuple(
                _version_row(version, is_head=version is head) for version in versions_
            ),
            "governance_members": tuple(
                row for version in versions_ for row in _member_rows(version)
            ),
            "governance_policies": tuple(
                (version.id, policy.id, policy.version, policy.hash)
                for version in versions_
                for policy in version.policies
            ),
            "governance_admissions": tuple(
                sorted(
                    (node, author, event_id)
                    for event_id, (author, node) in self._admissions.items()
                    if author in self._admitters
                )
            ),
            "governance_equivocations": tuple(
                (each.prev, each.node, name) for each in self.equivocators for name in each.signed
            ),
        }


def _version_row(version: Version, *, is_head: bool) -> Row:
    return (
        version.id,
        version.prev,
        version.version,
        version.effective_at,
        version.threshold,
        version.rules_version,
        Role.PROPOSER in version.open_roles,
        Role.VERIFIER in version.open_roles,
        canonical.encode(version.params),
        is_head,
    )


def _member_rows(version: Version) -> Iterator[Row]:
    for node in sorted(version.members):
        roles = version.members[node]
        yield (version.id, node, *(role in roles for role in Role))


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


def signed_message(network_id: str, version: Version) -> bytes:
    """Return the bytes that a Finalizer of the predecessor signs to make `version` valid."""
    assert version.prev is not None, "nobody signs a genesis record: the network id is its hash"
    return message(Domain.GOVERNANCE, [network_id, version.prev, version.id])


def sign(network_id: str, version: Version, key: KeyPair) -> bytes:
    """Return the key's signature that helps to make `version` valid."""
    return key.sign(signed_message(network_id, version))


def draft_update(version: Version, sigs: Mapping[NodeId, bytes], created_at: int) -> Draft:
    """Return the draft of an event that carries a version with these signatures."""
    listed = [[node, sigs[node]] for node in sorted(sigs)]
    return _draft(
        GOVERNANCE_UPDATED, {"version": versions.to_payload(version), "sigs": listed}, created_at
    )


def draft_admission(node: NodeId, created_at: int) -> Draft:
    """Return the draft of an event by which a Finalizer admits a node."""
    return _draft(NODE_ADMITTED, {"node": node}, created_at)


def _draft(kind: str, payload: Mapping[str, Value], created_at: int) -> Draft:
    return Draft(
        kind=kind,
        scope=SCOPE,
        lane_class=LaneClass.CONTROL,
        task_id=None,
        epoch=0,
        created_at=created_at,
        payload=payload,
    )
