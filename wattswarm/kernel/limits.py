"""Every size, count and time bound of the protocol; bytes, items or ms as named."""

from typing import Final

EVENT_BODY_BYTES_MAX: Final = 65_536
"""An event is a statement, not a document: larger content is an artifact."""

CONTRACT_BYTES_MAX: Final = EVENT_BODY_BYTES_MAX - 1_024
"""A contract, leaving room for the rest of the event that creates the task."""

EVENT_WIRE_BYTES_MAX: Final = EVENT_BODY_BYTES_MAX + 128
"""Body, signature and the CBOR heads around them."""

DEPTH_MAX: Final = 16
"""Nesting of a signed value, counted in containers."""

UINT_MAX: Final = 2**53 - 1
"""Every implementation language can hold it exactly."""

CREATED_AT_MAX: Final = 2**48 - 1
"""The time-trie keys dates in 48 bits of ms since the Unix epoch."""

EPOCH_MAX: Final = 2**31 - 1
ATTEMPT_MAX: Final = 64

ID_CHARS_MAX: Final = 128
NAME_BYTES_MAX: Final = 256
MIME_CHARS_MAX: Final = 128
ARRAY_ITEMS_MAX: Final = 4_096
REASON_BYTES_MAX: Final = 4_096
RECEIPT_BYTES_MAX: Final = 4_096
SUMMARY_BYTES_MAX: Final = 2_048
TOPIC_TEXT_BYTES_MAX: Final = 2_048
"""Of a topic message that stands in its event: longer ones are artifacts."""

SCHEMA_BYTES_MAX: Final = 32_768
SCHEMA_PATTERN_BYTES_MAX: Final = 1_048_576
"""Memory of one compiled pattern."""

SCHEMA_REFERENCES_MAX: Final = 20
"""In a schema that asks what is unevaluated: compiling it follows each way through them anew."""

SCHEMA_FAULTS_MAX: Final = 32
"""More faults of one document than this tell nobody more."""

INPUTS_INLINE_BYTES_MAX: Final = 32_768
SEEN_ITEMS_MAX: Final = 256
SIGNATURES_MAX: Final = 256
MEMBERS_MAX: Final = 1_024
POLICIES_MAX: Final = 64
POLICY_PARAMS_BYTES_MAX: Final = 4_096
PARAMS_MAX: Final = 256
PARAM_BYTES_MAX: Final = 1_024
SUPERSEDED_MAX: Final = 16

JSON_CHECKED_BYTES_MAX: Final = 1_048_576
"""JSON outputs larger than this are not checked against a schema, and so not accepted."""

JSON_DEPTH_MAX: Final = 64
"""Nesting of free JSON: schema validators recurse on the machine's stack."""

ARTIFACT_BYTES_MAX: Final = 64 * 1_048_576

DURATION_MS_MAX: Final = 366 * 86_400_000
"""No wait of a task is longer than a year."""

SKEW_TOLERANCE_MS: Final = 3_000
"""Clocks of honest nodes may differ by this much."""

AHEAD_MS: Final = 2 * SKEW_TOLERANCE_MS
"""Honest nodes name nothing, and wait for nothing, that is dated further ahead of their clock."""

FUTURE_REFUSED_MS: Final = 600_000
"""An event dated further ahead than this is refused for now."""

PIN_GRACE_MS: Final = 10_000
"""A pin is stale only when a successor was in effect this long before the epoch was opened."""

BATCH_EVENTS_MAX: Final = 512
BATCH_BYTES_MAX: Final = 1_048_576
APPEND_BYTES_MAX: Final = 524_288

BASIS_POINTS: Final = 10_000
"""One, as a fraction in a signed value: scores and weights are integers of this many parts."""

REASON_CODE_MAX: Final = 65_535
REASON_CODES_MAX: Final = 64

SETTLE_MS: Final = 2_000
"""How long an honest node waits for what may be on its way: a decision of a better rank before it
signs finality, another voter's claim before it reveals.
"""

RETRY_BACKOFF_MS_MIN: Final = 1_000
RETRY_BACKOFF_MS_MAX: Final = 60_000

SYNC_FRAME_BYTES_MAX: Final = 65_536
"""Type and body of a frame on the control stream."""

SYNC_BATCH_EVENTS_MAX: Final = 256
SYNC_BATCH_BYTES_MAX: Final = 262_144
"""Of events that travel together between nodes, on a stream of their own."""

SYNC_IDS_MAX: Final = 1_792
"""In a page of a feed: what fits into a frame, and a whole number of batches."""

SYNC_LANES_MAX: Final = 1_024
SYNC_CAPABILITIES_MAX: Final = 32
SYNC_NODES_MAX: Final = 2_048
SYNC_SHORTS_MAX: Final = 4_096
"""Nodes of a trie, and short ids, in one step of a descent."""
