"""Laws of the trie: its root is a function of the set, however the set came together."""

import random
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from wattswarm.kernel import radix_trie, time_trie
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.radix_trie import EMPTY, Page, Summary

dates = st.one_of(
    st.integers(1_700_000_000_000, 1_700_000_300_000),
    st.integers(0, 2**48 - 1),
    st.just(1_700_000_000_000),
)
ids = st.binary(min_size=1, max_size=4).map(lambda seed: EventId(digest(Context.EVENT_ID, seed)))
shared = st.binary(min_size=1, max_size=2).map(lambda end: EventId(bytes(32 - len(end)) + end))
keys = st.builds(time_trie.key, dates, st.one_of(ids, shared))


class Lane:
    """A trie that is grown batch by batch, knowing only what `wanted` asks for."""

    def __init__(self) -> None:
        self.root: Summary = EMPTY
        self.pages: dict[str, Page] = {}
        self.keys: set[bytes] = set()

    def add(self, batch: set[bytes]) -> None:
        new = sorted(batch - self.keys)
        pages = self._pages_for(new)
        wanted = radix_trie.wanted(self.root, pages, new)
        leaves = {prefix: self._below(prefix) for prefix in wanted.leaves}
        delta = radix_trie.insert(self.root, pages, leaves, new)
        self.root = delta.root
        self.pages.update(delta.pages)
        self.keys.update(new)
        for prefix, held in delta.leaves.items():
            assert list(held) == self._below(prefix)

    def _pages_for(self, new: Sequence[bytes]) -> Mapping[str, Page]:
        known: dict[str, Page] = {}
        while missing := radix_trie.wanted(self.root, known, new).pages:
            known.update({prefix: self.pages[prefix] for prefix in missing})
        return known

    def _below(self, prefix: str) -> list[bytes]:
        return sorted(key for key in self.keys if key.hex().startswith(prefix))


@given(st.lists(st.sets(keys, max_size=120), max_size=6))
def test_growing_in_any_batches_gives_the_root_and_pages_of_the_whole_set(
    batches: list[set[bytes]],
) -> None:
    lane = Lane()
    for batch in batches:
        lane.add(batch)
    pages: dict[str, Page] = {}
    assert lane.root == radix_trie.build(sorted(lane.keys), pages)
    assert lane.pages == pages


@given(st.integers(0, 2**32))
def test_many_keys_in_any_order_give_one_root(seed: int) -> None:
    rng = random.Random(seed)
    whole = [
        time_trie.key(1_700_000_000_000 + rng.randrange(5_000), EventId(rng.randbytes(32)))
        for _ in range(rng.randrange(65, 900))
    ]
    lane = Lane()
    rng.shuffle(whole)
    while whole:
        count = rng.randrange(1, 300)
        lane.add(set(whole[:count]))
        del whole[:count]
    assert lane.root == radix_trie.build(sorted(lane.keys))


@given(st.sets(keys, min_size=1, max_size=200), st.data())
def test_another_set_has_another_root(whole: set[bytes], data: st.DataObject) -> None:
    left_out = data.draw(st.sampled_from(sorted(whole)))
    rest = sorted(whole - {left_out})
    assert radix_trie.build(sorted(whole)) != radix_trie.build(rest)


@given(st.lists(st.sets(keys, min_size=70, max_size=200), min_size=1, max_size=1))
def test_a_page_survives_its_encoding(batches: list[set[bytes]]) -> None:
    pages: dict[str, Page] = {}
    radix_trie.build(sorted(batches[0]), pages)
    for page in pages.values():
        assert radix_trie.decode_page(radix_trie.encode_page(page)) == page


@given(st.binary(max_size=100))
def test_decoding_a_page_of_any_bytes_gives_a_page_or_a_value_error(encoded: bytes) -> None:
    try:
        page = radix_trie.decode_page(encoded)
    except ValueError:
        return
    assert len(page) == len(encoded) // radix_trie.CHILD_BYTES


@given(keys, st.integers(0, 76))
def test_a_key_lies_within_the_bounds_of_each_of_its_prefixes(key: bytes, depth: int) -> None:
    bounds = time_trie.bounds(key.hex()[:depth])
    date, event_id = int.from_bytes(key[:6], "big"), key[6:]
    assert (bounds.first_at, bounds.first_id) <= (date, event_id)
    assert (date, event_id) <= (bounds.last_at, bounds.last_id)
    if depth:
        other = time_trie.key(2**48 - 1 - date, EventId(event_id))
        is_below = other.hex().startswith(key.hex()[:depth])
        at = 2**48 - 1 - date
        assert is_below == (
            (bounds.first_at, bounds.first_id) <= (at, event_id)
            and (at, event_id) <= (bounds.last_at, bounds.last_id)
        )
