"""The reference executor on real documents, and its verifier on honest and other outputs."""

from pathlib import Path

import pytest

from tests.support.executor_side import verification
from wattswarm.executors.contract import Outcome, Policy
from wattswarm.executors.policy_check import policy_of
from wattswarm.executors.reference import reference_executor
from wattswarm.executors.reference.budget import Budget
from wattswarm.executors.reference.document import (
    CHARS_MAX,
    SENTENCES_MAX,
    Unsuitable,
    read_document,
)
from wattswarm.executors.reference.summary import METHODS
from wattswarm.executors.reference.task import output
from wattswarm.executors.reference.textrank import rank, similarities
from wattswarm.executors.reference.verification import Finding, judge
from wattswarm.executors.refusal import WorkRefused
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.policy import CROSSCHECK, bind

DOCUMENTS = Path(__file__).parents[3] / "examples" / "documents"
FEDERALIST = (DOCUMENTS / "federalist_10.txt").read_text("utf-8")
INPUTS = {"document": FEDERALIST, "max_sentences": 5, "max_chars": 2_000}


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    return request.param


def test_every_method_says_something_of_its_own() -> None:
    answers = {output("summarize", name, INPUTS)["answer"] for name in METHODS}
    assert len(answers) == len(METHODS) >= 3


def test_an_honest_summary_passes_with_its_quality(method: str) -> None:
    found = judge(verification(output("summarize", method, INPUTS), inputs=INPUTS))
    assert found.outcome is Outcome.PASSED
    assert found.reason_codes == (100,)
    assert 3_000 <= found.score_bp <= 10_000


def test_a_method_that_covers_more_scores_more() -> None:
    scores = {
        name: judge(verification(output("summarize", name, INPUTS), inputs=INPUTS)).score_bp
        for name in METHODS
    }
    assert scores["relevance"] > scores["lead"]


def test_the_tasks_policy_has_the_last_word() -> None:
    strict = policy_of(bind(CROSSCHECK, '{"min_score_bp":9999}'))
    made = output("summarize", "lead", INPUTS)
    found = judge(verification(made, inputs=INPUTS, policy=strict))
    assert (found.outcome, found.reason_codes) == (Outcome.FAILED, (105,))


def test_a_schema_that_is_not_met_fails_an_honest_summary() -> None:
    made = output("summarize", "lead", INPUTS)
    schema = {"type": "object", "required": ["verdict"]}
    found = judge(verification(made, inputs=INPUTS, output_schema=schema))
    assert (found.outcome, found.reason_codes) == (Outcome.FAILED, (101,))


def test_a_policy_that_nobody_knows_is_an_error_of_the_request() -> None:
    unknown = Policy(policy_id="vp.x", policy_version="1", policy_hash="00" * 32, policy_params={})
    made = output("summarize", "lead", INPUTS)
    with pytest.raises(Malformed, match="cannot carry out"):
        judge(verification(made, inputs=INPUTS, policy=unknown))
    odd = Policy(policy_id="vp.x", policy_version="one", policy_hash="zz", policy_params={})
    with pytest.raises(Malformed, match="hash is hex"):
        judge(verification(made, inputs=INPUTS, policy=odd))


def test_without_the_source_nothing_is_said() -> None:
    found = judge(verification(output("summarize", "lead", INPUTS), inputs={}))
    assert (found.outcome, found.reason_codes) == (Outcome.INCONCLUSIVE, (200,))


def test_an_output_of_another_kind_is_left_to_others() -> None:
    found = judge(verification({"answer": "short", "check_summary": "read it"}, inputs=INPUTS))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.reason_codes == (Finding.NOT_RECOMPUTABLE,)


def test_an_output_of_another_kind_fails_where_the_policy_says_so() -> None:
    found = judge(verification({"answer": "short"}, inputs=INPUTS))
    assert (found.outcome, found.reason_codes) == (Outcome.FAILED, (104,))


