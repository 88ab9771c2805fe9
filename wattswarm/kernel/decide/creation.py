"""Creating a task."""

from collections.abc import Mapping

from wattswarm.kernel import contract, payloads
from wattswarm.kernel.decide.gate import refuse
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.event import Draft, LaneClass
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.payloads import TaskCreated
from wattswarm.kernel.version import RULES_VERSION, Role

DEFAULT_SCOPE = "global"


def create_task(
    doc: Mapping[str, object],
    *,
    governance: Governance,
    network_id: str,
    key_node: NodeId,
    now_ms: int,
    scope: str = DEFAULT_SCOPE,
) -> Draft | Rejection:
    """Return the draft of a task with this contract, pinned to the governance in effect now.

    Args:
        doc: A contract as people write it; every default is filled in.
        key_node: Who will sign it.

    Returns:
        The draft, or `contract_invalid` with all that is wrong, `no_governance`, `not_admitted`,
        `missing_role` or `unsupported_rules`.
    """
    pin = governance.head(now_ms)
    if pin is None:
        return refuse("no_governance")
    if pin.rules_version != RULES_VERSION:
        return refuse("unsupported_rules", f"version {pin.rules_version}")
    if governance.bars(key_node, now_ms):
        return refuse("barred")
    if not governance.admits(key_node):
        return refuse("not_admitted")
    if not pin.holds(key_node, Role.PROPOSER):
        return refuse("missing_role", "creating a task takes a proposer")
    resolved = contract.resolve(
        doc, network_id=network_id, pin=pin, created_at=now_ms, creator=key_node
    )
    if isinstance(resolved, Rejection):
        return resolved
    return Draft(
        kind=TaskCreated.kind,
        scope=scope,
        lane_class=LaneClass.WORK,
        task_id=None,
        epoch=1,
        created_at=now_ms,
        payload=payloads.write(TaskCreated(pin=pin.id, contract=resolved)),
    )
