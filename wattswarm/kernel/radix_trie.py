"""A Merkle trie over a set of byte keys, whose shape is a function of the set and of nothing else.

The trie is of radix 16, over the nibbles of the keys. A node with at most 64 keys is a leaf, and
its digest hashes the keys in order. Any other node is an inner one: its *page* lists, for each
child that is there, the nibble, the number of keys and the digest, and the digest of the node is
that of its page. Equal sets so have equal roots, whatever the order they were built in, and unequal
sets unequal ones, whatever their authors try: there is no sum that could be made to cancel out.

Everything here is pure. `wanted` says what has to be read before `insert` can do its work; the new
pages and leaves come back as a `Delta`, so that nothing changes before a transaction has committed.
A page that is not in a delta stays as it was.

Source: A. Auvolat and F. Taïani, "Merkle Search Trees", SRDS 2019, for history independence.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, takewhile
from typing import Final, TypeAlias

import attrs

from wattswarm.kernel.hashing import HASH_BYTES, Context, digest
from wattswarm.kernel.ids import Digest

LEAF_KEYS_MAX: Final = 64
COUNT_BYTES: Final = 8
NIBBLES: Final = "0123456789abcdef"
CHILD_BYTES: Final = 1 + COUNT_BYTES + HASH_BYTES


@attrs.frozen
class Summary:
    """How many keys there are below a node, and their digest."""

    count: int
    digest: Digest

    @property
    def is_leaf(self) -> bool:
        """Whether a node of this many keys is a leaf."""
        return self.count <= LEAF_KEYS_MAX


Prefix: TypeAlias = str
"""The nibbles from the root down to a node, as lower-case hex digits."""

Page: TypeAlias = Mapping[str, Summary]
"""The children of an inner node by their nibble, in order."""


@attrs.frozen
class Wanted:
    """What an insertion has to know: pages of inner nodes, and the keys of leaves."""

    pages: frozenset[Prefix]
    leaves: frozenset[Prefix]


@attrs.frozen
class Delta:
    """What an insertion changes: the root, pages made anew, the keys of touched leaves."""

    root: Summary
    pages: Mapping[Prefix, Page]
    leaves: Mapping[Prefix, Sequence[bytes]]


def leaf(keys: Sequence[bytes]) -> Summary:
    """Return the summary of a leaf with these sorted keys."""
    return Summary(len(keys), digest(Context.TRIE_LEAF, *keys))


EMPTY: Final = leaf(())


def encode_page(page: Page) -> bytes:
    """Return the bytes of a page: per child a byte of nibble, eight of count and the digest."""
    return b"".join(
        bytes((NIBBLES.index(nibble),)) + child.count.to_bytes(COUNT_BYTES, "big") + child.digest
        for nibble, child in page.items()
    )


def decode_page(encoded: bytes) -> Page:
    """Return the page of these bytes; the inverse of `encode_page`.

    Raises:
        ValueError: No page has these bytes.
    """
    if len(encoded) % CHILD_BYTES:
        raise ValueError(f"a page of {len(encoded)} bytes")
    page: dict[str, Summary] = {}
    before = -1
    for start in range(0, len(encoded), CHILD_BYTES):
        nibble, rest = encoded[start], encoded[start + 1 : start + CHILD_BYTES]
        count = int.from_bytes(rest[:COUNT_BYTES], "big")
        if not (before < nibble < len(NIBBLES) and count):
            raise ValueError(f"a page with {count} keys below {nibble}, after {before}")
        page[NIBBLES[nibble]] = Summary(count, Digest(rest[COUNT_BYTES:]))
        before = nibble
    return page


def node(page: Page) -> Summary:
    """Return the summary of the inner node with this page."""
    count = sum(child.count for child in page.values())
    return Summary(count, digest(Context.TRIE_NODE, encode_page(page)))


def wanted(root: Summary, pages: Mapping[Prefix, Page], keys: Sequence[bytes]) -> Wanted:
    """Return what has to be known before `keys` can be inserted.

    As long as it names pages, read them and ask again: what is below a page that is not known
    cannot be seen. When it names none, its leaves are complete.

    Args:
        root: Of the trie as it is. pages: The pages known so far. keys: Sorted.
    """
    needs_pages: set[Prefix] = set()
    needs_leaves: set[Prefix] = set()
    pending: list[tuple[Prefix, Summary, Sequence[str]]] = [("", root, [key.hex() for key in keys])]
    while pending:
        prefix, summary, below = pending.pop()
        if summary.count == 0:
            continue
        if summary.is_leaf:
            needs_leaves.add(prefix)
        elif prefix not in pages:
            needs_pages.add(prefix)
        else:
            page = pages[prefix]
            for nibble, group in _by_nibble(below, len(prefix)):
                pending.append((prefix + nibble, page.get(nibble, EMPTY), group))
    return Wanted(frozenset(needs_pages), frozenset(needs_leaves))


def insert(
    root: Summary,
    pages: Mapping[Prefix, Page],
    leaves: Mapping[Prefix, Sequence[bytes]],
    keys: Sequence[bytes],
) -> Delta:
    """Return what changes when new keys are added; nothing that was passed in is changed.

    Args:
        root: Of the trie as it is. pages, leaves: At least what `wanted` names; leaves with sorted
        keys. keys: Sorted, none twice, and none in the trie yet.
    """
    growth = _Growth(pages, leaves)
    top = growth.grow("", root, [key.hex() for key in keys])
    assert top.count == root.count + len(keys), (root, top, len(keys))
    return Delta(top, growth.new_pages, growth.new_leaves)


def build(keys: Iterable[bytes], pages: dict[Prefix, Page] | None = None) -> Summary:
    """Return the root of the trie over sorted keys, none twice, in one pass and in constant memory.

    Args:
        keys: All keys of the set, sorted. pages: Filled with the pages of all inner nodes when
        given.
    """
    return _build("", _Ahead(iter(keys)), pages)


@attrs.define
class _Ahead:
    """Sorted keys, of which some have been read ahead: at most one more than a leaf holds."""

    rest: Iterator[bytes]
    read: deque[bytes] = attrs.field(factory=deque[bytes])

    def count_below(self, prefix: Prefix) -> int:
        """Return how many of the keys read ahead begin with `prefix`: all of them, when few."""
        self.read.extend(islice(self.rest, LEAF_KEYS_MAX + 1 - len(self.read)))
        below = takewhile(lambda key: key.hex().startswith(prefix), self.read)
        return sum(1 for _ in below)

    def take(self, count: int) -> list[bytes]:
        """Return the next keys."""
        return [self.read.popleft() for _ in range(count)]


def _build(prefix: Prefix, keys: _Ahead, pages: dict[Prefix, Page] | None) -> Summary:
    count = keys.count_below(prefix)
    if count <= LEAF_KEYS_MAX:
        return leaf(keys.take(count))
    children = {nibble: _build(prefix + nibble, keys, pages) for nibble in NIBBLES}
    page = {nibble: child for nibble, child in children.items() if child.count}
    if pages is not None:
        pages[prefix] = page
    return node(page)


@attrs.frozen
class _Growth:
    pages: Mapping[Prefix, Page]
    leaves: Mapping[Prefix, Sequence[bytes]]
    new_pages: dict[Prefix, Page] = attrs.field(factory=dict[Prefix, Page], init=False)
    new_leaves: dict[Prefix, Sequence[bytes]] = attrs.field(
        factory=dict[Prefix, Sequence[bytes]], init=False
    )

    def grow(self, prefix: Prefix, before: Summary, added: Sequence[str]) -> Summary:
        """Return the summary of the node at `prefix` with the keys `added` (as hex digits)."""
        if not before.is_leaf:
            return self._grow_inner(prefix, self.pages[prefix], added)
        old = self.leaves[prefix] if before.count else ()
        keys = sorted({*old, *map(bytes.fromhex, added)})
        return self._lay_out(prefix, keys)

    def _grow_inner(self, prefix: Prefix, before: Page, added: Sequence[str]) -> Summary:
        children = dict(before)
        for nibble, group in _by_nibble(added, len(prefix)):
            children[nibble] = self.grow(prefix + nibble, before.get(nibble, EMPTY), group)
        page = {nibble: children[nibble] for nibble in NIBBLES if nibble in children}
        self.new_pages[prefix] = page
        return node(page)

    def _lay_out(self, prefix: Prefix, keys: Sequence[bytes]) -> Summary:
        if len(keys) <= LEAF_KEYS_MAX:
            self.new_leaves[prefix] = keys
            return leaf(keys)
        digits = [key.hex() for key in keys]
        page: dict[str, Summary] = {}
        for nibble, group in _by_nibble(digits, len(prefix)):
            page[nibble] = self._lay_out(prefix + nibble, [bytes.fromhex(item) for item in group])
        self.new_pages[prefix] = page
        return node(page)


def _by_nibble(keys: Sequence[str], depth: int) -> Iterator[tuple[str, Sequence[str]]]:
    """Group sorted keys by their nibble at `depth`."""
    if keys and keys[0][depth] == keys[-1][depth]:
        yield keys[0][depth], keys
        return
    start = 0
    for index in range(1, len(keys) + 1):
        if index == len(keys) or keys[index][depth] != keys[start][depth]:
            yield keys[start][depth], keys[start:index]
            start = index
