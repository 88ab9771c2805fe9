"""Valid answers of executors, and the decoders that read them, for damaging."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from tests.support.executor_side import verification, work
from wattswarm.executors import decoding, settings
from wattswarm.executors.contract import (
    BodyRef,
    Capabilities,
    ExecuteAnswer,
    InlineEvidence,
    Outcome,
    VerifyAnswer,
)
from wattswarm.executors.fields import Json, parse, write
from wattswarm.executors.line_stream import LineStream
from wattswarm.executors.reference.claims import is_near
from wattswarm.executors.reference.task import output
from wattswarm.executors.reference.verification import judge
from wattswarm.kernel.errors import Malformed

BYTES_MAX = 1_048_576
TEXT = "Cats chase mice. Mice fear cats, and rightly so. Dogs chase cats. Rain fell on all of them."
INPUTS: dict[str, Json] = {"document": TEXT}

ANSWER = ExecuteAnswer(
    candidate_output={"answer": "yes", "parts": [1, 2.5, None, True]},
    evidence_inline=(
        InlineEvidence(mime="application/json", content='{"seen":[1]}'),
        InlineEvidence(mime="text/plain", content="seen"),
    ),
    evidence_refs=(
        BodyRef(uri="/e/1", digest="sha256:" + "0" * 64, size_bytes=1, mime="text/plain"),
    ),
)
VERDICT = VerifyAnswer(
    outcome=Outcome.PASSED,
    score_bp=9_000,
    reason_codes=(100, 4_000),
    provider_family="f",
    model_id="m",
    verifier_result_hash="0" * 64,
)
OFFER = Capabilities(
    task_types=("a", "b"), profiles=("p",), provider_family="f", model_id="m", streams_progress=True
)
SETTINGS: dict[str, Json] = {
    "name": "one",
    "base_url": "http://127.0.0.1:8787",
    "timeout_ms": 5_000,
    "headers": {"x-team": "blue"},
    "bearer_token_env": "TOKEN",
    "task_types": ["a"],
}
STREAM = b"".join(
    (
        b'{"progress":{"message":"a","fraction":0.5}}\n',
        b'{"progress":"b"}\n\n{"progress":1}\n',
        b'{"result":' + write(ANSWER.to_json()) + b"}\n",
    )
)


def _json(decode: Callable[[Json], object]) -> Callable[[bytes], object]:
    return lambda text: decode(parse(text, bytes_max=BYTES_MAX))


def _stream(data: bytes) -> object:
    stream = LineStream(BYTES_MAX)
    said = [stream.feed(data[at : at + 7]) for at in range(0, len(data), 7)]
    return said, stream.end()


def _judged(value: Json) -> object:
    """Judge a damaged output: a verifier has something to say of whatever an executor made."""
    found = judge(verification(value, inputs=INPUTS))
    honest = is_near(value, output("summarize", "lead", INPUTS))
    assert found.outcome is not Outcome.PASSED or honest, value
    if not honest:
        raise Malformed(code="not_passed", message="a damaged output")
    return found


Seeds: TypeAlias = Callable[[], Sequence[bytes]]

JSON_DECODERS: dict[str, tuple[Callable[[bytes], object], Seeds]] = {
    "executor_answer": (_json(decoding.execute_answer), lambda: [write(ANSWER.to_json())]),
    "executor_verdict": (_json(decoding.verify_answer), lambda: [write(VERDICT.to_json())]),
    "executor_offer": (_json(decoding.capabilities), lambda: [write(OFFER.to_json())]),
    "executor_settings": (_json(settings.read), lambda: [write(SETTINGS)]),
    "executor_work": (_json(decoding.execute_request), lambda: [write(work().to_json())]),
    "executor_verification": (
        _json(decoding.verify_request),
        lambda: [write(verification({"answer": 1}, inputs=INPUTS).to_json())],
    ),
    "executor_output": (_json(_judged), lambda: [write(output("summarize", "lead", INPUTS))]),
}
"""Name → decoder of JSON, and valid documents for it."""

STREAM_DECODERS: dict[str, tuple[Callable[[bytes], object], Seeds]] = {
    "executor_stream": (_stream, lambda: [STREAM])
}
"""Name → decoder of bytes, and valid ones for it."""
