"""Whatever an executor answers, a decoder returns a value of the contract or raises Malformed."""

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattswarm.executors import decoding, settings
from wattswarm.executors.contract import (
    BodyRef,
    Capabilities,
    ExecuteAnswer,
    ExecuteRequest,
    InlineEvidence,
    Outcome,
    Progress,
    Stage,
    VerifyAnswer,
)
from wattswarm.executors.fields import Json, parse, write
from wattswarm.executors.line_stream import Failed, LineStream
from wattswarm.kernel.errors import Malformed

Decode = Callable[[Json], object]
DECODERS: dict[str, Decode] = {
    "capabilities": decoding.capabilities,
    "execute_answer": decoding.execute_answer,
    "verify_answer": decoding.verify_answer,
    "execute_request": decoding.execute_request,
    "verify_request": decoding.verify_request,
    "progress": decoding.progress,
    "settings": settings.read,
}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text(st.sampled_from("abcXYZ019._-"), min_size=1, max_size=12)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
documents = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
known = st.sampled_from(
    [
        "candidate_output",
        "evidence_inline",
        "evidence_refs",
        "mime",
        "content",
        "uri",
        "digest",
        "size_bytes",
        "passed",
        "score",
        "reason_codes",
        "verification_status",
        "provider_family",
        "model_id",
        "task_types",
        "profiles",
        "candidate",
        "output_schema",
        "policy",
        "policy_id",
        "task_id",
        "execution_id",
        "inputs",
        "message",
        "fraction",
        "name",
        "base_url",
        "headers",
        "timeout_ms",
    ]
)
near_misses = st.dictionaries(
    known,
    documents
    | st.lists(st.dictionaries(known, documents, max_size=4), max_size=3)
    | st.sampled_from(["text/plain", "passed", "http://127.0.0.1:1", f"sha256:{'0' * 64}"]),
    max_size=8,
)


@pytest.mark.parametrize("name", DECODERS)
@given(text=st.binary(max_size=200) | texts.map(str.encode) | near_misses.map(write))
def test_any_bytes_are_a_value_or_malformed(name: str, text: bytes) -> None:
    try:
        DECODERS[name](parse(text, bytes_max=1_000_000))
    except Malformed as error:
        _check_told(error)


def _check_told(error: Malformed) -> None:
    assert error.path.startswith("$")
    assert error.message


evidence = st.builds(
    InlineEvidence, mime=st.sampled_from(["text/plain", "text/csv"]), content=texts
)
references = st.builds(
    BodyRef,
    uri=texts.filter(bool),
    digest=st.sampled_from(["sha256:" + "a" * 64, "blake3:" + "0" * 64]),
    size_bytes=st.integers(0, 1_000_000),
    mime=st.just("text/plain"),
    created_at=st.integers(0, 2**48),
    producer=texts,
)
answers = st.builds(
    ExecuteAnswer,
    candidate_output=documents,
    evidence_inline=st.lists(evidence, max_size=3).map(tuple),
    evidence_refs=st.lists(references, max_size=3).map(tuple),
)
verdicts = st.builds(
    VerifyAnswer,
    outcome=st.sampled_from(Outcome),
    score_bp=st.integers(0, 10_000),
    reason_codes=st.lists(st.integers(0, 65_535), min_size=1, max_size=5).map(tuple),
    provider_family=names,
    model_id=names,
    verifier_result_hash=names,
)
offers = st.builds(
    Capabilities,
    task_types=st.lists(names, max_size=3).map(tuple),
    profiles=st.lists(names, max_size=3).map(tuple),
    provider_family=names,
    model_id=names,
    streams_progress=st.booleans(),
)
requests = st.builds(
    ExecuteRequest,
    task_id=names,
    execution_id=names,
    task_type=names,
    profile=names,
    inputs=st.dictionaries(names, documents, max_size=3),
    stage=st.sampled_from(Stage),
)


def _through(value: Any, decode: Decode) -> object:
    return decode(parse(write(value.to_json()), bytes_max=1_000_000))


def _same_json(one: Any, other: Any) -> bool:
    """Tell whether two values say the same; JSON has one kind of number."""
    return write(one.to_json()) == write(other.to_json())


@given(answers)
def test_an_answer_survives_the_wire(answer: ExecuteAnswer) -> None:
    assert _same_json(_through(answer, decoding.execute_answer), answer)


@given(verdicts)
def test_a_verdict_survives_the_wire(verdict: VerifyAnswer) -> None:
    assert _through(verdict, decoding.verify_answer) == verdict


@given(offers)
def test_capabilities_survive_the_wire(offer: Capabilities) -> None:
    assert _through(offer, decoding.capabilities) == offer


@given(requests)
def test_a_request_survives_the_wire(request: ExecuteRequest) -> None:
    assert _same_json(_through(request, decoding.execute_request), request)


lines = st.one_of(
    st.just(b""),
    texts.map(lambda text: json.dumps({"progress": text}).encode()),
    st.just(b'{"error":{"status":500,"detail":"x"}}'),
    st.just(b'{"result":{}}'),
    st.binary(max_size=20),
)


def _hear(chunks: list[bytes]) -> tuple[list[Progress | Failed], bytes | str]:
    stream, said = LineStream(10_000), list[Progress | Failed]()
    try:
        for chunk in chunks:
            said.extend(stream.feed(chunk))
        return said, stream.end()
    except Malformed as error:
        return said, error.code


@given(st.lists(lines, max_size=6), st.data())
def test_a_stream_says_the_same_however_it_is_cut(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"\n".join(parts)
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=5).map(sorted))
    edges = [0, *cuts, len(whole)]
    pieces = [whole[start:end] for start, end in pairwise(edges)]
    bytewise = [whole[index : index + 1] for index in range(len(whole))]
    assert _hear(pieces)[1] == _hear([whole])[1] == _hear(bytewise)[1]
    assert _hear(pieces)[0] == _hear(bytewise)[0] or isinstance(_hear(pieces)[1], str)
