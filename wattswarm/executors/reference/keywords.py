"""RAKE: phrases between stop words, scored by the company that their words keep.

Source: S. Rose, D. Engel, N. Cramer and W. Cowley, Automatic Keyword Extraction from Individual
Documents, in Text Mining: Applications and Theory, Wiley 2010.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from wattswarm.executors.fields import Json
from wattswarm.executors.reference.document import Document, Unsuitable
from wattswarm.executors.reference.summary import DECIMALS, source
from wattswarm.executors.reference.text import WORD, Span, folded, is_content, singular

METHOD: Final = "rake"
KEYWORDS: Final = 12
PHRASE_WORDS_MAX: Final = 4


@attrs.frozen
class Phrase:
    """A run of content words with nothing but spaces between, and where it stands."""

    words: tuple[str, ...]
    span: Span


def keywords(document: Document, keywords_max: int) -> Mapping[str, Json]:
    """Return the output of the method.

    Raises:
        Unsuitable: The text has no phrase.
    """
    found = tuple(phrases(document))
    if not found:
        raise Unsuitable("the text has no phrases")
    counts = Counter(phrase.words for phrase in found)
    first = {phrase.words: phrase for phrase in reversed(found)}
    scores = phrase_scores(found)
    best = sorted(counts, key=lambda words: (-scores[words], first[words].span.start))
    chosen = [first[words] for words in best[:keywords_max]]
    covered = frozenset(word for phrase in chosen for word in phrase.words)
    coverage = round(document.coverage(covered & document.counts.keys()), DECIMALS)
    return {
        "answer": "; ".join(_text(document, phrase) for phrase in chosen),
        "keywords": [
            {
                "text": document.text[phrase.span.start : phrase.span.end],
                "start": phrase.span.start,
                "end": phrase.span.end,
                "count": counts[phrase.words],
                "score": round(scores[phrase.words], DECIMALS),
            }
            for phrase in chosen
        ],
        "method": METHOD,
        "coverage": coverage,
        "confidence": coverage,
        "check_summary": (
            f"{len(chosen)} of {len(counts)} phrases, verbatim at their offsets; "
            f"coverage {coverage:.4f}"
        ),
        "source": source(document),
    }


def phrase_scores(found: tuple[Phrase, ...]) -> Mapping[tuple[str, ...], float]:
    """Return the score of each phrase: the sum of degree over frequency of its words."""
    frequency: Counter[str] = Counter()
    degree: dict[str, int] = defaultdict(int)
    for phrase in found:
        for word in phrase.words:
            frequency[word] += 1
            degree[word] += len(phrase.words)
    return {
        phrase.words: sum(degree[word] / frequency[word] for word in phrase.words)
        for phrase in found
    }


def phrases(document: Document) -> Iterator[Phrase]:
    """Yield the phrases of a document in order; longer runs than four words are no phrase."""
    for sentence in document.sentences:
        run: list[Span] = []
        for match in WORD.finditer(document.text, sentence.span.start, sentence.span.end):
            if run and document.text[run[-1].end : match.start()].strip():
                yield from _phrase(document, run)
                run = []
            if is_content(folded(match.group())):
                run.append(Span(match.start(), match.end()))
            else:
                yield from _phrase(document, run)
                run = []
        yield from _phrase(document, run)


def _phrase(document: Document, run: list[Span]) -> Iterator[Phrase]:
    if 1 <= len(run) <= PHRASE_WORDS_MAX:
        words = tuple(singular(folded(document.text[span.start : span.end])) for span in run)
        yield Phrase(words, Span(run[0].start, run[-1].end))


def _text(document: Document, phrase: Phrase) -> str:
    return " ".join(document.text[phrase.span.start : phrase.span.end].split())
