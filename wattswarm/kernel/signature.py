"""Ed25519 keys and signatures, each signature bound to what it signs by a domain.

Source: RFC 8032; the domains are the table of docs/protocol/bytes.md.
"""

import enum
from collections.abc import Sequence
from typing import Final, Self

import attrs
from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

from wattswarm.kernel import canonical
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.ids import NodeId

SEED_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
NODE_ID_BYTES: Final = 32


class Domain(enum.StrEnum):
    """What a signature is for; the value, a zero byte and the message are signed."""

    EVENT = "wattswarm.event.v1"
    FINALITY = "wattswarm.finality.v1"
    GOVERNANCE = "wattswarm.governance.v1"
    STATEMENT = "wattswarm.statement.v1"
    EPOCH_END = "wattswarm.epoch-end.v1"
    CONTROL = "wattswarm.control.v1"
    FEEDBACK = "wattswarm.feedback.v1"
    BUNDLE = "wattswarm.bundle.v1"
    ANNOUNCE = "wattswarm.announce.v1"


def message(domain: Domain, fields: Sequence[Value]) -> bytes:
    """Return the bytes that are signed: domain, zero byte, canonical CBOR array of the fields."""
    return domain.encode() + b"\0" + canonical.encode(list(fields))


@attrs.frozen
class KeyPair:
    """A node's identity. The secret half never leaves the process that signs."""

    node_id: NodeId
    seed: bytes = attrs.field(repr=False)
    _secret: bytes = attrs.field(repr=False)

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Return the key pair of a 32-byte seed."""
        assert len(seed) == SEED_BYTES, len(seed)
        public, secret = crypto_sign_seed_keypair(seed)
        return cls(NodeId(public), seed, secret)

    def sign(self, data: bytes) -> bytes:
        """Return the 64-byte signature over `data` (a message that carries its domain)."""
        return crypto_sign(data, self._secret)[:SIGNATURE_BYTES]


def is_valid(node: bytes, data: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is `node`'s over `data`; false for bytes of a wrong size."""
    if len(signature) != SIGNATURE_BYTES or len(node) != NODE_ID_BYTES:
        return False
    try:
        crypto_sign_open(signature + data, node)
    except BadSignatureError:
        return False
    return True
