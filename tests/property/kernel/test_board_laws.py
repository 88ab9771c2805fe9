"""Laws of the board: any bytes are judged, and no order, batch or duplicate shows in the rows."""

import random
from collections.abc import Mapping, Sequence

import attrs
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.world import keys
from tests.support.board_events import SAMPLES, START_MS, event, said
from wattswarm.kernel import board
from wattswarm.kernel.board.rows import TABLES_OF
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.codes import CODES
from wattswarm.kernel.event import Event, LaneClass
from wattswarm.kernel.ids import Seq
from wattswarm.kernel.payloads.board import write
from wattswarm.kernel.rows import Rows
from wattswarm.kernel.verdict import Ignored
from wattswarm.store.memory_projections import (
    MemoryProjectionReader,
    MemoryProjections,
    MemorySet,
)
from wattswarm.store.projection_reader import ScopeDigest
from wattswarm.store.tables import board_group

KEYS = keys(3, salt=9)
SCOPES = ("global", "group:x")
FIELDS = sorted({name for payload in SAMPLES for name in write(payload)})

scalars: st.SearchStrategy[Value] = st.one_of(
    st.integers(0, 2**53 - 1),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
    st.binary(max_size=33),
    st.booleans(),
)
values: st.SearchStrategy[Value] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
kinds = st.sampled_from(sorted(board.KINDS))
anything = st.dictionaries(st.sampled_from([*FIELDS, "surprise"]), values, max_size=8)


@st.composite
def almost_right(draw: st.DrawFn) -> Event:
    """Return a sample with a few fields changed or taken away."""
    payload = draw(st.sampled_from(SAMPLES))
    wrong = draw(st.dictionaries(st.sampled_from(FIELDS), values, max_size=2))
    fields = {**write(payload), **wrong}
    for name in draw(st.lists(st.sampled_from(FIELDS), max_size=2)):
        fields.pop(name, None)
    return event(payload.kind, fields)


@given(kinds, anything, st.sampled_from(list(LaneClass)))
def test_any_payload_gets_a_verdict(
    kind: str, fields: Mapping[str, Value], lane_class: LaneClass
) -> None:
    check(event(kind, fields, lane_class=lane_class))


@given(almost_right())
def test_a_payload_that_is_almost_right_gets_a_verdict(made: Event) -> None:
    check(made)


def check(made: Event) -> None:
    verdict = board.judge(made)
    rows = board.rows(made)
    assert rows.keys() == {*TABLES_OF[made.kind], "board_verdicts"}
    if isinstance(verdict, Ignored):
        assert verdict.code in CODES
        assert len(rows["board_verdicts"]) == 1
        assert sum(map(len, rows.values())) == 1
    else:
        assert write(verdict) == made.payload
        assert rows["board_verdicts"] == ()


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Return events of few keys, authors, scopes and revisions, most of them right."""
    made: list[Event] = []
    for _ in range(draw(st.integers(1, 12))):
        payload = draw(st.sampled_from(SAMPLES))
        if hasattr(payload, "revision"):
            payload = attrs.evolve(payload, revision=draw(st.integers(1, 3)))
        flaw: dict[str, Value] = {"surprise": 1} if draw(st.integers(0, 9)) == 0 else {}
        made.append(
            said(
                payload,
                scope=draw(st.sampled_from(SCOPES)),
                key=draw(st.sampled_from(KEYS)),
                at_ms=START_MS + draw(st.integers(0, 2)),
                **flaw,
            )
        )
    return made


@attrs.frozen
class Statements:
    """Voids what it names."""

    names: frozenset[bytes]

    def voids(self, event: Event) -> str | None:
        return "revoked" if event.event_id in self.names else None


def projected(
    events: Sequence[Event], voids: board.Statements = board.NOTHING_VOIDED
) -> tuple[Mapping[bytes, Rows], Mapping[str, ScopeDigest]]:
    """Return the rows by group, and the digests of all scopes, of events as they came."""
    target = MemorySet()
    writer = MemoryProjections(target)
    for seq, each in enumerate(events):
        group = board_group(each.event_id, each.scope, board.rows(each, voids))
        writer.advance("t", 0, expected=Seq(seq), seq=Seq(seq + 1), groups=[group])
    rows = {name: group.rows for name, group in target.groups.items()}
    return rows, MemoryProjectionReader(target).derived().scopes


@given(histories(), st.randoms(use_true_random=False))
def test_any_order_and_any_duplicates_give_the_same_rows_and_digests(
    events: list[Event], rng: random.Random
) -> None:
    again = [*events, *rng.choices(events, k=len(events))]
    rng.shuffle(again)
    assert projected(again) == projected(events)


@given(histories(), st.data())
def test_a_statement_changes_the_rows_of_what_it_names_and_of_nothing_else(
    events: list[Event], data: st.DataObject
) -> None:
    named = data.draw(st.sampled_from(events)).event_id
    before, _ = projected(events)
    after, _ = projected([*events, *events], Statements(frozenset({named})))
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {b"b" + named}
    restored, _ = projected(events)
    assert restored == before
