"""Verification policies: what an output must be for a verifier to pass it.

A policy is known by the hash of its specification, and governance registers it by that. A contract
binds a policy with parameters, and the binding has a hash of its own, which covers them too.
`evaluate` is a pure function; nothing that is derived from the log calls it: verifiers do, before
they sign a result, proposers and finalizers before they sign theirs.
"""

import enum
from collections.abc import Mapping
from typing import Final

import attrs

from wattswarm.kernel import canonical, json_text
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import Digest


class ReasonCode(enum.IntEnum):
    """Why a result is what it is; the only numeric codes, and only in results and task errors."""

    UNKNOWN = 0
    SCHEMA_OK = 100
    SCHEMA_INVALID = 101
    CONFIDENCE_TOO_LOW = 102
    OUTPUT_TOO_LARGE = 103
    CHECK_SUMMARY_MISSING = 104
    SCORE_TOO_LOW = 105
    EVIDENCE_UNREACHABLE = 200
    EVIDENCE_TIMEOUT = 201
    EVIDENCE_AUTH_DENIED = 202
    EVIDENCE_DIGEST_MISMATCH = 203
    TASK_TIMEOUT = 300
    INVALID_OUTPUT = 301
    TASK_EXPIRED = 302
    RUNTIME_CRASH = 303
    CUSTOM_ERROR = 999


EVIDENCE_CODES: Final = (
    ReasonCode.EVIDENCE_UNREACHABLE,
    ReasonCode.EVIDENCE_TIMEOUT,
    ReasonCode.EVIDENCE_AUTH_DENIED,
    ReasonCode.EVIDENCE_DIGEST_MISMATCH,
)
"""What a verifier may find with any policy; its result is then inconclusive."""


@attrs.frozen(kw_only=True)
class PolicyName:
    """A policy as governance registers it: by id, version and the hash of its specification."""

    id: str
    version: int
    hash: Digest

    def to_payload(self) -> Mapping[str, Value]:
        """Return the map that stands for this name in a governance version."""
        return {"id": self.id, "version": self.version, "hash": self.hash}


@attrs.frozen(kw_only=True)
class Policy:
    """The specification of a policy.

    `params_schema` is the JSON Schema of its parameters, `rule` the sentence that an implementation
    carries out: a change of either is another policy.
    """

    id: str
    version: int
    params_schema: Mapping[str, object]
    reason_codes: tuple[ReasonCode, ...]
    rule: str

    @property
    def name(self) -> PolicyName:
        """The name under which governance registers this specification."""
        return PolicyName(id=self.id, version=self.version, hash=specification_hash(self))


def specification_hash(policy: Policy) -> Digest:
    """Return the hash of a policy's whole specification."""
    specification: Mapping[str, Value] = {
        "id": policy.id,
        "version": policy.version,
        "params_schema": json_text.write(policy.params_schema),
        "reason_codes": [int(code) for code in policy.reason_codes],
        "rule": policy.rule,
    }
    return digest(Context.POLICY, canonical.encode(specification))


def _params(**properties: Mapping[str, object]) -> Mapping[str, object]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


BASIS_POINTS: Final[Mapping[str, object]] = {"type": "integer", "minimum": 0, "maximum": 10_000}
LENGTH_BYTES: Final[Mapping[str, object]] = {"type": "integer", "minimum": 1, "maximum": 1_048_576}

SCHEMA_ONLY: Final = Policy(
    id="vp.schema_only.v1",
    version=1,
    params_schema=_params(),
    reason_codes=(ReasonCode.SCHEMA_OK, ReasonCode.SCHEMA_INVALID, *EVIDENCE_CODES),
    rule=(
        "The output is valid under the task's output schema (JSON Schema 2020-12). "
        "The score is the verifier's own, by default 10000; 0 when invalid."
    ),
)

SCHEMA_THRESHOLDS: Final = Policy(
    id="vp.schema_thresholds.v1",
    version=1,
    params_schema=_params(min_confidence_bp=BASIS_POINTS, max_len=LENGTH_BYTES),
    reason_codes=(
        ReasonCode.SCHEMA_OK,
        ReasonCode.SCHEMA_INVALID,
        ReasonCode.CONFIDENCE_TOO_LOW,
        ReasonCode.OUTPUT_TOO_LARGE,
        *EVIDENCE_CODES,
    ),
    rule=(
        "The output is valid under the task's output schema (JSON Schema 2020-12); its member "
        "`confidence` (0 when missing or no number), as floor(confidence * 10000 + 0.5), is at least "
        "min_confidence_bp; its compact JSON text is at most max_len bytes of UTF-8. "
        "The score is the verifier's own, by default 10000; at most 2000 when a condition fails."
    ),
)

CROSSCHECK: Final = Policy(
    id="vp.crosscheck.v1",
    version=1,
    params_schema=_params(min_score_bp=BASIS_POINTS),
    reason_codes=(
        ReasonCode.SCHEMA_OK,
        ReasonCode.SCHEMA_INVALID,
        ReasonCode.CHECK_SUMMARY_MISSING,
        ReasonCode.SCORE_TOO_LOW,
        *EVIDENCE_CODES,
    ),
    rule=(
        "The output is valid under the task's output schema (JSON Schema 2020-12); its member "
        "`check_summary` is text that is not blank. The score is the verifier's own, by default 9000; "
        "at most 3000 when a condition fails; then it is at least min_score_bp."
    ),
)

BUILTIN: Final[Mapping[str, Policy]] = {
    policy.id: policy for policy in (SCHEMA_ONLY, SCHEMA_THRESHOLDS, CROSSCHECK)
}
"""The policies that this version of the program can carry out, by id."""
