"""Cutting text into sentences and words, with offsets that index the text as it is.

Offsets count Unicode code points. A sentence ends at a terminator of its script (Latin, Greek,
Arabic, Devanagari, CJK) or at a blank line; a dot after an initial or an abbreviation ends none.
Every pattern runs in linear time.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Final

import attrs

BLANK_LINE: Final = re.compile(r"\n[^\S\n]*\n")

ENDING: Final = re.compile(
    r"(?<![.!?…؟۔])[.!?…؟۔]++[\"'”’»)\]]*+(?=\s|\Z)|[。！？｡।॥]++[」』”’）】]*+"
)

_IDEOGRAPH: Final = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"

WORD: Final = re.compile(rf"[{_IDEOGRAPH}]|[^\W_{_IDEOGRAPH}]++(?:['’-][^\W_{_IDEOGRAPH}]++)*+")
"""A run of letters and digits, or one character of a script that puts no spaces between words."""

TOKEN_CHARS_MAX: Final = 32
OPENING: Final = "\"'“‘«([{"

NEVER_LAST: Final = frozenset(
    {
        *("capt", "col", "dr", "fig", "gen", "gov", "hon", "lieut", "lt", "maj", "messrs", "mr"),
        *("mrs", "ms", "mt", "prof", "rep", "rev", "sen", "sgt", "st", "viz", "vol"),
        "vs",
    }
)
"""Abbreviations that a name or a number follows."""


@attrs.frozen
class Span:
    """A part of a text: `text[start:end]`, in code points."""

    start: int
    end: int


def sentences(text: str) -> tuple[Span, ...]:
    """Return the sentences of `text` in order; they do not overlap, and none is blank."""
    return tuple(
        sentence
        for block in _blocks(text)
        for sentence in _sentences_in(text, block)
        if WORD.search(text, sentence.start, sentence.end)
    )


def _blocks(text: str) -> Iterator[Span]:
    start = 0
    for gap in BLANK_LINE.finditer(text):
        yield Span(start, gap.start())
        start = gap.end()
    yield Span(start, len(text))


def _sentences_in(text: str, block: Span) -> Iterator[Span]:
    start = block.start
    for ending in ENDING.finditer(text, block.start, block.end):
        if _ends(text, ending, block.end):
            yield _trimmed(text, start, ending.end())
            start = ending.end()
    yield _trimmed(text, start, block.end)


def _trimmed(text: str, start: int, end: int) -> Span:
    part = text[start:end]
    lead = len(part) - len(part.lstrip())
    return Span(start + lead, max(start + lead, start + len(part.rstrip())))


def _ends(text: str, ending: re.Match[str], block_end: int) -> bool:
    """Tell whether a terminator ends its sentence, by what stands before and after it."""
    following = text[ending.end() : min(ending.end() + TOKEN_CHARS_MAX, block_end)].lstrip()
    if following.lstrip(OPENING)[:1].islower():
        return False
    return ending.group() != "." or not _is_abbreviation(text, ending.start())


def _is_abbreviation(text: str, dot: int) -> bool:
    before = text[max(0, dot - TOKEN_CHARS_MAX) : dot].split()
    token = before[-1].lstrip(OPENING) if before else ""
    is_initial = len(token) == 1 and token.isupper() and token != "I"
    return is_initial or _has_inner_dot(token) or token.casefold() in NEVER_LAST


def _has_inner_dot(token: str) -> bool:
    """Tell whether a token is an abbreviation of letters, as `H.M.S` before its last dot."""
    parts = token.split(".")
    return len(parts) > 1 and all(len(part) == 1 and part.isalpha() for part in parts)


def words(text: str) -> tuple[str, ...]:
    """Return the words of `text` in order, in the form in which they are compared."""
    return tuple(folded(match.group()) for match in WORD.finditer(text))


@cache
def stop_words() -> frozenset[str]:
    """Return the English words that say nothing by themselves."""
    listed = resources.files("wattswarm.executors").joinpath("stop_words_english.txt")
    return frozenset(listed.read_text("utf-8").split())


def content_words(text: str) -> tuple[str, ...]:
    """Return the words of `text` that carry its content, plurals with their singular."""
    return tuple(singular(word) for word in words(text) if is_content(word))


def is_content(word: str) -> bool:
    """Tell whether a folded word carries content."""
    return word not in stop_words() and (len(word) > 1 or not word.isascii())


def folded(word: str) -> str:
    """Return a word as it is compared: compatibility forms, case and possessives set aside."""
    plain = unicodedata.normalize("NFKC", word).casefold().replace("’", "'")
    return plain.removesuffix("'s")


def singular(word: str) -> str:
    """Return an English noun without its plural ending, other words unchanged.

    Source: D. Harman, How effective is suffixing?, JASIS 42 (1991), the S stemmer.
    """
    if len(word) <= 3 or not word.endswith("s") or word.endswith(("us", "ss", "is")):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return f"{word[:-3]}y"
    return word[:-1]
