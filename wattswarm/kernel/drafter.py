"""Who drafts what finalizers are to sign together: one at a time.

Two drafts at once would each gather some of the signatures, and each signer is locked to his own.
So the finalizer with the smallest hash drafts, and the next in turn by its operator's word only.
"""

from collections.abc import Iterable

from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import NodeId


def drafters(succeeded: bytes, finalizers: Iterable[NodeId]) -> tuple[NodeId, ...]:
    """Return the finalizers in the order of their turns to draft what succeeds something.

    Args:
        succeeded: The name of that: the id of a governance version, or the key of an epoch.
    """
    return tuple(sorted(finalizers, key=lambda node: digest(Context.DRAFTER_RANK, succeeded, node)))
