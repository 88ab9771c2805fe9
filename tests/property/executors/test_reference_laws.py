"""The reference executor's text, methods and verifier hold for any text."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.executor_side import verification
from wattswarm.executors.contract import Outcome
from wattswarm.executors.fields import write
from wattswarm.executors.reference.document import Unsuitable, read_document
from wattswarm.executors.reference.summary import METHODS
from wattswarm.executors.reference.task import output
from wattswarm.executors.reference.text import WORD, sentences
from wattswarm.executors.reference.verification import judge

WORDS = [
    "union",
    "liberty",
    "People",
    "faction",
    "majority",
    "states",
    "The",
    "a",
    "of",
    "and",
    "Mr.",
    "U.S.",
    "12",
    "3.5",
    "日本",
    "ça",
]
prose = st.lists(
    st.tuples(
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join),
        st.sampled_from([". ", "! ", "? ", "。", ".\n\n", "; ", '." ']),
    ).map("".join),
    min_size=1,
    max_size=14,
).map("".join)
any_text = st.text(max_size=120) | prose


@given(any_text)
def test_sentences_hold_every_word_once_and_in_order(text: str) -> None:
    spans = sentences(text)
    assert all(span.start < span.end for span in spans)
    assert all(left.end <= right.start for left, right in pairwise(spans))
    assert all(text[span.start : span.end].strip() == text[span.start : span.end] for span in spans)
    held = sum(len(WORD.findall(text, span.start, span.end)) for span in spans)
    assert held == len(WORD.findall(text))


def _made(task_type: str, method: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return output(task_type, method, inputs)
    except Unsuitable:
        assume(False)
        raise


@pytest.mark.parametrize("method", METHODS)
@given(text=any_text, most=st.integers(1, 6), chars=st.integers(20, 400))
def test_a_summary_quotes_keeps_its_bounds_and_passes(
    method: str, text: str, most: int, chars: int
) -> None:
    inputs = {"document": text, "max_sentences": most, "max_chars": chars}
    made = _made("summarize", method, inputs)
    assert 1 <= len(made["sentences"]) <= most
    assert sum(len(item["text"]) for item in made["sentences"]) <= chars
    for item in made["sentences"]:
        assert text[item["start"] : item["end"]] == item["text"]
    for name in ("coverage", "redundancy", "confidence"):
        assert 0 <= made[name] <= 1
    assert write(output("summarize", method, inputs)) == write(made)
    assert judge(verification(made, inputs=inputs)).outcome is Outcome.PASSED


@given(text=any_text, most=st.integers(1, 6))
def test_keywords_quote_and_pass(text: str, most: int) -> None:
    inputs = {"text": text, "max_keywords": most}
    made = _made("keywords", "", inputs)
    assert 1 <= len(made["keywords"]) <= most
    for item in made["keywords"]:
        assert text[item["start"] : item["end"]] == item["text"]
    assert judge(verification(made, inputs=inputs, task_type="keywords")).outcome is Outcome.PASSED


Tamper = Callable[[Any, int], Any]
TAMPERS: dict[str, Tamper] = {
    "text": lambda item, by: {**item, "text": item["text"] + "x" * by},
    "letter": lambda item, by: {**item, "text": chr(33 + by) + item["text"][1:]},
    "start": lambda item, by: {**item, "start": item["start"] + by},
    "end": lambda item, by: {**item, "end": item["end"] + by},
    "moved": lambda item, by: {**item, "start": item["start"] + by, "end": item["end"] + by},
    "shorter": lambda item, by: {
        **item,
        "text": item["text"][:-by],
        "end": item["end"] - by,
    },
    "score": lambda item, by: {**item, "score": item["score"] + by / 100},
    "more": lambda item, by: {**item, "more": by},
}


@pytest.mark.parametrize("quoted", ["sentences", "keywords"])
@given(
    text=prose,
    method=st.sampled_from(sorted(METHODS)),
    which=st.integers(0, 99),
    how=st.sampled_from(sorted(TAMPERS)),
    by=st.integers(1, 5),
)
def test_a_tampered_quote_never_passes(
    quoted: str, text: str, method: str, which: int, how: str, by: int
) -> None:
    task_type = "summarize" if quoted == "sentences" else "keywords"
    made = _made(task_type, method, {"document": text})
    index = which % len(made[quoted])
    items = list(made[quoted])
    items[index] = TAMPERS[how](items[index], by)
    assume(items[index] != made[quoted][index])
    tampered = {**made, quoted: items}
    found = judge(verification(tampered, inputs={"document": text}, task_type=task_type))
    assert found.outcome is Outcome.FAILED


@given(
    text=prose,
    method=st.sampled_from(sorted(METHODS)),
    name=st.sampled_from(["answer", "method", "check_summary", "coverage", "confidence", "source"]),
)
def test_no_other_part_may_be_tampered_with(text: str, method: str, name: str) -> None:
    made = _made("summarize", method, {"document": text})
    changed = {
        "answer": f"{made['answer']} indeed",
        "method": next(other for other in METHODS if other != method),
        "check_summary": "all is well",
        "coverage": 1 - made["coverage"],
        "confidence": 1 - made["confidence"],
        "source": {**made["source"], "digest": f"blake3:{'0' * 64}"},
    }
    assume(abs(1 - 2 * made["coverage"]) > 0.01)
    assume(abs(1 - 2 * made["confidence"]) > 0.01)
    if name == "method":
        other = _made("summarize", changed["method"], {"document": text})
        assume(other["sentences"] != made["sentences"])
    found = judge(verification({**made, name: changed[name]}, inputs={"document": text}))
    assert found.outcome is Outcome.FAILED


@given(prose, st.permutations(range(4)))
def test_quotes_out_of_order_or_twice_never_pass(text: str, order: list[int]) -> None:
    made = _made("summarize", "lead", {"document": text, "max_sentences": 4})
    items = [made["sentences"][index % len(made["sentences"])] for index in order]
    assume(items != list(made["sentences"]))
    tampered = {**made, "sentences": items}
    inputs = {"document": text, "max_sentences": 4}
    assert judge(verification(tampered, inputs=inputs)).outcome is Outcome.FAILED


@given(any_text)
def test_coverage_of_everything_is_one(text: str) -> None:
    try:
        document = read_document(text)
    except Unsuitable:
        return
    everything = document.part(tuple(range(len(document.sentences))))
    assert document.coverage(everything) == 1
