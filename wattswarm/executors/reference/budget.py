"""How much may be said: sentences and characters. Choosing within it."""

from collections.abc import Sequence
from typing import Final

import attrs

from wattswarm.executors.reference.document import Document

SENTENCES: Final = 5
CHARS: Final = 2_000


@attrs.frozen
class Choice:
    """A sentence that a method chose, and what it thought of it."""

    index: int
    score: float


@attrs.frozen
class Budget:
    """At most this many sentences, and characters in them."""

    sentences: int
    chars: int


@attrs.define
class Selection:
    """Sentences chosen so far; `fits` says which others may still join them."""

    document: Document
    budget: Budget
    choices: list[Choice] = attrs.field(factory=list[Choice])
    _chars_left: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._chars_left = self.budget.chars

    @property
    def is_full(self) -> bool:
        """Whether no further sentence may join."""
        return len(self.choices) >= self.budget.sentences

    def fits(self, index: int) -> bool:
        """Tell whether a sentence may join; a space stands before all but the first."""
        return len(self.document.sentences[index].text) + 1 <= self._chars_left + (not self.choices)

    def take(self, index: int, score: float) -> None:
        """Let a sentence join."""
        assert self.fits(index), index
        self._chars_left -= len(self.document.sentences[index].text) + bool(self.choices)
        self.choices.append(Choice(index, score))

    def open_indexes(self) -> list[int]:
        """Return the sentences that have content, may still join, and have not."""
        taken = {choice.index for choice in self.choices}
        return [
            index
            for index, sentence in enumerate(self.document.sentences)
            if sentence.words and index not in taken and self.fits(index)
        ]


def best_first(document: Document, budget: Budget, scores: Sequence[float]) -> tuple[Choice, ...]:
    """Return the sentences with the highest scores that fit; of equals, the earlier one."""
    selection = Selection(document, budget)
    for index in sorted(range(len(scores)), key=lambda index: (-scores[index], index)):
        if selection.is_full:
            break
        if document.sentences[index].words and selection.fits(index):
            selection.take(index, scores[index])
    return tuple(selection.choices)
