"""Reading answers and requests of the executor contract as a stranger's.

Sizes first, then syntax, then meaning; any bytes give either a value of the contract's classes or
`Malformed` with a code and a path. Members that we do not know are ignored, so that an executor may
say more than we ask.
"""

from typing import Final

from wattswarm.executors.contract import (
    BODY_DIGEST,
    EVIDENCE_INLINE_BYTES_MAX,
    EVIDENCE_ITEMS_MAX,
    EVIDENCE_MIMES,
    EVIDENCE_MISSING_CODES,
    MIME,
    NAMES_MAX,
    PROGRESS_CHARS_MAX,
    REASON_CODE_MAX,
    REASON_CODES_MAX,
    URI_CHARS_MAX,
    BodyRef,
    CandidateView,
    Capabilities,
    ExecuteAnswer,
    ExecuteRequest,
    InlineEvidence,
    Judgement,
    Outcome,
    Policy,
    Progress,
    Stage,
    VerifyAnswer,
    VerifyRequest,
)
from wattswarm.executors.fields import Fields, Json, parse
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import (
    ARTIFACT_BYTES_MAX,
    ID_CHARS_MAX,
    JSON_CHECKED_BYTES_MAX,
    MIME_CHARS_MAX,
    UINT_MAX,
)
from wattswarm.kernel.policy import basis_points

OUTCOMES: Final = frozenset(item.value for item in Outcome)
STAGES: Final = frozenset(item.value for item in Stage)


def capabilities(value: Json, path: str = "$") -> Capabilities:
    """Return the answer to `GET /capabilities` that a document is.

    Raises:
        Malformed: The document is no such answer.
    """
    fields = Fields.of(value, path)
    return Capabilities(
        task_types=fields.texts("task_types", items_max=NAMES_MAX, chars_max=ID_CHARS_MAX),
        profiles=fields.texts("profiles", items_max=NAMES_MAX, chars_max=ID_CHARS_MAX),
        provider_family=fields.name("provider_family"),
        model_id=fields.name("model_id"),
        streams_progress=fields.has("streams_progress") and fields.flag("streams_progress"),
    )


def execute_answer(
    value: Json, path: str = "$", *, mimes: frozenset[str] = EVIDENCE_MIMES
) -> ExecuteAnswer:
    """Return the answer to `POST /execute` that a document is.

    Raises:
        Malformed: The document is no such answer, or is larger than the contract allows.
    """
    fields = Fields.of(value, path)
    answer = ExecuteAnswer(
        candidate_output=fields.value("candidate_output"),
        evidence_inline=_inline(fields, mimes),
        evidence_refs=_refs(fields),
    )
    size = len(answer.output_body())
    if size > JSON_CHECKED_BYTES_MAX:
        raise fields.wrong(
            "candidate_output",
            f"{size} bytes, at most {JSON_CHECKED_BYTES_MAX} are allowed",
            code="too_large",
        )
    return answer


def _inline(fields: Fields, mimes: frozenset[str]) -> tuple[InlineEvidence, ...]:
    found = tuple(
        _inline_item(Fields.of(item, path), mimes)
        for item, path in fields.items("evidence_inline", items_max=EVIDENCE_ITEMS_MAX)
    )
    total = sum(len(item.content.encode("utf-8")) for item in found)
    if total > EVIDENCE_INLINE_BYTES_MAX:
        raise fields.wrong(
            "evidence_inline",
            f"{total} bytes in all, at most {EVIDENCE_INLINE_BYTES_MAX} are allowed",
            code="too_large",
        )
    return found


def _inline_item(fields: Fields, mimes: frozenset[str]) -> InlineEvidence:
    mime = fields.text("mime", chars_min=1, chars_max=MIME_CHARS_MAX)
    if mime not in mimes:
        allowed = ", ".join(sorted(mimes))
        raise fields.wrong("mime", f"inline evidence is one of: {allowed}", code="mime_not_allowed")
    content = fields.text("content", chars_max=EVIDENCE_INLINE_BYTES_MAX)
    if mime == "application/json":
        _check_json(content, f"{fields.path}.content")
    return InlineEvidence(mime=mime, content=content)


def _check_json(content: str, path: str) -> None:
    try:
        parse(content.encode("utf-8"), bytes_max=EVIDENCE_INLINE_BYTES_MAX)
    except Malformed as error:
        raise Malformed(
            code=error.code, path=path, message=f"evidence is not JSON: {error.message}"
        ) from error


def _refs(fields: Fields, *, uri_chars_min: int = 1) -> tuple[BodyRef, ...]:
    return tuple(
        _ref(Fields.of(item, path), uri_chars_min)
        for item, path in fields.items("evidence_refs", items_max=EVIDENCE_ITEMS_MAX)
    )


def _ref(fields: Fields, uri_chars_min: int) -> BodyRef:
    digest = fields.text("digest", chars_max=ID_CHARS_MAX)
    if not BODY_DIGEST.match(digest):
        raise fields.wrong("digest", "`sha256:` or `blake3:` and 64 lower-case hex digits")
    mime = fields.text("mime", chars_min=1, chars_max=MIME_CHARS_MAX)
    if not MIME.match(mime):
        raise fields.wrong("mime", "a media type without parameters, as `text/plain`")
    return BodyRef(
        uri=fields.text("uri", chars_min=uri_chars_min, chars_max=URI_CHARS_MAX),
        digest=digest,
        size_bytes=fields.uint("size_bytes", most=ARTIFACT_BYTES_MAX),
        mime=mime,
        created_at=fields.uint_or("created_at", 0, most=UINT_MAX),
        producer=fields.text_or("producer", "", chars_max=ID_CHARS_MAX),
    )


