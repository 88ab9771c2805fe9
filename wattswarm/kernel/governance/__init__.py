"""Governance: what a set of its events says about one network.

`chain` has the versions and who is admitted, `statements` what finalizers revoked and whom they
penalized; `drafting` makes events of both.
"""

from wattswarm.kernel.governance.chain import Equivocation, Proposal
from wattswarm.kernel.governance.drafting import (
    GOVERNANCE_UPDATED,
    NODE_ADMITTED,
    SCOPE,
    draft_admission,
    draft_statement,
    draft_update,
    sign,
    signed_message,
)
from wattswarm.kernel.governance.governance import KINDS, NOTHING, Changes, Governance
from wattswarm.kernel.governance.standing import EFFECTIVE, Standing, Word
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
    "EFFECTIVE",
    "GOVERNANCE_UPDATED",
    "KINDS",
    "NODE_ADMITTED",
    "NOTHING",
    "RULES_VERSION",
    "SCOPE",
    "Admission",
    "Changes",
    "Equivocation",
    "Governance",
    "Proposal",
    "Role",
    "Standing",
    "Version",
    "Word",
    "default_threshold",
    "draft_admission",
    "draft_statement",
    "draft_update",
    "genesis",
    "local_genesis",
    "network_id_of",
    "sign",
    "signed_message",
    "successor",
]
