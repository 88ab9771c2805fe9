"""Maximal marginal relevance over TF-IDF: near to the whole text, far from what was chosen already.

Source: J. Carbonell and J. Goldstein, The Use of MMR, Diversity-Based Reranking, SIGIR 1998.
"""

from collections import Counter
from collections.abc import Mapping
from math import log, sqrt
from typing import Final

from wattswarm.executors.reference.budget import Budget, Choice, Selection
from wattswarm.executors.reference.document import Document

RELEVANCE: Final = 0.7
"""Weight of nearness to the text; the rest is the weight of newness."""


def relevance(document: Document, budget: Budget) -> tuple[Choice, ...]:
    """Return sentences by nearness to the text, less nearness to those before."""
    weights = weighted(document)
    whole = unit(_sum(weights))
    vectors = [unit(vector) for vector in weights]
    near = [cosine(vector, whole) for vector in vectors]
    selection = Selection(document, budget)
    closest = [0.0] * len(vectors)
    while not selection.is_full and (candidates := selection.open_indexes()):
        scores = {
            index: RELEVANCE * near[index] - (1 - RELEVANCE) * closest[index]
            for index in candidates
        }
        best = min(candidates, key=lambda index: (-scores[index], index))
        selection.take(best, scores[best])
        closest = [
            max(before, cosine(vector, vectors[best]))
            for before, vector in zip(closest, vectors, strict=True)
        ]
    return tuple(selection.choices)


def weighted(document: Document) -> list[Mapping[str, float]]:
    """Return the TF-IDF vector of each sentence; documents of the IDF are the sentences."""
    holders = Counter(word for sentence in document.sentences for word in set(sentence.words))
    total = len(document.sentences)
    return [
        {word: count * log(1 + total / holders[word]) for word, count in sentence.counts.items()}
        for sentence in document.sentences
    ]


def unit(vector: Mapping[str, float]) -> Mapping[str, float]:
    """Return the vector of length 1 in the same direction; an empty one stays empty."""
    length = sqrt(sum(weight * weight for weight in vector.values()))
    return {word: weight / length for word, weight in vector.items()}


def cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Return the cosine of two unit vectors."""
    small, large = sorted((one, other), key=len)
    return sum(weight * large[word] for word, weight in small.items() if word in large)


def _sum(vectors: list[Mapping[str, float]]) -> Mapping[str, float]:
    total: dict[str, float] = {}
    for vector in vectors:
        for word, weight in vector.items():
            total[word] = total.get(word, 0.0) + weight
    return total
