"""Checks the whole log against itself: every row, the chain, the head and the time-tries.

Nothing stored is believed. Bodies are decoded again, ids and signatures computed again, the tries
built again from the rows; the first thing that does not hold is named, with its position.
"""

from collections.abc import Callable, Iterator
from typing import Final

import attrs

from wattswarm.kernel import chain, radix_trie, time_trie
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Event, decode_body
from wattswarm.kernel.ids import Digest, EventId, Seq
from wattswarm.store.connection import Connection, translated
from wattswarm.store.log_reader import LOG_READER, LogReader
from wattswarm.store.log_record import Head, Lane, LogRow

ROWS_PER_STEP: Final = 512
KEYS_PER_STEP: Final = 8_192


@attrs.frozen
class Flaw:
    """The first thing that does not hold; `seq` is its row, where it is about one row.

    `code`: `gap`, `malformed`, `wrong_id`, `wrong_signature`, `wrong_column`, `wrong_chain`,
        `wrong_head`, `wrong_trie` or `wrong_lane`.
    """

    code: str
    message: str
    seq: Seq | None = None


@attrs.frozen
class Verification:
    """What `verify_log` found, up to which head, and the first flaw if there is one."""

    head: Head
    checked: int
    flaw: Flaw | None

    @property
    def is_sound(self) -> bool:
        """Whether everything holds."""
        return self.flaw is None


Progress = Callable[[int, int], None]


def _no_progress(_checked: int, _total: int) -> None:
    return


def verify_log(connection: Connection, progress: Progress = _no_progress) -> Verification:
    """Return whether the log, as it is at this moment, is what was written.

    Takes about 60 µs a row, most of them for the signature. The log may grow meanwhile: it is read
    in one snapshot.

    Args:
        connection: A reader's. progress: Called with (rows checked, rows in all) every few hundred
            rows.
    """
    with translated():
        connection.execute(LOG_READER["begin_snapshot"])
        try:
            return _verify(connection, progress)
        finally:
            connection.execute(LOG_READER["end_snapshot"])


def _verify(connection: Connection, progress: Progress) -> Verification:
    reader = LogReader(connection)
    head = reader.head()
    checked, last, flaw = Seq(0), chain.START, None
    while flaw is None and (rows := reader.read(checked, limit=ROWS_PER_STEP)):
        for row in rows:
            flaw = _row_flaw(row, checked, last)
            if flaw is not None:
                break
            checked, last = row.seq, row.chain
        progress(checked, head.seq)
    flaw = flaw or _head_flaw(head, checked, last) or _tries_flaw(connection, checked)
    return Verification(head, checked, flaw)


def _row_flaw(row: LogRow, before: Seq, last: Digest) -> Flaw | None:
    if row.seq != before + 1:
        return Flaw("gap", f"row {row.seq} follows row {before}", Seq(before + 1))
    try:
        event = decode_body(row.body, row.signature)
    except Malformed as error:
        return Flaw("malformed", str(error), row.seq)
    if event.event_id != row.event_id:
        return Flaw("wrong_id", "the body is not that of the event id", row.seq)
    if not event.is_genuine():
        return Flaw("wrong_signature", "the author did not sign this event", row.seq)
    column = _wrong_column(row, event)
    if column is not None:
        return Flaw("wrong_column", f"column {column} is not what the body says", row.seq)
    if row.chain != chain.link(last, row.event_id):
        return Flaw("wrong_chain", "the chain does not continue that of the row before", row.seq)
    return None


def _wrong_column(row: LogRow, event: Event) -> str | None:
    pairs = {
        "lane_no (scope)": (row.scope, event.scope),
        "lane_no (class)": (row.lane_class, event.lane_class),
        "created_at": (row.created_at, event.created_at),
        "author": (row.author, event.author),
        "task_id": (row.task_id, event.group_task),
        "event_kind": (row.kind, event.kind),
    }
    return next((name for name, (stored, signed) in pairs.items() if stored != signed), None)


def _head_flaw(head: Head, checked: Seq, last: Digest) -> Flaw | None:
    if head.seq != checked:
        return Flaw("wrong_head", f"the head says {head.seq} rows, the last one is {checked}")
    if head.chain != last:
        return Flaw("wrong_head", "the head does not hold the chain value of the last row")
    return None


def _tries_flaw(connection: Connection, checked: Seq) -> Flaw | None:
    lanes = LogReader(connection).lanes()
    if sum(lane.root.count for lane in lanes) != checked:
        return Flaw("wrong_lane", "the lanes do not count as many events as the log has")
    flaws = (_trie_flaw(connection, lane) for lane in lanes)
    return next((flaw for flaw in flaws if flaw is not None), None)


def _trie_flaw(connection: Connection, lane: Lane) -> Flaw | None:
    name = f"lane {lane.scope} {lane.lane_class}"
    pages: dict[str, radix_trie.Page] = {}
    if radix_trie.build(_keys(connection, lane.lane_no), pages) != lane.root:
        return Flaw("wrong_trie", f"the root of {name} is not that of its events")
    rows = connection.execute(LOG_READER["lane_pages"], {"lane_no": lane.lane_no}, binary=True)
    stored = {prefix: bytes(page) for prefix, page in rows}
    if stored != {prefix: radix_trie.encode_page(page) for prefix, page in pages.items()}:
        return Flaw("wrong_trie", f"a page of the trie of {name} is not that of its events")
    return None


def _keys(connection: Connection, lane_no: int) -> Iterator[bytes]:
    after_at, after_id = -1, b""
    while True:
        rows = connection.execute(
            LOG_READER["lane_keys"],
            {
                "lane_no": lane_no,
                "after_at": after_at,
                "after_id": after_id,
                "limit": KEYS_PER_STEP,
            },
            binary=True,
        ).fetchall()
        for created_at, event_id in rows:
            yield time_trie.key(created_at, EventId(event_id))
        if len(rows) < KEYS_PER_STEP:
            return
        after_at, after_id = rows[-1]
