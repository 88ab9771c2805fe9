"""The trie of a lane below a cut in time, as it is at one moment.

The log's writer keeps the trie of the whole lane. What lies below a cut is that trie without what
is above: only the nodes on the way to the cut are made anew, some ten of them.
"""

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

import attrs

from wattswarm.kernel.radix_trie import (
    EMPTY,
    LEAF_KEYS_MAX,
    Page,
    Prefix,
    Summary,
    leaf,
    node,
)
from wattswarm.kernel.time_trie import DATE_BYTES

READS_MAX: Final = 1_024
"""Pages that are read for one step, or as much of keys; the part that is begun is ended."""

KEYS_A_READ: Final = 16
"""Keys that cost as much as reading a page."""

BEYOND_NIBBLES: Final = "g"
"""Sorts after every digit."""


class Trie(Protocol):
    """The trie of a lane as the store has it.

    All answers are of one moment, so that they fit each other.
    """

    def root(self) -> Summary:
        """Return the summary of the whole lane."""
        ...

    def page(self, prefix: Prefix) -> Page:
        """Return the page of the inner node at `prefix`; there is one whenever this is asked."""
        ...

    def keys(self, prefix: Prefix, limit: int) -> Sequence[bytes]:
        """Return the first `limit` keys that begin with `prefix`, in order."""
        ...


@attrs.define
class View:
    """The lane's keys that are dated before `cut`, as a trie; counts what it reads.

    Attributes:
        reads: What was read so far, in pages; keys are counted by what they cost.
    """

    trie: Trie
    cut: int
    reads: int = attrs.field(init=False, default=0)
    root: Summary = attrs.field(init=False)
    _date: str = attrs.field(init=False)
    _pages: dict[Prefix, Page] = attrs.field(init=False, factory=dict[Prefix, Page])
    _leaves: dict[Prefix, Sequence[bytes]] = attrs.field(
        init=False, factory=dict[Prefix, Sequence[bytes]]
    )

    def __attrs_post_init__(self) -> None:
        self._date = self.cut.to_bytes(DATE_BYTES, "big").hex()
        self.root = self._below_cut("", self.trie.root())

    @property
    def is_spent(self) -> bool:
        """Whether so much was read that the step has to end."""
        return self.reads > READS_MAX

    def summary(self, prefix: Prefix) -> Summary:
        """Return what there is below any prefix, whether or not a node of the trie is there."""
        at, found = "", self.root
        while not found.is_leaf and at != prefix:
            nibble = prefix[len(at)]
            found = self._page(at).get(nibble, EMPTY)
            at += nibble
        if at == prefix or not found.count:
            return found
        return leaf(self._within(at, found, prefix))

    def keys(self, prefix: Prefix, limit: int) -> Sequence[bytes]:
        """Return the first `limit` keys below any prefix, in order."""
        return self._first(prefix, min(limit, self.summary(prefix).count))

    def divide(self, prefix: Prefix, want: int) -> Sequence[tuple[Prefix, Summary]]:
        """Return nodes that hold all keys below `prefix`, in order: `want` or some more of them.

        The largest is divided as long as there are too few, so that they hold about as many keys
        each, wherever these are; leaves are not divided.
        """
        whole = self.summary(prefix)
        heap = [(-whole.count, prefix, whole)] if whole.count else []
        while len(heap) < want and heap and not heap[0][2].is_leaf:
            _, at, _ = heapq.heappop(heap)
            for nibble, child in self._page(at).items():
                heapq.heappush(heap, (-child.count, at + nibble, child))
        return sorted((at, found) for _, at, found in heap)

    def outside(self, parent: Prefix, prefixes: Sequence[Prefix], limit: int) -> Sequence[bytes]:
        """Return the first keys below `parent` that are below none of some prefixes.

        Some only when the view is spent.

        Args:
            prefixes: Below `parent`, ascending and disjoint. limit: How many keys at most.
        """
        found: list[bytes] = []
        for keys in self._outside(parent, self.summary(parent), prefixes, limit):
            found += keys
            if len(found) >= limit or self.is_spent:
                break
        return found[:limit]

    def _outside(
        self, at: Prefix, there: Summary, prefixes: Sequence[Prefix], limit: int
    ) -> Iterator[Sequence[bytes]]:
        first = bisect_left(prefixes, at)
        last = bisect_left(prefixes, at + BEYOND_NIBBLES)
        if first == last:
            yield self._first(at, min(limit, there.count))
        elif prefixes[first] == at:
            return
        elif there.is_leaf:
            inside = prefixes[first:last]
            yield [key for key in self._first(at, there.count) if not _is_in(key.hex(), inside)]
        else:
            for nibble, child in self._page(at).items():
                yield from self._outside(at + nibble, child, prefixes, limit)

    def _page(self, prefix: Prefix) -> Page:
        """Return the page of a node that is an inner one below the cut, too."""
        page = self._pages.get(prefix)
        if page is None:
            page = self._pages[prefix] = self._read_page(prefix)
        return page

    def _read_page(self, prefix: Prefix) -> Page:
        self.reads += 1
        return self.trie.page(prefix)

    def _first(self, prefix: Prefix, count: int) -> Sequence[bytes]:
        """Return the first `count` keys below a prefix; there are so many below the cut."""
        known = self._leaves.get(prefix)
        if known is not None and len(known) >= count:
            return known[:count]
        keys = self._read_keys(prefix, count) if count else ()
        if count <= LEAF_KEYS_MAX:
            self._leaves[prefix] = keys
        return keys

    def _read_keys(self, prefix: Prefix, limit: int) -> Sequence[bytes]:
        self.reads += 1 + limit // KEYS_A_READ
        return self.trie.keys(prefix, limit)

    def _within(self, at: Prefix, found: Summary, prefix: Prefix) -> Sequence[bytes]:
        """Return the keys of the leaf at `at` that begin with `prefix`."""
        return [key for key in self._first(at, found.count) if key.hex().startswith(prefix)]

    def _below_cut(self, prefix: Prefix, stored: Summary) -> Summary:
        """Return what is left below the cut of a node of the whole trie."""
        edge = self._date[: len(prefix)]
        if prefix[: len(edge)] < edge:
            return stored
        if prefix[: len(edge)] > edge or len(prefix) >= len(self._date) or not stored.count:
            return EMPTY
        if stored.is_leaf:
            keys = self._read_keys(prefix, stored.count)
            return leaf([key for key in keys if key.hex() < self._date])
        return self._inner_below_cut(prefix, self._read_page(prefix))

    def _inner_below_cut(self, prefix: Prefix, stored: Page) -> Summary:
        page = _present((nib, self._below_cut(prefix + nib, one)) for nib, one in stored.items())
        count = sum(child.count for child in page.values())
        if count <= LEAF_KEYS_MAX:
            return leaf(self._first(prefix, count))
        self._pages[prefix] = page
        return node(page)


def _present(children: Iterable[tuple[str, Summary]]) -> Mapping[str, Summary]:
    return {nibble: child for nibble, child in children if child.count}


def _is_in(key: str, prefixes: Sequence[Prefix]) -> bool:
    """Tell whether a key begins with one of these prefixes, ascending and disjoint."""
    at = bisect_right(prefixes, key) - 1
    return at >= 0 and key.startswith(prefixes[at])
