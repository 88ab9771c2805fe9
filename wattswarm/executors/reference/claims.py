"""What an output of this family claims, read as a stranger's."""

from collections.abc import Mapping
from typing import Final

import attrs

from wattswarm.executors.fields import Fields, Json
from wattswarm.executors.reference.document import CHARS_MAX, Document
from wattswarm.kernel.limits import JSON_CHECKED_BYTES_MAX

SPANS_MAX: Final = 1_000
METHOD_CHARS_MAX: Final = 64


@attrs.frozen(kw_only=True)
class Quote:
    """A part of the source that an output says it quotes."""

    text: str
    start: int
    end: int

    def is_verbatim(self, document: Document) -> bool:
        """Tell whether the source holds this text at this place."""
        inside = self.start < self.end <= len(document.text)
        return inside and document.text[self.start : self.end] == self.text

    @property
    def folded(self) -> str:
        """The text as one line."""
        return " ".join(self.text.split())


@attrs.frozen(kw_only=True)
class Claim:
    """An output: its quotes, its answer, and the method that it names."""

    output: Mapping[str, Json]
    quotes: tuple[Quote, ...]
    answer: str
    method: str

    def number(self, name: str) -> float:
        """Return a measure that the output gives.

        Raises:
            Malformed: It gives none, or one outside 0 to 1.
        """
        return Fields(self.output, "$.output").fraction(name)

    def text(self, name: str) -> str:
        """Return a text that the output gives.

        Raises:
            Malformed: It gives none.
        """
        return Fields(self.output, "$.output").text(name, chars_max=JSON_CHECKED_BYTES_MAX)


def read_claim(output: Mapping[str, Json], quoted: str) -> Claim:
    """Return what an output claims whose quotes are in its member `quoted`.

    Raises:
        Malformed: It is not made as outputs of this family are.
    """
    fields = Fields(output, "$.output")
    quotes = tuple(
        _quote(Fields.of(item, path)) for item, path in fields.items(quoted, items_max=SPANS_MAX)
    )
    if not quotes:
        raise fields.wrong(quoted, "an output without quotes")
    return Claim(
        output=output,
        quotes=quotes,
        answer=fields.text("answer", chars_max=JSON_CHECKED_BYTES_MAX),
        method=fields.text("method", chars_max=METHOD_CHARS_MAX),
    )


def _quote(fields: Fields) -> Quote:
    return Quote(
        text=fields.text("text", chars_max=CHARS_MAX),
        start=fields.uint("start", most=CHARS_MAX),
        end=fields.uint("end", most=CHARS_MAX),
    )


TOLERANCE: Final = 1e-3
"""Of numbers made again: machines round differently, honestly."""


def is_near(one: Json, other: Json) -> bool:
    """Tell whether two documents are equal but for the rounding of numbers."""
    match one, other:
        case (bool() | str() | None, _) | (_, bool() | str() | None):
            return type(one) is type(other) and one == other
        case (int() | float(), int() | float()):
            return abs(one - other) <= TOLERANCE
        case (Mapping(), Mapping()):
            return one.keys() == other.keys() and all(is_near(one[k], other[k]) for k in one)
        case (list() | tuple(), list() | tuple()):
            return len(one) == len(other) and all(map(is_near, one, other))
        case _:
            return False
