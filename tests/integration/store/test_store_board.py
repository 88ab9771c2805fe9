"""The board as it is read from PostgreSQL: pages, filters, and which revision stands."""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import attrs
import pytest

from tests.laws.world import keys
from tests.support.board_events import NAME, SAMPLES, START_MS, TASK, said
from wattswarm.kernel import board
from wattswarm.kernel.event import Event
from wattswarm.kernel.ids import EventId, Seq
from wattswarm.kernel.payloads.board import (
    BoardPayload,
    FeedSubscriptionUpdated,
    TaskAnnounced,
    TopicMessagePosted,
)
from wattswarm.store.board_reader import BoardReader, Place, Said, SubscriptionKey
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.projections import Projections
from wattswarm.store.tables import board_group

KEYS: Final = keys(3, salt=4)
SCOPES: Final = ("global", "group:x")


@attrs.frozen
class Statements:
    """Voids what it names."""

    names: frozenset[bytes] = frozenset()

    def voids(self, event: Event) -> str | None:
        return "revoked" if event.event_id in self.names else None


@attrs.define
class Shelf:
    """Projections of the board, and what reads them."""

    writer: Projections
    reader: BoardReader

    def put(self, events: Sequence[Event], voids: board.Statements = board.NOTHING_VOIDED) -> None:
        at = self.writer.cursor("t", 0)
        groups = [
            board_group(each.event_id, each.scope, board.rows(each, voids)) for each in events
        ]
        self.writer.advance("t", 0, expected=at, seq=Seq(at + 1), groups=groups)


@pytest.fixture
def shelf(database: Database) -> Iterator[Shelf]:
    connection: Connection = database.connect(Purpose.READER)
    writer = Projections(database)
    yield Shelf(writer, BoardReader(connection))
    writer.close()
    connection.close()


def standing(events: Sequence[Event]) -> dict[tuple[object, ...], Event]:
    """Return what stands under each key: a model without a database."""
    found: dict[tuple[object, ...], Event] = {}
    for each in events:
        payload = each.payload
        key = (
            each.scope,
            each.author,
            *(payload[name] for name in board.KINDS[each.kind].last_writer),
        )
        rank = (payload["revision"], each.created_at, each.event_id)
        best = found.get(key)
        if best is None or rank > (best.payload["revision"], best.created_at, best.event_id):
            found[key] = each
    return found


def revisions(seed: int, sample: BoardPayload, count: int = 60) -> list[Event]:
    """Return revisions under few keys; many of them say the same number."""
    rng = random.Random(seed)
    made: list[Event] = []
    for _ in range(count):
        changed: BoardPayload = attrs.evolve(sample, revision=rng.randint(1, 3))
        match changed:
            case FeedSubscriptionUpdated() | TaskAnnounced():
                changed = attrs.evolve(changed, feed_key=rng.choice(["news", "market"]))
            case _:
                pass
        made.append(
            said(
                changed,
                scope=rng.choice(SCOPES),
                key=rng.choice(KEYS),
                at_ms=START_MS + rng.randint(0, 3),
            )
        )
    return list({each.event_id: each for each in made}.values())


REVISED: Final = [sample for sample in SAMPLES if board.KINDS[sample.kind].last_writer]


@pytest.mark.parametrize("sample", REVISED, ids=lambda each: each.kind)
def test_what_stands_is_what_a_model_says_and_a_voided_one_uncovers_the_one_before(
    shelf: Shelf, sample: BoardPayload
) -> None:
    events = revisions(1, sample)
    shelf.put(events)
    assert shown(shelf, sample) == ids(standing(events).values())
    voided = {each.event_id for each in standing(events).values()}
    shelf.put(events, Statements(frozenset(voided)))
    left = [each for each in events if each.event_id not in voided]
    assert shown(shelf, sample) == ids(standing(left).values())
    assert {shelf.reader.verdict(name) for name in voided} == {"revoked"}
    shelf.put(list(reversed(events)))
    assert shown(shelf, sample) == ids(standing(events).values())


def ids(events: Iterable[Event | Said[Any]]) -> set[bytes]:
    return {each.event_id for each in events}