def test_an_honest_strangers_summary_is_measured() -> None:
    made = output("summarize", "relevance", INPUTS)
    confidence = judge(verification({**made, "method": "theirs"}, inputs=INPUTS))
    assert confidence.reason_codes == (Finding.MEASURE_WRONG,)  # it now agrees with one more


def test_a_strangers_summary_over_the_limit_fails() -> None:
    made = output("summarize", "lead", INPUTS)
    tight = {**INPUTS, "max_sentences": 2}
    found = judge(verification({**made, "method": "theirs"}, inputs=tight))
    assert Finding.LIMIT_EXCEEDED in found.reason_codes


@pytest.mark.parametrize("sentences", [[], [1], [{"text": "x"}], "no", None])
def test_a_summary_without_quotes_is_none(sentences: object) -> None:
    made = {**output("summarize", "lead", INPUTS), "sentences": sentences}
    found = judge(verification(made, inputs=INPUTS))
    assert (found.outcome, found.reason_codes) == (Outcome.FAILED, (Finding.SHAPE_WRONG,))


def test_ranks_are_a_distribution_and_the_isolated_rank_lowest() -> None:
    document = read_document("Cats chase mice. Mice fear cats. Dogs chase cats. Rain fell hard.")
    ranks = rank(similarities(document))
    assert sum(ranks) == pytest.approx(1)
    assert min(ranks) == ranks[3]


def test_a_frequent_word_counts_less_once_it_was_said() -> None:
    text = "Tax money rose. Tax money fell. War came."
    made = output("summarize", "frequency", {"text": text, "max_sentences": 2})
    assert [item["text"] for item in made["sentences"]] == ["Tax money rose.", "War came."]


def test_lead_passes_over_what_was_said() -> None:
    text = "Cats chase mice. Cats chase mice again. Dogs bark."
    made = output("summarize", "lead", {"text": text, "max_sentences": 2})
    assert [item["text"] for item in made["sentences"]] == ["Cats chase mice.", "Dogs bark."]


def test_keywords_are_phrases_of_the_text() -> None:
    gettysburg = (DOCUMENTS / "gettysburg_address.txt").read_text("utf-8")
    made = output("keywords", "", {"document": gettysburg, "max_keywords": 8})
    assert "great civil war" in [item["text"] for item in made["keywords"]]


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, "hold no text"),
        ({"document": " … "}, "no content"),
        ({"document": "of the and"}, "no content"),
        ({"document": "One word here. " * (SENTENCES_MAX + 1)}, "sentences"),
        ({"document": "Long sentences do not fit.", "max_chars": 5}, "no sentence"),
    ],
)
def test_what_cannot_be_worked_on_is_told(inputs: dict[str, object], expected: str) -> None:
    with pytest.raises(Unsuitable, match=expected):
        output("summarize", "lead", inputs)


@pytest.mark.parametrize(
    "inputs",
    [
        {"document": 5},
        {"document": "x" * (CHARS_MAX + 1)},
        {"document": "Cats chase mice.", "max_sentences": 0},
        {"document": "Cats chase mice.", "max_chars": "many"},
    ],
)
def test_inputs_of_another_form_are_malformed(inputs: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        output("summarize", "lead", inputs)


def test_only_known_profiles_are_offered() -> None:
    with pytest.raises(WorkRefused, match="no such profile: magic"):
        reference_executor(profiles=("lead", "magic"))


def test_an_unknown_task_type_is_told() -> None:
    with pytest.raises(Unsuitable, match="no dance by lead"):
        output("dance", "lead", INPUTS)


def test_a_budget_is_never_exceeded_by_the_space_between() -> None:
    document = read_document("Cats sit. Dogs run. Birds fly.")
    for chars in (9, 18, 19, 29):
        chosen = METHODS["lead"](document, Budget(3, chars))
        assert (
            sum(len(document.sentences[item.index].text) for item in chosen) + (len(chosen) - 1)
            <= chars
        )
