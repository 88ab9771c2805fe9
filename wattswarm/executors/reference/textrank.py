"""TextRank: sentences that resemble many others that resemble many others.

A graph of sentences weighted by shared words, and the stationary distribution of a walk on it.

Source: R. Mihalcea and P. Tarau, TextRank: Bringing Order into Texts, EMNLP 2004.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import log
from typing import Final, TypeAlias

from wattswarm.executors.reference.budget import Budget, Choice, best_first
from wattswarm.executors.reference.document import Document

DAMPING: Final = 0.85
TOLERANCE: Final = 1e-6
ROUNDS_MAX: Final = 100

Graph: TypeAlias = Sequence[Mapping[int, float]]
"""Weights of the edges of each sentence, symmetric."""


def textrank(document: Document, budget: Budget) -> tuple[Choice, ...]:
    """Return the most central sentences, most central first."""
    return best_first(document, budget, rank(similarities(document)))


def similarities(document: Document) -> Graph:
    """Return the graph of sentences that share words; normalised so that length gains nothing."""
    distinct = [frozenset(sentence.words) for sentence in document.sentences]
    holders: dict[str, list[int]] = defaultdict(list)
    graph: list[dict[int, float]] = [{} for _ in distinct]
    for index, words in enumerate(distinct):
        shared: dict[int, int] = defaultdict(int)
        for word in words:
            for other in holders[word]:
                shared[other] += 1
            holders[word].append(index)
        for other in sorted(shared):
            weight = shared[other] / (log(1 + len(words)) + log(1 + len(distinct[other])))
            graph[index][other] = graph[other][index] = weight
    return graph


def rank(graph: Graph) -> Sequence[float]:
    """Return the weighted PageRank of each node, as a distribution, by power iteration."""
    count = len(graph)
    totals = [sum(edges.values()) for edges in graph]
    ranks = [1 / count] * count
    for _ in range(ROUNDS_MAX):
        adrift = sum(ranks[index] for index in range(count) if not totals[index])
        base = (1 - DAMPING + DAMPING * adrift) / count
        after = [
            base + DAMPING * sum(ranks[other] * w / totals[other] for other, w in edges.items())
            for edges in graph
        ]
        moved = sum(abs(new - old) for new, old in zip(after, ranks, strict=True))
        ranks = after
        if moved < TOLERANCE:
            break
    return ranks