def shown(shelf: Shelf, sample: BoardPayload) -> set[bytes]:
    reader = shelf.reader
    match sample.kind:
        case "FEED_SUBSCRIPTION_UPDATED":
            return ids(reader.subscriptions(limit=99, active=False))
        case "TASK_ANNOUNCED":
            return ids(reader.announcements(limit=99))
        case "EXECUTION_INTENT_DECLARED":
            return ids(reader.intents(TASK, limit=99))
        case _:
            return ids(reader.sets(TASK, limit=99))


def test_everything_comes_back_as_it_was_said(shelf: Shelf) -> None:
    events = {each.kind: said(each, scope="group:x") for each in SAMPLES}
    shelf.put(list(events.values()))
    reader = shelf.reader
    found = (
        *reader.messages(limit=9),
        *reader.subscriptions(limit=9, active=False),
        *reader.announcements(limit=9),
        *reader.intents(TASK, limit=9),
        *reader.sets(TASK, limit=9),
    )
    assert {each.event_id: each.payload for each in found} == {
        each.event_id: board.judge(each)
        for each in events.values()
        if each.kind != "CHECKPOINT_CREATED"
    }
    one = said(SAMPLES[-1])
    shelf.put([one])
    (checkpoint,) = reader.checkpoints(limit=9)
    assert checkpoint.payload == SAMPLES[-1]
    assert (checkpoint.event_id, checkpoint.scope) == (one.event_id, "global")


def test_messages_are_read_newest_first_page_by_page_by_feed_and_scope(shelf: Shelf) -> None:
    rng = random.Random(2)
    events = [
        said(
            TopicMessagePosted(feed_key=rng.choice(["a", "b"]), text=str(number)),
            scope=rng.choice(SCOPES),
            at_ms=START_MS + number // 4,
        )
        for number in range(60)
    ]
    shelf.put(events)
    wanted = sorted(
        (
            (each.created_at, each.event_id)
            for each in events
            if each.scope == "group:x" and each.payload["feed_key"] == "a"
        ),
        reverse=True,
    )
    found: list[tuple[int, bytes]] = []
    before: Place | None = None
    while page := shelf.reader.messages(limit=4, before=before, scope="group:x", feed_key="a"):
        found.extend((each.created_at, each.event_id) for each in page)
        before = Place(page[-1].created_at, page[-1].event_id)
    assert found == wanted
    assert len(shelf.reader.messages(limit=99)) == 60


def test_a_message_is_found_by_its_name_and_a_missing_one_is_not(shelf: Shelf) -> None:
    made = said(SAMPLES[1])
    shelf.put([made])
    name = made.event_id.hex()
    assert shelf.reader.find_messages(name[:5]) == (made.event_id,)
    found = shelf.reader.message(made.event_id)
    assert found is not None
    assert found.payload == SAMPLES[1]
    assert shelf.reader.message(EventId(NAME)) is None
    assert shelf.reader.verdict(made.event_id) is None


def test_subscriptions_are_paged_and_show_only_who_still_listens(shelf: Shelf) -> None:
    events = [
        said(
            FeedSubscriptionUpdated(feed_key=feed, revision=1, active=feed != "c"),
            scope=scope,
            key=key,
        )
        for feed in "abc"
        for scope in SCOPES
        for key in KEYS
    ]
    shelf.put(events)
    found: list[bytes] = []
    after: SubscriptionKey | None = None
    while page := shelf.reader.subscriptions(limit=5, after=after):
        found.extend(each.event_id for each in page)
        last = page[-1]
        after = SubscriptionKey(last.scope, last.author, last.payload.feed_key)
    active = [each for each in events if each.payload["active"]]
    assert sorted(found) == sorted(each.event_id for each in active)
    mine = shelf.reader.subscriptions(limit=9, author=KEYS[0].node_id, feed_key="a")
    assert len(mine) == len(SCOPES)


SPAM: Final = """
insert into feed_subscriptions
    (event_id, scope, author, created_at, feed_key, revision, is_active)
select sha256(n::text::bytea), 'global', %s, n, 'news', n, true
from generate_series(20000, 1, -1) as n
"""


def test_one_key_of_many_revisions_is_read_in_time(shelf: Shelf, database: Database) -> None:
    with database.connect(Purpose.PROJECTION) as connection:
        connection.execute(SPAM, (KEYS[0].node_id,))
    (found,) = shelf.reader.subscriptions(limit=9)
    assert found.payload.revision == 20_000
