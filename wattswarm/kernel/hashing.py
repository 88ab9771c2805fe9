"""One table of BLAKE3 derive-key contexts, so that no hash can stand for another.

Source: BLAKE3 paper, section 2.3 (derive_key mode).
"""

import enum
from typing import Final

from blake3 import blake3

from wattswarm.kernel.ids import Digest

HASH_BYTES: Final = 32


class Context(enum.StrEnum):
    """What a hash is of; the value is the derive-key context."""

    EVENT_ID = "wattswarm 2026 event id v1"
    VOTE_COMMIT = "wattswarm 2026 vote commit v1"
    VOTE_SALT = "wattswarm 2026 vote salt v1"
    POSSESSION = "wattswarm 2026 possession v1"
    DECIDER_RANK = "wattswarm 2026 decider rank v1"
    DRAFTER_RANK = "wattswarm 2026 drafter rank v1"
    POLICY = "wattswarm 2026 policy v1"
    GOVERNANCE = "wattswarm 2026 governance v1"
    NETWORK_ID = "wattswarm 2026 network id v1"
    LANE_ID = "wattswarm 2026 lane id v1"
    TRIE_LEAF = "wattswarm 2026 trie leaf v1"
    TRIE_NODE = "wattswarm 2026 trie node v1"
    CHAIN = "wattswarm 2026 chain v1"
    DIGEST = "wattswarm 2026 digest v1"
    CONTROL = "wattswarm 2026 control v1"
    EPOCH_END = "wattswarm 2026 epoch end v1"
    STATEMENT = "wattswarm 2026 statement v1"
    EXECUTION_ID = "wattswarm 2026 execution id v1"
    ARCHIVE = "wattswarm 2026 archive v1"
    GOSSIP_TOPIC = "wattswarm 2026 gossip topic v1"
    SYNC_SESSION = "wattswarm 2026 sync session v1"


CHAIN_START: Final = bytes(HASH_BYTES)


def digest(context: Context, *parts: bytes) -> Digest:
    """Return the 32-byte hash of the concatenated parts under the context.

    Parts are concatenated as they are: callers with parts of varying length encode them canonically
    first.
    """
    hasher = blake3(derive_key_context=context)
    for part in parts:
        hasher.update(part)
    return Digest(hasher.digest())


def keyed(key: bytes, data: bytes) -> Digest:
    """Return the 32-byte BLAKE3 of `data` keyed with the 32-byte `key`."""
    return Digest(blake3(data, key=key).digest())


def artifact_digest(body: bytes) -> str:
    """Return the name of an artifact: `blake3:` and 64 lower-case hex digits."""
    return f"blake3:{blake3(body).hexdigest()}"
