"""Cutting text into sentences and words."""

import pytest

from wattswarm.executors.reference.text import content_words, sentences, singular, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Mr. Smith met Dr. Jones. They spoke.", ["Mr. Smith met Dr. Jones.", "They spoke."]),
        ("On board H.M.S. Beagle it rained. Yes.", ["On board H.M.S. Beagle it rained.", "Yes."]),
        ("J. S. Mill wrote it. He did.", ["J. S. Mill wrote it.", "He did."]),
        ("It cost 3.50 in all. Cheap.", ["It cost 3.50 in all.", "Cheap."]),
        ("“Stop!” he said. She did.", ["“Stop!” he said.", "She did."]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("Wait... what? Yes.", ["Wait... what?", "Yes."]),
        ("A heading\n\nA paragraph\nin two lines.", ["A heading", "A paragraph\nin two lines."]),
        ("今日は晴れ。明日は雨！", ["今日は晴れ。", "明日は雨！"]),
        ("यह एक है। वह दो है।", ["यह एक है।", "वह दो है।"]),
        ("Wer? Ich. Ä ist ein Laut.", ["Wer?", "Ich.", "Ä ist ein Laut."]),
        ("… — !", []),
        ("", []),
    ],
)
def test_sentences_end_where_people_end_them(text: str, expected: list[str]) -> None:
    assert [text[span.start : span.end] for span in sentences(text)] == expected


def test_cutting_hostile_text_takes_time_by_its_length() -> None:
    for text in ("." * 200_000, ".a" * 100_000, "\n " * 100_000, "a-" * 100_000, '."' * 100_000):
        sentences(text)
        words(text)


def test_words_are_compared_without_case_possessives_and_compatibility_forms() -> None:
    assert words("The ﬁrst Nation’s Self-Evident truths") == (
        "the",
        "first",
        "nation",
        "self-evident",
        "truths",
    )


def test_content_words_leave_out_what_says_nothing() -> None:
    assert content_words("We hold these truths to be the truth.") == ("hold", "truth", "truth")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("states", "state"),
        ("liberties", "liberty"),
        ("congress", "congress"),
        ("genius", "genius"),
        ("gas", "gas"),
        ("is", "is"),
    ],
)
def test_plurals_meet_their_singular(word: str, expected: str) -> None:
    assert singular(word) == expected