def verify_answer(value: Json, path: str = "$") -> VerifyAnswer:
    """Return the answer to `POST /verify` that a document is.

    Raises:
        Malformed: The document is no such answer, or contradicts itself.
    """
    fields = Fields.of(value, path)
    found = judgement(fields)
    return VerifyAnswer(
        outcome=found.outcome,
        score_bp=found.score_bp,
        reason_codes=found.reason_codes,
        provider_family=fields.name("provider_family"),
        model_id=fields.name("model_id"),
        verifier_result_hash=fields.text_or("verifier_result_hash", "", chars_max=ID_CHARS_MAX),
    )


def judgement(fields: Fields) -> Judgement:
    """Return the judgement among the members of an object.

    Raises:
        Malformed: There is none, or it contradicts itself.
    """
    codes = tuple(
        _reason_code(item, path)
        for item, path in fields.items("reason_codes", items_max=REASON_CODES_MAX)
    )
    if not codes:
        raise fields.wrong("reason_codes", "at least one reason code is needed")
    return Judgement(
        outcome=_outcome(fields, codes),
        score_bp=basis_points(fields.fraction("score")),
        reason_codes=codes,
    )


def _reason_code(value: Json, path: str) -> int:
    if type(value) is not int or not 0 <= value <= REASON_CODE_MAX:
        raise Malformed(
            code="bad_field", path=path, message=f"a reason code is 0 to {REASON_CODE_MAX}"
        )
    return value


def _outcome(fields: Fields, codes: tuple[int, ...]) -> Outcome:
    """Return the outcome; an answer that gives only `passed` is read by its reason codes."""
    passed = fields.flag("passed")
    if not fields.has("verification_status"):
        if passed:
            return Outcome.PASSED
        missing = EVIDENCE_MISSING_CODES.intersection(codes)
        return Outcome.INCONCLUSIVE if missing else Outcome.FAILED
    word = fields.text("verification_status", chars_max=ID_CHARS_MAX)
    if word not in OUTCOMES:
        raise fields.wrong("verification_status", "one of passed, failed, inconclusive")
    if passed != (word == Outcome.PASSED):
        raise fields.wrong(
            "verification_status",
            f"`passed` says {passed}, but this says {word}",
            code="contradiction",
        )
    return Outcome(word)


def progress(value: Json, path: str = "$") -> Progress:
    """Return the word of progress that a document is: text, a fraction, or an object with both.

    Raises:
        Malformed: The document is none of these.
    """
    match value:
        case str():
            return Progress(message=value[:PROGRESS_CHARS_MAX])
        case bool():
            raise Malformed(code="bad_field", path=path, message="progress is text or a number")
        case int() | float():
            return Progress(fraction=Fields({"fraction": value}, path).fraction("fraction"))
        case _:
            fields = Fields.of(value, path)
            return Progress(
                message=fields.text_or("message", "", chars_max=PROGRESS_CHARS_MAX),
                fraction=fields.fraction("fraction") if fields.has("fraction") else None,
            )


def execute_request(value: Json, path: str = "$") -> ExecuteRequest:
    """Return the request that an executor got on `POST /execute`.

    Raises:
        Malformed: The document is no such request.
    """
    fields = Fields.of(value, path)
    stage = fields.text_or("stage", Stage.EXPLORE, chars_max=ID_CHARS_MAX)
    if stage not in STAGES:
        raise fields.wrong("stage", f"one of {', '.join(sorted(STAGES))}")
    return ExecuteRequest(
        task_id=_name(fields, "task_id"),
        execution_id=_name(fields, "execution_id"),
        task_type=_name(fields, "task_type"),
        profile=_name(fields, "profile"),
        inputs=fields.object_or_empty("inputs"),
        task_contract=fields.object_or_empty("task_contract"),
        stage=Stage(stage),
        seed_bundle=fields.object("seed_bundle") if fields.has("seed_bundle") else None,
    )


def _name(fields: Fields, name: str) -> str:
    return fields.text(name, chars_min=1, chars_max=ID_CHARS_MAX)


def verify_request(value: Json, path: str = "$") -> VerifyRequest:
    """Return the request that an executor got on `POST /verify`; older nodes send less.

    Raises:
        Malformed: The document is no such request.
    """
    fields = Fields.of(value, path)
    return VerifyRequest(
        task_id=fields.text_or("task_id", "", chars_max=ID_CHARS_MAX),
        execution_id=fields.text_or("execution_id", "", chars_max=ID_CHARS_MAX),
        task_type=fields.text_or("task_type", "", chars_max=ID_CHARS_MAX),
        profile=fields.text_or("profile", "", chars_max=ID_CHARS_MAX),
        candidate=_candidate(fields.at("candidate")),
        output_schema=fields.value("output_schema"),
        policy=_policy(fields.at("policy")),
        inputs=fields.object_or_empty("inputs"),
        task_contract=fields.object_or_empty("task_contract"),
    )


def _candidate(fields: Fields) -> CandidateView:
    """Return a candidate; a node names bodies that it holds itself without saying where."""
    return CandidateView(
        candidate_id=_name(fields, "candidate_id"),
        execution_id=_name(fields, "execution_id"),
        output=fields.value("output"),
        output_ref=_ref(fields.at("output_ref"), 0) if fields.has("output_ref") else None,
        evidence_inline=_inline(fields, EVIDENCE_MIMES) if fields.has("evidence_inline") else (),
        evidence_refs=_refs(fields, uri_chars_min=0) if fields.has("evidence_refs") else (),
    )


def _policy(fields: Fields) -> Policy:
    return Policy(
        policy_id=_name(fields, "policy_id"),
        policy_version=_name(fields, "policy_version"),
        policy_hash=_name(fields, "policy_hash"),
        policy_params=fields.object_or_empty("policy_params"),
    )
