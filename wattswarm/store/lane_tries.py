"""The time-tries of the writer: cached where they grow, changed only when their transaction has
committed.

Only inner nodes are stored, one row per page; leaves are the rows of the log themselves, found by
the index on (lane_no, created_at, event_id). A batch of recent events touches few nodes, all of
them in the cache.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, Generic, TypeAlias, TypeVar

import attrs

from wattswarm.kernel import radix_trie, time_trie
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.radix_trie import EMPTY, Delta, Page, Prefix, Summary
from wattswarm.store.connection import Connection
from wattswarm.store.queries import load

EVENT_LOG: Final = load("event_log")
PAGES_CACHED_MAX: Final = 8_192
"""About 20 MiB; a million events have some thousands of pages."""

LEAVES_CACHED_MAX: Final = 1_024
"""About 5 MiB: what is recent in each lane."""

Place: TypeAlias = tuple[int, Prefix]
Content = TypeVar("Content")


@attrs.frozen
class _Recent(Generic[Content]):
    """The most recently used contents of at most `limit` places."""

    limit: int
    held: OrderedDict[Place, Content] = attrs.field(factory=OrderedDict[Place, Content])

    def get(self, place: Place) -> Content | None:
        content = self.held.get(place)
        if content is not None:
            self.held.move_to_end(place)
        return content

    def put(self, place: Place, content: Content) -> None:
        self.held[place] = content
        self.held.move_to_end(place)
        while len(self.held) > self.limit:
            self.held.popitem(last=False)


@attrs.define
class LaneTries:
    """The tries of all lanes, as of the last transaction that was kept."""

    _roots: dict[int, Summary] = attrs.field(factory=dict[int, Summary])
    _pages: _Recent[Page] = attrs.field(factory=lambda: _Recent[Page](PAGES_CACHED_MAX))
    _leaves: _Recent[Sequence[bytes]] = attrs.field(
        factory=lambda: _Recent[Sequence[bytes]](LEAVES_CACHED_MAX)
    )

    def load(self, connection: Connection) -> None:
        """Forget everything, and read the roots."""
        self._pages.held.clear()
        self._leaves.held.clear()
        rows = connection.execute(EVENT_LOG["roots"], binary=True)
        self._roots = {lane_no: Summary(count, Digest(digest)) for lane_no, count, digest in rows}

    def grow(
        self, connection: Connection, keys: Mapping[int, Sequence[bytes]]
    ) -> Mapping[int, Delta]:
        """Return what new keys, none of them in the log yet, change in each lane.

        Reads what is not cached, in the transaction of the connection; `keep` the result when it
        has committed.
        """
        added = {lane_no: sorted(lane) for lane_no, lane in keys.items()}
        pages = self._read_pages(connection, added)
        leaves = self._read_leaves(connection, added, pages)
        return {
            lane_no: radix_trie.insert(self._root(lane_no), pages[lane_no], leaves[lane_no], lane)
            for lane_no, lane in added.items()
        }

    def keep(self, deltas: Mapping[int, Delta]) -> None:
        """Take over what was committed."""
        for lane_no, delta in deltas.items():
            self._roots[lane_no] = delta.root
            for prefix, page in delta.pages.items():
                self._pages.put((lane_no, prefix), page)
            for prefix, keys in delta.leaves.items():
                self._leaves.put((lane_no, prefix), keys)

    def _root(self, lane_no: int) -> Summary:
        return self._roots.get(lane_no, EMPTY)

    def _read_pages(
        self, connection: Connection, keys: Mapping[int, Sequence[bytes]]
    ) -> Mapping[int, Mapping[Prefix, Page]]:
        """Return the pages above the leaves of all keys, a level of missing ones at a time."""
        known: dict[int, dict[Prefix, Page]] = {lane_no: {} for lane_no in keys}
        open_lanes = dict(keys)
        while open_lanes:
            missing = [
                (lane_no, prefix)
                for lane_no, lane in open_lanes.items()
                for prefix in radix_trie.wanted(self._root(lane_no), known[lane_no], lane).pages
            ]
            for (lane_no, prefix), page in self._fetch_pages(connection, missing).items():
                known[lane_no][prefix] = page
            still_open = {lane_no for lane_no, _prefix in missing}
            open_lanes = {lane_no: keys[lane_no] for lane_no in still_open}
        return known

    def _fetch_pages(self, connection: Connection, places: Sequence[Place]) -> Mapping[Place, Page]:
        found = {place: page for place in places if (page := self._pages.get(place)) is not None}
        missing = [place for place in places if place not in found]
        if missing:
            rows = connection.execute(
                EVENT_LOG["read_pages"],
                {
                    "lane_nos": [lane_no for lane_no, _prefix in missing],
                    "prefixes": [prefix for _lane_no, prefix in missing],
                },
                binary=True,
            )
            for lane_no, prefix, encoded in rows:
                found[lane_no, prefix] = page = radix_trie.decode_page(encoded)
                self._pages.put((lane_no, prefix), page)
        assert len(found) == len(places), (len(found), len(places))
        return found

    def _read_leaves(
        self,
        connection: Connection,
        keys: Mapping[int, Sequence[bytes]],
        pages: Mapping[int, Mapping[Prefix, Page]],
    ) -> Mapping[int, Mapping[Prefix, Sequence[bytes]]]:
        known: dict[int, dict[Prefix, Sequence[bytes]]] = defaultdict(dict)
        missing: list[Place] = []
        for lane_no, lane in keys.items():
            for prefix in radix_trie.wanted(self._root(lane_no), pages[lane_no], lane).leaves:
                cached = self._leaves.get((lane_no, prefix))
                if cached is None:
                    missing.append((lane_no, prefix))
                else:
                    known[lane_no][prefix] = cached
        if missing:
            for (lane_no, prefix), held in zip(missing, _read(connection, missing), strict=True):
                known[lane_no][prefix] = held
        return known


def _read(connection: Connection, places: Sequence[Place]) -> Sequence[Sequence[bytes]]:
    """Return the sorted keys below each place: result[i] ↔ places[i]."""
    bounds = [time_trie.bounds(prefix) for _lane_no, prefix in places]
    rows = connection.execute(
        EVENT_LOG["read_leaves"],
        {
            "lane_nos": [lane_no for lane_no, _prefix in places],
            "first_ats": [item.first_at for item in bounds],
            "first_ids": [item.first_id for item in bounds],
            "last_ats": [item.last_at for item in bounds],
            "last_ids": [item.last_id for item in bounds],
        },
        binary=True,
    )
    keys: list[list[bytes]] = [[] for _place in places]
    for place, created_at, event_id in rows:
        index: int = place - 1
        keys[index].append(time_trie.key(created_at, EventId(event_id)))
    return keys
