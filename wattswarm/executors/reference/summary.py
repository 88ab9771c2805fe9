"""A summary: sentences of the source, verbatim and in order, with what can be measured about them.

The same text, method and budget always give the same output: a verifier makes it again and
compares.
"""

from collections.abc import Callable, Mapping
from typing import Final

import attrs

from wattswarm.executors.fields import Json
from wattswarm.executors.reference.budget import Budget, Choice, Selection
from wattswarm.executors.reference.document import Document, Unsuitable
from wattswarm.executors.reference.frequency import frequency
from wattswarm.executors.reference.lead import lead
from wattswarm.executors.reference.relevance import cosine, relevance, unit
from wattswarm.executors.reference.textrank import textrank
from wattswarm.kernel.hashing import artifact_digest

Method = Callable[[Document, Budget], tuple[Choice, ...]]

METHODS: Final[Mapping[str, Method]] = {
    "textrank": textrank,
    "frequency": frequency,
    "lead": lead,
    "relevance": relevance,
}

DECIMALS: Final = 4
COVERAGE_WEIGHT: Final = 0.7
"""Of coverage in the quality of a summary; the rest is for not repeating itself."""


@attrs.frozen(kw_only=True)
class Measures:
    """What can be measured of a summary, each from 0 to 1."""

    coverage: float
    """Share of the text's content words, counted in occurrences, that the summary uses."""
    redundancy: float
    """How much its sentences resemble each other: mean of the nearest cosine."""
    confidence: float
    """Agreement with the other methods: mean Dice coefficient of the words used."""
    quality: float
    """Coverage against what a greedy cover of the same budget reaches, and lack of redundancy."""


def summarise(document: Document, method: str, budget: Budget) -> Mapping[str, Json]:
    """Return the output of a method.

    Raises:
        Unsuitable: No sentence fits the budget.
    """
    choices = METHODS[method](document, budget)
    if not choices:
        raise Unsuitable(f"no sentence with content fits {budget.chars} characters")
    ordered = sorted(choices, key=lambda choice: choice.index)
    chosen = tuple(choice.index for choice in ordered)
    measures = measure(document, chosen, method, budget)
    return {
        "answer": answer(document, chosen),
        "sentences": [_sentence(document, choice) for choice in ordered],
        "method": method,
        "coverage": measures.coverage,
        "redundancy": measures.redundancy,
        "confidence": measures.confidence,
        "check_summary": check_summary(document, chosen, measures),
        "source": source(document),
    }


def _sentence(document: Document, choice: Choice) -> Mapping[str, Json]:
    sentence = document.sentences[choice.index]
    return {
        "text": sentence.text,
        "start": sentence.span.start,
        "end": sentence.span.end,
        "score": round(choice.score, DECIMALS),
    }


def answer(document: Document, chosen: tuple[int, ...]) -> str:
    """Return chosen sentences as one paragraph, line breaks inside them folded."""
    return " ".join(" ".join(document.sentences[index].text.split()) for index in chosen)


def source(document: Document) -> Mapping[str, Json]:
    """Return what identifies the text that was worked on."""
    return {
        "digest": artifact_digest(document.text.encode()),
        "chars": len(document.text),
        "sentences": len(document.sentences),
    }


def check_summary(document: Document, chosen: tuple[int, ...], measures: Measures) -> str:
    """Return the sentence that says what was checked, with its numbers."""
    return (
        f"{len(chosen)} of {len(document.sentences)} sentences, verbatim at their offsets; "
        f"coverage {measures.coverage:.4f}, redundancy {measures.redundancy:.4f}, "
        f"agreement with other methods {measures.confidence:.4f}"
    )


def measure(document: Document, chosen: tuple[int, ...], method: str, budget: Budget) -> Measures:
    """Return the measures of a choice of sentences, rounded as they are written."""
    covered = document.part(chosen)
    coverage = document.coverage(covered)
    reached = document.coverage(document.part(_greedy_cover(document, budget)))
    redundancy = _redundancy(document, chosen)
    quality = COVERAGE_WEIGHT * min(1, coverage / reached) + (1 - COVERAGE_WEIGHT) * (
        1 - redundancy
    )
    return Measures(
        coverage=round(coverage, DECIMALS),
        redundancy=round(redundancy, DECIMALS),
        confidence=round(_agreement(document, covered, method, budget), DECIMALS),
        quality=round(quality, DECIMALS),
    )


def _greedy_cover(document: Document, budget: Budget) -> tuple[int, ...]:
    """Return the sentences that one takes who wants coverage and nothing else."""
    selection = Selection(document, budget)
    left = dict(document.counts)
    while not selection.is_full and (candidates := selection.open_indexes()):
        gains = {
            index: sum(left[word] for word in set(document.sentences[index].words))
            for index in candidates
        }
        best = min(candidates, key=lambda index: (-gains[index], index))
        selection.take(best, gains[best])
        left.update(dict.fromkeys(document.sentences[best].words, 0))
    return tuple(choice.index for choice in selection.choices)


def _redundancy(document: Document, chosen: tuple[int, ...]) -> float:
    vectors = [unit(document.sentences[index].counts) for index in chosen]
    nearest = [
        max((cosine(one, other) for at, other in enumerate(vectors) if at != index), default=0.0)
        for index, one in enumerate(vectors)
    ]
    return min(1.0, sum(nearest) / len(nearest))


def _agreement(document: Document, covered: frozenset[str], method: str, budget: Budget) -> float:
    others = [
        document.part(tuple(choice.index for choice in choose(document, budget)))
        for name, choose in METHODS.items()
        if name != method
    ]
    return sum(_dice(covered, other) for other in others) / len(others)


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))
