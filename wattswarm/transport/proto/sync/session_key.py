"""The key of a session, under which digests and ids become short.

Both sides give a nonce, so that neither an author nor the other side can look for two digests that
become one tag: with a fresh key, eight bytes differ where thirty-two do.
"""

from typing import Final

import attrs

from wattswarm.kernel.hashing import Context, digest, keyed
from wattswarm.kernel.ids import Digest
from wattswarm.kernel.radix_trie import Summary
from wattswarm.kernel.time_trie import DATE_BYTES

NONCE_BYTES: Final = 16
SESSION_BYTES: Final = 4
TAG_BYTES: Final = 8


@attrs.frozen
class SessionKey:
    """Makes the tags of nodes and the short forms of ids."""

    secret: Digest

    def tag(self, summary: Summary) -> bytes:
        """Return the tag of a node of the trie."""
        return keyed(self.secret, summary.digest)[:TAG_BYTES]

    def short(self, key: bytes) -> bytes:
        """Return the short form of the id in a key of the time-trie."""
        return keyed(self.secret, key[DATE_BYTES:])[:TAG_BYTES]


def session_key(dialer_nonce: bytes, acceptor_nonce: bytes, session: int) -> SessionKey:
    """Return the key of a session on a connection: both sides know it, and keep it nowhere."""
    number = session.to_bytes(SESSION_BYTES, "big")
    return SessionKey(digest(Context.SYNC_SESSION, dialer_nonce, acceptor_nonce, number))
