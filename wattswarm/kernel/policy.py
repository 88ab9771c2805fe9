"""Verification policies: what an output must be for a verifier to pass it.

A policy is known by the hash of its specification, and governance registers it by that. A contract
binds a policy with parameters, and the binding has a hash of its own, which covers them too.
`evaluate` is a pure function; nothing that is derived from the log calls it: verifiers do, before
they sign a result, proposers and finalizers before they sign theirs.
"""

import enum
import json
import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final, Literal, TypeAlias, cast

import attrs

from wattswarm.kernel import canonical, fields, json_text
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import ID_TEXT, Digest
from wattswarm.kernel.limits import ID_CHARS_MAX, POLICY_PARAMS_BYTES_MAX
from wattswarm.kernel.schema import Schema


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
        "`confidence` (0 when missing or no number), as floor(confidence * 10000 + 0.5), is at "
        "least min_confidence_bp; its compact JSON text is at most max_len bytes of UTF-8. The "
        "score is the verifier's own, by default 10000; at most 2000 when a condition fails."
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
        "`check_summary` is text that is not blank. The score is the verifier's own, by default "
        "9000; at most 3000 when a condition fails. The score is at least min_score_bp."
    ),
)

BUILTIN: Final[Mapping[str, Policy]] = {
    policy.id: policy for policy in (SCHEMA_ONLY, SCHEMA_THRESHOLDS, CROSSCHECK)
}
"""The policies that this version of the program can carry out, by id."""


# --- binding ------------------------------------------------------------------------------------

NO_PARAMS: Final = "{}"


@attrs.frozen(kw_only=True)
class PolicyBinding:
    """A policy as a contract names it: with parameters, as JSON text.

    `hash` covers the specification and the parameters, so that no two bindings share it.
    """

    id: str
    version: int
    hash: Digest
    params: str = NO_PARAMS

    def to_payload(self) -> Mapping[str, Value]:
        """Return the map that stands for this binding in a contract."""
        return {"id": self.id, "version": self.version, "hash": self.hash, "params": self.params}

    def binds(self, name: PolicyName) -> bool:
        """Tell whether this is a binding of the registered policy `name`."""
        return (self.id, self.version, self.hash) == (
            name.id,
            name.version,
            binding_hash(name.hash, self.params),
        )


def binding_hash(specification: Digest, params: str) -> Digest:
    """Return the hash of a policy bound with these parameters."""
    return digest(
        Context.POLICY, canonical.encode({"specification": specification, "params": params})
    )


def bind(policy: Policy, params: str = NO_PARAMS) -> PolicyBinding:
    """Return the binding of a policy with parameters; `check_binding` says whether they suit it."""
    name = policy.name
    return PolicyBinding(
        id=name.id, version=name.version, hash=binding_hash(name.hash, params), params=params
    )


def read_binding(value: Value | None, path: str = "$") -> PolicyBinding:
    """Return the binding that `value`, a part of a payload, is.

    Raises:
        Malformed: `bad_field` or `unknown_field`, with a path that begins with `path`.
    """
    content = fields.mapping(value, path, required=BINDING_KEYS, optional=frozenset())
    name = fields.text(content["id"], f"{path}.id", bytes_max=ID_CHARS_MAX)
    if not ID_TEXT.match(name):
        raise fields.bad(f"{path}.id", "not an id")
    return PolicyBinding(
        id=name,
        version=fields.uint(content["version"], f"{path}.version", least=1),
        hash=Digest(fields.octets(content["hash"], f"{path}.hash")),
        params=fields.text(content["params"], f"{path}.params", bytes_max=POLICY_PARAMS_BYTES_MAX),
    )


BINDING_KEYS: Final = frozenset({"id", "version", "hash", "params"})


@cache
def _params_schema(policy_id: str) -> Schema:
    return Schema(BUILTIN[policy_id].params_schema)


def read_params(binding: PolicyBinding, path: str = "$.params") -> Mapping[str, int]:
    """Return the parameters of a binding of a policy that this program can carry out.

    Raises:
        Malformed: `policy_unsupported`; `bad_json` or `bad_params`, with a path that begins with
        `path`.
    """
    policy = BUILTIN.get(binding.id)
    if policy is None or not binding.binds(policy.name):
        raise Malformed(
            code="policy_unsupported",
            path=path,
            message=f"this program cannot carry out {binding.id} version {binding.version} "
            "with this hash",
        )
    params = json_text.parse(binding.params, bytes_max=POLICY_PARAMS_BYTES_MAX, path=path)
    for where, what in _params_schema(policy.id).faults(params, path):
        raise Malformed(code="bad_params", path=where, message=what)
    # The schemas of the built-in policies allow integers only; JSON also writes them as 3.0.
    return {key: int(value) for key, value in cast("Mapping[str, float]", params).items()}


