"""Whether the node signs, or a clone or a restored backup keeps it from that."""

from collections.abc import Sequence
from typing import Final

from wattswarm.operations.checks.well import ok
from wattswarm.operations.signing import REMEDY, read_signing, stop_reason
from wattswarm.store.pool import Reads
from wattswarm.surface.node import Finding, SigningView

CLONED_REMEDY: Final = (
    "stop this node, or give it an identity of its own in a new state directory; once nobody else "
    "has its seed any more: `wattswarm node restored`"
)


async def check_signing(reads: Reads) -> Sequence[Finding]:
    """Return whether the node signs, and for what it does not."""
    return (_finding(await reads.run(read_signing)),)


def _finding(view: SigningView) -> Finding:
    reason = stop_reason(view)
    if reason is not None:
        remedy = CLONED_REMEDY if view.state == "cloned" else REMEDY
        return Finding(area="signing", level="error", message=reason, remedy=remedy)
    if view.restored_at is None:
        return ok("signing", "nothing hints at a clone of this node, or at a restored backup")
    return ok("signing", f"a restore: nothing is signed for what was opened by {view.restored_at}")
