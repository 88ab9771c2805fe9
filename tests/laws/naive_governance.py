"""A second reading of governance, written from the rules alone and as simply as possible: law 5.

Which versions are valid is a least fixpoint by brute force; what statements say is looked up by
going over all of them. It shares with the kernel how payloads are read, and the hashes and
signatures; no rule.
"""

from collections.abc import Iterable, Iterator, Mapping

import attrs

from wattswarm.kernel import version as versions
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Event, LaneClass
from wattswarm.kernel.governance import signed_message
from wattswarm.kernel.governance.statement import (
    Statement,
    content,
    statement_hash,
    statement_message,
)
from wattswarm.kernel.ids import Digest, NodeId
from wattswarm.kernel.payloads import statement as payloads
from wattswarm.kernel.signature import is_valid
from wattswarm.kernel.version import Version, network_id_of

STATEMENTS = ("EVENT_REVOKED", "NODE_PENALIZED")

Signed = tuple[NodeId, bytes]


@attrs.frozen
class NaiveGovernance:
    """The valid versions, and the statements that count."""

    network_id: str
    versions: Mapping[Digest, Version]
    counting: tuple[Statement, ...]

    def voids(self, event: Event, pin: Digest) -> str | None:
        """Why a statement leaves an event of a task with this pin without effect."""
        said = self.standing("EVENT_REVOKED", event.event_id, pin)
        if said is not None and said.state.value == "revoked":
            return "revoked"
        said = self.standing("NODE_PENALIZED", event.author, pin)
        if said is None or said.state.value != "revoked":
            return None
        if said.window is not None:
            begin_ms, end_ms = said.window
            return "penalized" if begin_ms <= event.created_at < end_ms else None
        return None if event.event_id in (said.keep or ()) else "penalized"

    def standing(self, kind: str, target: bytes, pin: Digest) -> Statement | None:
        """What holds of a target for a task with this pin."""
        found = [
            said
            for said in self.counting
            if (said.kind, said.target) == (kind, target) and pin in self.line(said.governance)
        ]
        return max(found, key=self.rank, default=None)

    def rank(self, said: Statement) -> tuple[int, int, bool, Digest]:
        """The order in which one statement stands before another."""
        number = self.versions[said.governance].version
        name = statement_hash(self.network_id, said)
        return number, said.serial, said.state.value == "revoked", name

    def line(self, version: Digest) -> list[Digest]:
        """A version and all before it."""
        before = self.versions[version].prev
        return [version] if before is None else [version, *self.line(before)]


def read(network_id: str, events: Iterable[Event]) -> NaiveGovernance:
    """Return what brute force finds in a set of events."""
    heard = [
        event
        for event in events
        if event.lane_class is LaneClass.CONTROL
        and event.scope == "global"
        and event.task_id is None
    ]
    valid = _valid_versions(network_id, heard)
    return NaiveGovernance(network_id, valid, tuple(_counting(network_id, heard, valid)))


def _valid_versions(network_id: str, events: Iterable[Event]) -> Mapping[Digest, Version]:
    drafts: dict[Digest, Version] = {}
    signed: dict[Digest, list[Signed]] = {}
    for event in events:
        if event.kind != "GOVERNANCE_UPDATED":
            continue
        try:
            version = versions.read(event.payload["version"])
        except Malformed:
            continue
        drafts[version.id] = version
        signed.setdefault(version.id, []).extend(event.payload["sigs"])
    valid: dict[Digest, Version] = {}
    while True:
        new = {
            name: version
            for name, version in drafts.items()
            if name not in valid and _follows(network_id, version, valid, signed[name])
        }
        if not new:
            return valid
        valid |= new


def _follows(
    network_id: str, version: Version, valid: Mapping[Digest, Version], signed: Iterable[Signed]
) -> bool:
    if version.prev is None:
        return network_id_of(version) == network_id
    before = valid.get(version.prev)
    if before is None or version.version != before.version + 1:
        return False
    over = signed_message(network_id, version)
    return len(_signers(before, over, signed)) >= before.threshold


def _signers(version: Version, over: bytes, signed: Iterable[Signed]) -> set[NodeId]:
    return {
        node
        for node, signature in signed
        if node in version.finalizers and is_valid(node, over, signature)
    }


def _counting(
    network_id: str, events: Iterable[Event], valid: Mapping[Digest, Version]
) -> Iterator[Statement]:
    said: dict[Digest, Statement] = {}
    signed: dict[Digest, list[Signed]] = {}
    for event in events:
        if event.kind not in STATEMENTS:
            continue
        try:
            carried = payloads.read(event.kind, event.payload)
        except Malformed:
            continue
        name = statement_hash(network_id, content(carried))
        said[name] = content(carried)
        signed.setdefault(name, []).extend(carried.sigs)
    for name, statement in said.items():
        version = valid.get(statement.governance)
        over = statement_message(network_id, statement)
        if version is not None and len(_signers(version, over, signed[name])) >= version.threshold:
            yield statement
