"""Events of governance, as drafts, and the signatures that they carry."""

from collections.abc import Mapping
from typing import Final

from wattswarm.kernel import version as versions
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.event import Draft, LaneClass
from wattswarm.kernel.governance.statement import Statement
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.signature import Domain, KeyPair, message
from wattswarm.kernel.version import Version

GOVERNANCE_UPDATED: Final = "GOVERNANCE_UPDATED"
NODE_ADMITTED: Final = "NODE_ADMITTED"
SCOPE: Final = "global"


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


def draft_statement(said: Statement, sigs: Mapping[NodeId, bytes], created_at: int) -> Draft:
    """Return the draft of an event that carries a statement with these signatures."""
    content: dict[str, Value] = {
        "target": said.target,
        "serial": said.serial,
        "state": said.state.value,
        "governance": said.governance,
        "reason": said.reason,
        "sigs": [[node, sigs[node]] for node in sorted(sigs)],
    }
    if said.window is not None:
        content["window"] = [*said.window]
    if said.keep is not None:
        content |= {"cut": "all", "keep": sorted(said.keep)}
    return _draft(said.kind, content, created_at)


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
