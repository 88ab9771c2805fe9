"""The executor contract: what goes over HTTP between a node and an executor.

The node is always the client. An executor answers `GET /health`, `GET /capabilities`,
`POST /execute` and `POST /verify`. `decoding.py` reads what came; here are the classes, the words
and the limits.

`POST /verify` carries, beyond what older executors expect, the task's type, profile, inputs and
contract: a verifier that cannot see the source can recompute nothing.
"""

import enum
import re
from collections.abc import Mapping
from typing import Final

import attrs

from wattswarm.executors.fields import Json, write

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"

ANSWER_BYTES_MAX: Final = 4 * 1_048_576
"""An answer to /execute: 1 MiB of output and 64 KiB of evidence, whose escapes may treble it."""

CAPABILITIES_BYTES_MAX: Final = 65_536
VERIFY_ANSWER_BYTES_MAX: Final = 65_536
REQUEST_BYTES_MAX: Final = 8 * 1_048_576
"""A request, as our SDK reads it: inputs and output inline."""

PROGRESS_LINE_BYTES_MAX: Final = 16_384
PROGRESS_LINES_MAX: Final = 10_000
PROGRESS_CHARS_MAX: Final = 1_024

EVIDENCE_INLINE_BYTES_MAX: Final = 65_536
EVIDENCE_ITEMS_MAX: Final = 64
EVIDENCE_MIMES: Final = frozenset({"application/json", "text/csv", "text/markdown", "text/plain"})
"""Text that a person can read; media travel as artifacts."""

NAMES_MAX: Final = 256
REASON_CODES_MAX: Final = 64
REASON_CODE_MAX: Final = 65_535
URI_CHARS_MAX: Final = 2_048
SCORE_BP_MAX: Final = 10_000

ANYTHING: Final = "*"
"""As a task type or profile in an executor's capabilities: it takes whatever comes."""

BODY_DIGEST: Final = re.compile(r"(?:sha256|blake3):[0-9a-f]{64}\Z")
MIME: Final = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+\Z")

EVIDENCE_MISSING_CODES: Final = frozenset({200, 201, 202})
"""Reason codes that say that evidence could not be had: neither passed nor failed."""


class Stage(enum.StrEnum):
    """Why the executor is asked to work."""

    EXPLORE = "EXPLORE"
    DECIDE = "DECIDE"
    DIVERGE_MODE = "DIVERGE_MODE"


