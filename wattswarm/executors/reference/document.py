"""A source text as the methods see it: sentences with their words, and the counts of all words."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

import attrs

from wattswarm.executors.reference.text import Span, content_words, sentences

CHARS_MAX: Final = 400_000
SENTENCES_MAX: Final = 1_000
"""Comparing sentences pairwise costs the square of this."""


class Unsuitable(Exception):
    """The text cannot be worked on; the message says why."""


@attrs.frozen(kw_only=True)
class Sentence:
    """One sentence; `words` are its content words in order."""

    span: Span
    text: str
    words: tuple[str, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each of its words occurs in it."""
        return Counter(self.words)


@attrs.frozen(kw_only=True)
class Document:
    """A text, its sentences in order, and the counts of its content words."""

    text: str
    sentences: tuple[Sentence, ...]
    counts: Mapping[str, int]
    words_total: int

    def part(self, chosen: tuple[int, ...]) -> frozenset[str]:
        """Return the content words of some of the sentences."""
        return frozenset(word for index in chosen for word in self.sentences[index].words)

    def coverage(self, covered: frozenset[str]) -> float:
        """Return the share of the text's content, counted in occurrences, that words stand for."""
        return sum(self.counts[word] for word in covered) / self.words_total


def read_document(text: str) -> Document:
    """Return the document that `text` is.

    Raises:
        Unsuitable: It is too long, or has no content.
    """
    if len(text) > CHARS_MAX:
        raise Unsuitable(f"a text of {len(text)} characters; at most {CHARS_MAX} are read")
    found = tuple(_sentence(text, span) for span in sentences(text))
    if len(found) > SENTENCES_MAX:
        raise Unsuitable(f"a text of {len(found)} sentences; at most {SENTENCES_MAX} are compared")
    counts = Counter(word for sentence in found for word in sentence.words)
    if not counts:
        raise Unsuitable("the text has no content words")
    return Document(text=text, sentences=found, counts=counts, words_total=counts.total())


def _sentence(text: str, span: Span) -> Sentence:
    part = text[span.start : span.end]
    return Sentence(span=span, text=part, words=content_words(part))
