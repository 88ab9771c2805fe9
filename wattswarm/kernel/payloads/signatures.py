"""Signatures inside payloads: pairs of signer and signature, each signer once."""

from typing import TypeAlias

from wattswarm.kernel import fields
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.limits import SIGNATURES_MAX

Signatures: TypeAlias = tuple[tuple[NodeId, bytes], ...]


def read_signatures(value: Value, path: str) -> Signatures:
    """Return the pairs of signer and signature, ascending by signer, that `value` is."""
    pairs = fields.signatures(value, path, most=SIGNATURES_MAX)
    return tuple((NodeId(node), signature) for node, signature in pairs)
