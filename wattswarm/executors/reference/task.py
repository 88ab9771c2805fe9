"""From the inputs of a task to its output: which text, which method, how much of it."""

import functools
from collections.abc import Mapping
from typing import Final

from wattswarm.executors.fields import Fields, Json
from wattswarm.executors.reference.budget import CHARS, SENTENCES, Budget
from wattswarm.executors.reference.document import CHARS_MAX, Document, Unsuitable, read_document
from wattswarm.executors.reference.keywords import KEYWORDS, keywords
from wattswarm.executors.reference.summary import METHODS, summarise

SUMMARIZE: Final = "summarize"
KEYWORDS_TYPE: Final = "keywords"
TASK_TYPES: Final = (SUMMARIZE, KEYWORDS_TYPE)

TEXT_NAMES: Final = ("document", "text", "prompt")
"""Inputs that may hold the text, the first of them that is there."""

SENTENCES_MAX: Final = 100
KEYWORDS_MAX: Final = 100
DOCUMENTS_KEPT: Final = 16


@functools.lru_cache(maxsize=DOCUMENTS_KEPT)
def _read(text: str) -> Document:
    return read_document(text)


def document_of(inputs: Mapping[str, Json]) -> Document:
    """Return the text that a task is about.

    Raises:
        Malformed: An input is of the wrong type.
        Unsuitable: There is none, or it cannot be worked on.
    """
    fields = Fields(inputs, "$.inputs")
    for name in TEXT_NAMES:
        if fields.has(name):
            return _read(fields.text(name, chars_max=CHARS_MAX))
    raise Unsuitable(f"the inputs hold no text; it is expected in {' or '.join(TEXT_NAMES)}")


def budget_of(inputs: Mapping[str, Json], document: Document) -> Budget:
    """Return how much a summary may say; by default five sentences, and half of a short text.

    Raises:
        Malformed: A bound is not a positive integer, or too large.
    """
    fields = Fields(inputs, "$.inputs")
    usual = min(SENTENCES, (len(document.sentences) + 1) // 2)
    return Budget(
        sentences=fields.uint_or("max_sentences", usual, least=1, most=SENTENCES_MAX),
        chars=fields.uint_or("max_chars", CHARS, least=1, most=CHARS_MAX),
    )


def keywords_most(inputs: Mapping[str, Json]) -> int:
    """Return how many keywords are wanted.

    Raises:
        Malformed: The bound is not a positive integer, or too large.
    """
    fields = Fields(inputs, "$.inputs")
    return fields.uint_or("max_keywords", KEYWORDS, least=1, most=KEYWORDS_MAX)


def output(task_type: str, method: str, inputs: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the output of a task of ours; `method` counts for summaries only.

    Raises:
        Malformed: The inputs are of the wrong type.
        Unsuitable: The text cannot be worked on, or there is no such method or task type.
    """
    document = document_of(inputs)
    if task_type == KEYWORDS_TYPE:
        return keywords(document, keywords_most(inputs))
    if task_type != SUMMARIZE or method not in METHODS:
        raise Unsuitable(f"no {task_type} by {method} here")
    return summarise(document, method, budget_of(inputs, document))
