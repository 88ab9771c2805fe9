"""A second valid signature over the same message: whoever holds a key can make as many as he likes.

Ed25519 signers derive the nonce from key and message, and no verifier can tell whether they did.
"""

from hashlib import sha512

from nacl import bindings

from wattswarm.kernel.signature import KeyPair


def signed_again(key: KeyPair, message: bytes, nonce: bytes = b"another") -> bytes:
    """Return another signature of `message` by `key` (RFC 8032, section 5.1.6, with this nonce)."""
    scalar = bytearray(sha512(key.seed).digest()[:32])
    scalar[0] &= 248
    scalar[31] = scalar[31] & 127 | 64
    reduced = bindings.crypto_core_ed25519_scalar_reduce(bytes(scalar) + bytes(32))
    secret = bindings.crypto_core_ed25519_scalar_reduce(sha512(nonce + key.seed + message).digest())
    point = bindings.crypto_scalarmult_ed25519_base_noclamp(secret)
    challenge = bindings.crypto_core_ed25519_scalar_reduce(
        sha512(point + key.node_id + message).digest()
    )
    product = bindings.crypto_core_ed25519_scalar_mul(challenge, reduced)
    return point + bindings.crypto_core_ed25519_scalar_add(secret, product)
