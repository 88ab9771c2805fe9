"""How alike inputs are: exact on small texts, close on large ones, and sensible on real ones."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattswarm.kernel import json_text
from wattswarm.kernel.similarity import SKETCH_HASHES, resemblance_bp, sketch

EXAMPLES = Path(__file__).parents[3] / "examples" / "documents"


def inputs(text: str) -> bytes:
    return json_text.write({"document": text, "max_sentences": 5}).encode()


def document(name: str) -> str:
    return (EXAMPLES / f"{name}.txt").read_text()


def test_equal_inputs_are_wholly_alike_and_strangers_not_at_all() -> None:
    one = sketch(inputs("the quick brown fox jumps over the lazy dog"))
    other = sketch(inputs("colourless green ideas sleep furiously"))
    assert resemblance_bp(one, one) == 10_000
    assert resemblance_bp(one, other) == 0
    assert resemblance_bp((), ()) == 0


def test_small_texts_are_compared_exactly() -> None:
    one, other = sketch(b'"a b c d e"'), sketch(b'"a b c d f"')
    assert resemblance_bp(one, other) == 2 * 10_000 // 4


def test_what_is_no_json_is_a_text() -> None:
    assert sketch(b"a b c {") == sketch(b'"a b c"')
    assert sketch(b"\xff\xfe") == sketch(b"\xff\xfe")


def test_case_and_layout_do_not_count_and_short_texts_do() -> None:
    assert sketch(b'"One\\n two, THREE"') == sketch(b'"one two three"')
    assert len(sketch(b'"one two"')) == 1
    assert sketch(b'""') == ()


@given(st.text(max_size=200), st.text(max_size=200))
def test_resemblance_is_symmetric_and_a_share(one: str, other: str) -> None:
    left, right = sketch(one.encode(errors="replace")), sketch(other.encode(errors="replace"))
    found = resemblance_bp(left, right)
    assert 0 <= found <= 10_000
    assert found == resemblance_bp(right, left)
    assert len(left) <= SKETCH_HASHES


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_sketches_estimate_the_share_in_common(share: float) -> None:
    words = [f"w{index}" for index in range(4_000)]
    common = int(len(words) * share)
    other = words[:common] + [f"x{index}" for index in range(len(words) - common)]
    exact = common / (2 * len(words) - common)
    found = resemblance_bp(sketch(inputs(" ".join(words))), sketch(inputs(" ".join(other))))
    assert abs(found / 10_000 - exact) < 0.13, "three standard errors of 128 hashes"


def test_a_revised_document_is_nearer_than_any_other_document() -> None:
    names = ("declaration_of_independence", "federalist_10", "gettysburg_address")
    for name in names:
        text = document(name)
        sentences = text.split(". ")
        revised = ". ".join(sentences[: -len(sentences) // 5])
        mine = sketch(inputs(text))
        near = resemblance_bp(mine, sketch(inputs(revised)))
        far = max(
            resemblance_bp(mine, sketch(inputs(document(other))))
            for other in names
            if other != name
        )
        assert near > 5_000 > 1_000 > far, (name, near, far)


def test_every_text_and_number_of_a_document_counts_wherever_it_stands() -> None:
    flat = sketch(json_text.write(["one two", 3, "four"]).encode())
    nested = sketch(json_text.write({"a": ["one two"], "b": {"c": 3, "d": ["four"]}}).encode())
    assert flat == nested
    assert flat != sketch(json_text.write(["one two", 4, "four"]).encode())