class Outcome(enum.StrEnum):
    """What a verifier found."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


@attrs.frozen(kw_only=True)
class Capabilities:
    """What an executor says that it can do, and with which model."""

    task_types: tuple[str, ...]
    profiles: tuple[str, ...]
    provider_family: str
    model_id: str
    streams_progress: bool = False

    def serves(self, task_type: str, profile: str) -> bool:
        """Tell whether the executor takes tasks of this type under this profile."""
        return _covers(self.task_types, task_type) and _covers(self.profiles, profile)

    def to_json(self) -> Mapping[str, Json]:
        """Return the body of `GET /capabilities`."""
        return {
            "task_types": list(self.task_types),
            "profiles": list(self.profiles),
            "provider_family": self.provider_family,
            "model_id": self.model_id,
            "streams_progress": self.streams_progress,
        }


def _covers(names: tuple[str, ...], wanted: str) -> bool:
    return wanted in names or ANYTHING in names


@attrs.frozen(kw_only=True)
class InlineEvidence:
    """A short text that backs an output."""

    mime: str
    content: str

    def to_json(self) -> Mapping[str, Json]:
        """Return the object that stands for it on the wire."""
        return {"mime": self.mime, "content": self.content}


@attrs.frozen(kw_only=True)
class BodyRef:
    """Where a body can be fetched and how to know that it is the right one."""

    uri: str
    digest: str
    size_bytes: int
    mime: str
    created_at: int = 0
    producer: str = ""

    def to_json(self) -> Mapping[str, Json]:
        """Return the object that stands for it on the wire."""
        return {
            "uri": self.uri,
            "digest": self.digest,
            "size_bytes": self.size_bytes,
            "mime": self.mime,
            "created_at": self.created_at,
            "producer": self.producer,
        }


@attrs.frozen(kw_only=True)
class Policy:
    """The verification policy that a task is bound to."""

    policy_id: str
    policy_version: str
    policy_hash: str
    policy_params: Mapping[str, Json]

    def to_json(self) -> Mapping[str, Json]:
        """Return the object that stands for it on the wire."""
        return {
            "policy_id": self.policy_id,
            "policy_version": self.policy_version,
            "policy_hash": self.policy_hash,
            "policy_params": self.policy_params,
        }


@attrs.frozen(kw_only=True)
class ExecuteRequest:
    """Body of `POST /execute`; `execution_id` is sent as `Idempotency-Key` and `attempt_id` too."""

    task_id: str
    execution_id: str
    task_type: str
    profile: str
    inputs: Mapping[str, Json]
    task_contract: Mapping[str, Json] = attrs.field(factory=dict[str, Json])
    stage: Stage = Stage.EXPLORE
    seed_bundle: Mapping[str, Json] | None = None

    def to_json(self) -> Mapping[str, Json]:
        """Return the body as an object."""
        return {
            "task_id": self.task_id,
            "execution_id": self.execution_id,
            "attempt_id": self.execution_id,
            "task_type": self.task_type,
            "profile": self.profile,
            "inputs": self.inputs,
            "task_contract": self.task_contract,
            "stage": self.stage.value,
            "seed_bundle": self.seed_bundle,
        }


@attrs.frozen(kw_only=True)
class ExecuteAnswer:
    """Body of the answer to `POST /execute`."""

    candidate_output: Json
    evidence_inline: tuple[InlineEvidence, ...] = ()
    evidence_refs: tuple[BodyRef, ...] = ()

    def output_body(self) -> bytes:
        """Return the output as JSON text: the body of the artifact that stands for it."""
        return write(self.candidate_output)

    def to_json(self) -> Mapping[str, Json]:
        """Return the body as an object."""
        return {
            "candidate_output": self.candidate_output,
            "evidence_inline": [item.to_json() for item in self.evidence_inline],
            "evidence_refs": [item.to_json() for item in self.evidence_refs],
        }


@attrs.frozen(kw_only=True)
class CandidateView:
    """A candidate as a verifier sees it, its output included."""

    candidate_id: str
    execution_id: str
    output: Json
    output_ref: BodyRef | None = None
    evidence_inline: tuple[InlineEvidence, ...] = ()
    evidence_refs: tuple[BodyRef, ...] = ()

    def to_json(self) -> Mapping[str, Json]:
        """Return the object that stands for it on the wire."""
        return {
            "candidate_id": self.candidate_id,
            "execution_id": self.execution_id,
            "output_ref": None if self.output_ref is None else self.output_ref.to_json(),
            "output": self.output,
            "evidence_inline": [item.to_json() for item in self.evidence_inline],
            "evidence_refs": [item.to_json() for item in self.evidence_refs],
        }


@attrs.frozen(kw_only=True)
class VerifyRequest:
    """Body of `POST /verify`; `execution_id` is the verifier's own, and the `Idempotency-Key`."""

    task_id: str
    execution_id: str
    task_type: str
    profile: str
    candidate: CandidateView
    output_schema: Json
    policy: Policy
    inputs: Mapping[str, Json] = attrs.field(factory=dict[str, Json])
    task_contract: Mapping[str, Json] = attrs.field(factory=dict[str, Json])

    def to_json(self) -> Mapping[str, Json]:
        """Return the body as an object."""
        return {
            "task_id": self.task_id,
            "execution_id": self.execution_id,
            "task_type": self.task_type,
            "profile": self.profile,
            "candidate": self.candidate.to_json(),
            "output_schema": self.output_schema,
            "policy": self.policy.to_json(),
            "inputs": self.inputs,
            "task_contract": self.task_contract,
        }


@attrs.frozen(kw_only=True)
class Judgement:
    """What a verifier found: an outcome, a score in basis points, and at least one reason code."""

    outcome: Outcome
    score_bp: int
    reason_codes: tuple[int, ...]


@attrs.frozen(kw_only=True)
class VerifyAnswer:
    """Body of the answer to `POST /verify`."""

    outcome: Outcome
    score_bp: int
    reason_codes: tuple[int, ...]
    provider_family: str
    model_id: str
    verifier_result_hash: str = ""

    @property
    def passed(self) -> bool:
        """Whether the verifier stands behind the candidate."""
        return self.outcome is Outcome.PASSED

    def to_json(self) -> Mapping[str, Json]:
        """Return the body as an object."""
        return {
            "passed": self.passed,
            "verification_status": self.outcome.value,
            "score": self.score_bp / SCORE_BP_MAX,
            "reason_codes": list(self.reason_codes),
            "verifier_result_hash": self.verifier_result_hash,
            "provider_family": self.provider_family,
            "model_id": self.model_id,
        }


@attrs.frozen(kw_only=True)
class Progress:
    """A word from work that is still going on."""

    message: str = ""
    fraction: float | None = None

    def to_json(self) -> Mapping[str, Json]:
        """Return the object that stands for it in a progress line."""
        return {"message": self.message, "fraction": self.fraction}