# --- evaluation ---------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class PolicyOutcome:
    """What a policy says of one output; the reason codes are all that apply, the schema's first."""

    status: Literal["passed", "failed"]
    score_bp: int
    reason_codes: tuple[ReasonCode, ...]


@attrs.frozen
class _Scores:
    passed_bp: int
    failed_bp: int


SCORES: Final[Mapping[str, _Scores]] = {
    SCHEMA_ONLY.id: _Scores(10_000, 0),
    SCHEMA_THRESHOLDS.id: _Scores(10_000, 2_000),
    CROSSCHECK.id: _Scores(9_000, 3_000),
}


def evaluate(
    binding: PolicyBinding,
    output: object,
    output_schema: Mapping[str, object] | Schema,
    *,
    score_bp: int | None = None,
) -> PolicyOutcome:
    """Return what the bound policy says of a JSON output.

    Args:
        binding: A binding that `read_params` accepts.
        output: A JSON value; one that JSON cannot hold fails as an invalid one does.
        output_schema: The task's schema, compiled by callers that check many outputs against it.
        score_bp: The verifier's own score; without it the policy has one.

    Raises:
        Malformed: The binding or the schema cannot be used, whatever the output.
    """
    params = read_params(binding)
    schema = output_schema if isinstance(output_schema, Schema) else Schema(output_schema)
    failures = list(_failures(binding.id, params, schema, output))
    scores = SCORES[binding.id]
    score = scores.passed_bp if score_bp is None else score_bp
    if failures:
        score = min(score, scores.failed_bp)
    if score < params.get("min_score_bp", 0):
        failures.append(ReasonCode.SCORE_TOO_LOW)
    return PolicyOutcome(
        status="failed" if failures else "passed",
        score_bp=score,
        reason_codes=tuple(failures) or (ReasonCode.SCHEMA_OK,),
    )


def _failures(
    policy_id: str, params: Mapping[str, int], schema: Schema, output: object
) -> Iterator[ReasonCode]:
    try:
        json_text.check(output)
    except Malformed:
        yield ReasonCode.SCHEMA_INVALID
        return
    if not schema.is_valid(output):
        yield ReasonCode.SCHEMA_INVALID
    yield from CONDITIONS[policy_id](output, params)


def _no_conditions(output: object, params: Mapping[str, int]) -> Iterator[ReasonCode]:
    del output, params
    yield from ()


def _threshold_failures(output: object, params: Mapping[str, int]) -> Iterator[ReasonCode]:
    if _confidence_bp(output) < params.get("min_confidence_bp", 0):
        yield ReasonCode.CONFIDENCE_TOO_LOW
    if "max_len" in params and _size_bytes(output) > params["max_len"]:
        yield ReasonCode.OUTPUT_TOO_LARGE


def _crosscheck_failures(output: object, params: Mapping[str, int]) -> Iterator[ReasonCode]:
    del params
    summary = _member(output, "check_summary")
    if not isinstance(summary, str) or not summary.strip():
        yield ReasonCode.CHECK_SUMMARY_MISSING


Conditions: TypeAlias = Callable[[object, Mapping[str, int]], Iterator[ReasonCode]]

CONDITIONS: Final[Mapping[str, Conditions]] = {
    SCHEMA_ONLY.id: _no_conditions,
    SCHEMA_THRESHOLDS.id: _threshold_failures,
    CROSSCHECK.id: _crosscheck_failures,
}


def _member(output: object, name: str) -> object:
    return cast("Mapping[str, object]", output).get(name) if isinstance(output, Mapping) else None


def _confidence_bp(output: object) -> int:
    confidence = _member(output, "confidence")
    if isinstance(confidence, bool) or not isinstance(confidence, int | float):
        return 0
    return basis_points(confidence)


def basis_points(fraction: float) -> int:
    """Return a fraction in basis points, rounded half up; clamped to 0 … 10 000."""
    if not fraction > 0:  # also what is not a number
        return 0
    return 10_000 if fraction >= 1 else math.floor(fraction * 10_000 + 0.5)


def _size_bytes(output: object) -> int:
    return len(json.dumps(output, ensure_ascii=False, separators=(",", ":")).encode())
