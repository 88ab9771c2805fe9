"""Lead with coverage: the beginning of the text, without what repeats it.

Writers put first what matters most; a sentence is passed over when more than half of its content
was said before.
"""

from typing import Final

from wattswarm.executors.reference.budget import Budget, Choice, Selection
from wattswarm.executors.reference.document import Document

NEW_MIN: Final = 0.5
"""Least share of new words in a sentence that is taken."""


def lead(document: Document, budget: Budget) -> tuple[Choice, ...]:
    """Return the first sentences that say something new; the score is the share of new words."""
    selection = Selection(document, budget)
    said: set[str] = set()
    for index, sentence in enumerate(document.sentences):
        if selection.is_full:
            break
        words = frozenset(sentence.words)
        new = len(words - said) / len(words) if words else 0.0
        if new >= NEW_MIN and selection.fits(index):
            selection.take(index, new)
            said |= words
    return tuple(selection.choices)
