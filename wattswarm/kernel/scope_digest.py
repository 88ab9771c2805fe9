"""One digest over all derived rows of a scope: the same set of events gives the same digest.

It is made of the digests of the scope's groups (a task is one) by a radix trie over group id ‖
group digest.
"""

from collections.abc import Iterable, Mapping

from wattswarm.kernel import canonical, radix_trie
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import Digest


def scope_digest(scope: str, groups: Iterable[tuple[bytes, Digest]]) -> Digest:
    """Return the digest of a scope.

    Args:
        groups: Id (32 bytes) and digest of each of its groups, sorted by id.
    """
    root = radix_trie.build(group_id + group_digest for group_id, group_digest in groups)
    return digest(Context.DIGEST, canonical.encode([scope, root.count, root.digest]))


def whole_digest(scopes: Mapping[str, Digest]) -> Digest:
    """Return one digest over the digests of all scopes: nodes that hold the same have the same."""
    named: list[canonical.Value] = [[scope, scopes[scope]] for scope in sorted(scopes)]
    return digest(Context.DIGEST, canonical.encode(named))
