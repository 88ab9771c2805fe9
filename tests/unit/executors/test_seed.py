"""Seed bundles: what goes over the wire, within which bounds, and what an executor makes of it."""

from collections.abc import Mapping

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattswarm.executors.contract import ExecuteAnswer, ExecuteRequest, Progress, Stage
from wattswarm.executors.fields import Json, parse, write
from wattswarm.executors.reference import work
from wattswarm.executors.reference.earlier import digest_of
from wattswarm.executors.reference.task import output
from wattswarm.executors.refusal import WorkRefused
from wattswarm.executors.seed import (
    BUNDLE_BYTES_MAX,
    CONSTRAINTS_BYTES_MAX,
    PAYLOAD_BYTES_MAX,
    SeedBundle,
    SeedHit,
    fitted,
    read_seed,
)
from wattswarm.kernel.errors import Malformed

TEXT = "Four score and seven years ago. Our fathers made a nation. It was conceived in liberty."
INPUTS: Mapping[str, Json] = {"document": TEXT, "max_sentences": 2}
HIT = SeedHit(
    is_exact=True,
    task_id="ab" * 32,
    epoch=1,
    decision_id="cd" * 32,
    output_digest="blake3:" + "0" * 64,
    summary="said",
    output={"answer": 1},
    evidence=("blake3:" + "e" * 64,),
    reason_codes=(100,),
)


def sent(bundle: SeedBundle) -> Mapping[str, Json]:
    """Return a bundle as it arrives."""
    arrived = parse(write(bundle.to_json()), bytes_max=10**7)
    assert isinstance(arrived, Mapping)
    return arrived


# --- the bundle -----------------------------------------------------------------------------------


def test_a_bundle_is_read_as_it_was_written() -> None:
    bundle = SeedBundle(hits=(HIT,), must_consider=("policy:p:1",), must_avoid=("blake3:x",))
    assert read_seed(sent(bundle)) == bundle
    assert read_seed(None) == SeedBundle()


def test_it_speaks_the_words_that_executors_know() -> None:
    document = sent(SeedBundle(hits=(HIT, attrs.evolve(HIT, is_exact=False, confidence=0.25))))
    assert document["seed_type"] == "SIMILAR_HITS_V1"
    hits = document["hits"]
    assert isinstance(hits, list)
    assert [(hit["hit_type"], hit["confidence_hint"]) for hit in hits] == [
        ("Exact", 1.0),
        ("Similar", 0.25),
    ]
    assert hits[0]["decision_ref"]["final_commit_hash"] == "cd" * 32


def test_the_exact_hit_is_the_one_that_has_its_output() -> None:
    without = attrs.evolve(HIT, output=None)
    assert SeedBundle(hits=(without,)).exact is None
    assert SeedBundle(hits=(without, HIT)).exact == HIT


def test_nothing_is_sent_when_there_is_nothing_to_say() -> None:
    assert fitted(SeedBundle(must_consider=("task_type:x",))) is None
    assert fitted(SeedBundle(must_avoid=("blake3:x",))) is not None


def test_a_large_output_is_left_out_and_its_summary_stays() -> None:
    large = attrs.evolve(HIT, output="x" * PAYLOAD_BYTES_MAX)
    bundle = fitted(SeedBundle(hits=(large,)))
    assert bundle is not None
    assert (bundle.hits[0].output, bundle.hits[0].summary) == (None, "said")


@given(
    st.integers(0, 20),
    st.integers(0, 400),
    st.integers(0, 300),
    st.integers(0, PAYLOAD_BYTES_MAX),
)
def test_no_bundle_is_larger_than_it_may_be(hits: int, avoid: int, claims: int, size: int) -> None:
    bundle = fitted(
        SeedBundle(
            hits=tuple(attrs.evolve(HIT, epoch=n, output="x" * size) for n in range(hits)),
            must_consider=tuple("c" * 100 for _ in range(claims)),
            must_avoid=tuple("a" * 71 for _ in range(avoid)),
        )
    )
    if bundle is None:
        assert not hits
        return
    assert len(write(bundle.constraints())) <= CONSTRAINTS_BYTES_MAX
    assert len(write(bundle.to_json())) <= BUNDLE_BYTES_MAX
    assert [hit.epoch for hit in bundle.hits] == list(range(len(bundle.hits))), "the best stay"
    assert bool(bundle.hits) == bool(hits)


@pytest.mark.parametrize(
    "wrong",
    [
        {"hits": 1},
        {"hits": [1]},
        {"hits": [{}]},
        {"constraints": []},
        {"hits": [HIT.to_json()] * 17},
    ],
)
def test_what_is_no_bundle_is_refused_with_its_path(wrong: Mapping[str, Json]) -> None:
    with pytest.raises(Malformed) as caught:
        read_seed(wrong)
    assert caught.value.path.startswith("$.seed_bundle")


# --- what the reference executor makes of it ------------------------------------------------------


def asked(
    earlier: Json,
    *,
    stage: Stage = Stage.DECIDE,
    digest: str | None = None,
    profile: str = "lead",
    avoid: tuple[str, ...] = (),
) -> ExecuteAnswer:
    """Ask for a summary with an earlier answer at hand."""
    hit = attrs.evolve(HIT, output=earlier, output_digest=digest or digest_of(earlier))
    request = ExecuteRequest(
        task_id="t",
        execution_id="e",
        task_type="summarize",
        profile=profile,
        inputs=INPUTS,
        stage=stage,
        seed_bundle=sent(SeedBundle(hits=(hit,), must_avoid=avoid)),
    )
    return work(request, _hear)


def _hear(_: Progress) -> None:
    return None


def made(profile: str = "lead") -> Mapping[str, Json]:
    return output("summarize", profile, INPUTS)


def test_an_earlier_answer_that_holds_is_given_again_to_the_byte() -> None:
    answer = asked(made())
    assert digest_of(answer.candidate_output) == digest_of(made())
    assert '"repeats"' in answer.evidence_inline[0].content


@pytest.mark.parametrize("stage", [Stage.EXPLORE, Stage.DIVERGE_MODE])
def test_only_when_asked_to_decide(stage: Stage) -> None:
    assert '"repeats"' not in asked(made(), stage=stage).evidence_inline[0].content


@pytest.mark.parametrize(
    "earlier",
    [
        {**made(), "answer": "something else"},
        {**made(), "coverage": 0.999},
        {"answer": "of another kind"},
        "text",
        made("textrank"),
    ],
)
def test_an_earlier_answer_that_does_not_hold_is_made_anew(earlier: Json) -> None:
    answer = asked(earlier)
    assert answer.candidate_output == made()
    assert '"repeats"' not in answer.evidence_inline[0].content


def test_an_answer_that_is_not_what_its_digest_says_is_made_anew() -> None:
    answer = asked(made(), digest="blake3:" + "1" * 64)
    assert '"repeats"' not in answer.evidence_inline[0].content


def test_what_was_rejected_is_not_given_again() -> None:
    with pytest.raises(WorkRefused, match="rejected before"):
        asked(made(), stage=Stage.DIVERGE_MODE, avoid=(digest_of(made()),))
