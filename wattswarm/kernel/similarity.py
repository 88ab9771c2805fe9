"""How alike two inputs are: the resemblance of their word shingles, estimated from small sketches.

A text is the set of its runs of three words; resemblance is the share that two such sets have in
common (Jaccard). A sketch holds the smallest hashes of a set. The smallest hashes of a union are
among those of its parts, and they are a random sample of it: the share of them that both have
estimates the resemblance without bias, with a standard error of at most 0.5/√k (0.045 for k = 128).
Of sets that fit into a sketch it is exact.

Source: Broder, "On the resemblance and containment of documents" (1997), section 3, the sketch of
the s smallest elements.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, cast

from blake3 import blake3

from wattswarm.kernel import json_text
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import BASIS_POINTS

SHINGLE_WORDS: Final = 3
SKETCH_HASHES: Final = 128
HASH_BYTES: Final = 8
WORDS_MAX: Final = 50_000
"""Words of one input that are looked at."""

Sketch = tuple[int, ...]
"""The smallest hashes of a text's shingles, ascending."""

WORD: Final = re.compile(r"\w+")


def sketch(inputs: bytes) -> Sketch:
    """Return the sketch of a task's inputs: of the words in the texts of a JSON document."""
    words = list(islice(_words(inputs), WORDS_MAX))
    hashes = {_hash(shingle) for shingle in _shingles(words)}
    return tuple(sorted(hashes)[:SKETCH_HASHES])


def resemblance_bp(one: Sketch, other: Sketch) -> int:
    """Return how alike two texts are, in basis points: 10 000 when they have the same shingles."""
    if one == other:
        return BASIS_POINTS if one else 0
    union = sorted({*one, *other})[:SKETCH_HASHES]
    shared = frozenset(one) & frozenset(other)
    return sum(each in shared for each in union) * BASIS_POINTS // len(union)


def _words(inputs: bytes) -> Iterator[str]:
    for text in _texts(inputs):
        yield from (found[0] for found in WORD.finditer(text.casefold()))


def _texts(inputs: bytes) -> Iterator[str]:
    """Yield the texts in a JSON document; of what is none, the whole."""
    try:
        document = json_text.parse(inputs, bytes_max=len(inputs))
    except Malformed:
        yield inputs.decode(errors="replace")
        return
    yield from _leaves(document)


def _leaves(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            members = cast("Mapping[str, object]", value)
            for name in sorted(members):
                yield from _leaves(members[name])
        case list():
            for item in cast("Sequence[object]", value):
                yield from _leaves(item)
        case _:
            yield str(value)


def _shingles(words: Sequence[str]) -> Iterator[str]:
    """Yield the runs of three words; a text of fewer is one run."""
    if 0 < len(words) < SHINGLE_WORDS:
        yield " ".join(words)
    for at in range(len(words) - SHINGLE_WORDS + 1):
        yield " ".join(words[at : at + SHINGLE_WORDS])


def _hash(shingle: str) -> int:
    return int.from_bytes(blake3(shingle.encode(errors="replace")).digest(length=HASH_BYTES), "big")
