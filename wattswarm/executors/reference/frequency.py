"""SumBasic: sentences of frequent words, a word counting for less once it was said.

Source: A. Nenkova and L. Vanderwende, The Impact of Frequency on Summarization, MSR-TR-2005-101.
"""

from wattswarm.executors.reference.budget import Budget, Choice, Selection
from wattswarm.executors.reference.document import Document


def frequency(document: Document, budget: Budget) -> tuple[Choice, ...]:
    """Return sentences by the mean probability of their words, which sinks when a word is used."""
    chances = {word: count / document.words_total for word, count in document.counts.items()}
    selection = Selection(document, budget)
    while not selection.is_full and (candidates := selection.open_indexes()):
        scores = {index: _mean(document.sentences[index].words, chances) for index in candidates}
        best = min(candidates, key=lambda index: (-scores[index], index))
        selection.take(best, scores[best])
        for word in frozenset(document.sentences[best].words):
            chances[word] **= 2
    return tuple(selection.choices)


def _mean(words: tuple[str, ...], chances: dict[str, float]) -> float:
    return sum(chances[word] for word in words) / len(words)
