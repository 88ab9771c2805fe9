"""Events of the board are judged by themselves: form, class, scope, and what a statement voids."""

import attrs
import pytest

from tests.support.board_events import BODY, NAME, ROOT, SAMPLES, START_MS, event, said
from tests.support.scene import Scene, local_scene
from wattswarm.kernel import board, payloads
from wattswarm.kernel.board.rows import TABLES_OF
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.codes import CODES
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Event, LaneClass
from wattswarm.kernel.payloads import board as forms
from wattswarm.kernel.payloads.board import BoardPayload, TopicMessagePosted, write
from wattswarm.kernel.rows import TABLES
from wattswarm.kernel.verdict import Ignored

OPTIONAL = {
    "text",
    "body",
    "reply_to",
    "gossip_kinds",
    "provides",
    "retention_ms",
    "summary",
    "detail",
}
WRONG: tuple[Value, ...] = ({}, -1, "", b"", True, [[]], ["x"])
each_sample = pytest.mark.parametrize("payload", SAMPLES, ids=lambda each: each.kind)


@attrs.frozen
class Statement:
    """Voids the events that it names."""

    code: str
    names: frozenset[bytes]

    def voids(self, event: Event) -> str | None:
        return self.code if event.event_id in self.names else None


def test_samples_cover_every_kind_and_no_kind_is_of_a_task() -> None:
    assert {payload.kind for payload in SAMPLES} == forms.KINDS == board.KINDS.keys()
    assert forms.KINDS.isdisjoint(payloads.KINDS)
    assert TABLES.keys().isdisjoint(board.TABLES)
    assert {name for names in TABLES_OF.values() for name in names} < board.TABLES.keys()


def test_the_codes_and_keys_of_the_table_exist() -> None:
    for kind in board.KINDS.values():
        assert set(kind.codes) <= CODES.keys()
        assert set(kind.last_writer) <= kind.form.required.keys()
        assert ("revision" in kind.form.required) == bool(kind.last_writer)


@each_sample
def test_what_was_written_is_read_again_and_takes_effect(payload: BoardPayload) -> None:
    made = said(payload)
    assert board.judge(made) == payload
    assert board.rows(made)["board_verdicts"] == ()


@each_sample
def test_rows_have_the_columns_of_their_tables(payload: BoardPayload) -> None:
    made = said(payload)
    found = board.rows(made)
    assert found.keys() == {*TABLES_OF[payload.kind], "board_verdicts"}
    for name, rows in found.items():
        shape = board.TABLES[name]
        for row in rows:
            assert len(row) == len(shape.of)
            assert row[0] == made.event_id
        keys = [row[: len(shape.key)] for row in rows]
        assert keys == sorted(set(keys), key=repr)
    assert sum(map(len, found.values())) >= 1


@each_sample
def test_an_unknown_field_is_an_error(payload: BoardPayload) -> None:
    assert board.judge(said(payload, surprise=1)) == Ignored("unknown_field")


@each_sample
def test_another_class_of_lane_is_ignored(payload: BoardPayload) -> None:
    right = board.KINDS[payload.kind].lane_class
    for other in set(LaneClass) - {right}:
        made = event(payload.kind, write(payload), lane_class=other)
        assert board.judge(made) == Ignored("wrong_class")
        (row,) = board.rows(made)["board_verdicts"]
        assert row[-2:] == (payload.kind, "wrong_class")


@each_sample
def test_no_required_field_may_be_missing_and_none_be_of_another_type(
    payload: BoardPayload,
) -> None:
    fields = dict(write(payload))
    for name in fields:
        rest = {key: value for key, value in fields.items() if key != name}
        if name not in OPTIONAL:
            with pytest.raises(Malformed, match=name):
                forms.read(payload.kind, rest)
        for wrong in WRONG:
            if type(wrong) is type(fields[name]) is bool or (name, wrong) == ("summary", ""):
                continue
            with pytest.raises(Malformed, match=r"\$\.payload"):
                forms.read(payload.kind, {**fields, name: wrong})


LANE: Value = ["global", "work", START_MS, 3, ROOT]


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("TOPIC_MESSAGE_POSTED", "feed_key", "a b"),
        ("TOPIC_MESSAGE_POSTED", "feed_key", "x" * 129),
        ("TOPIC_MESSAGE_POSTED", "text", "x" * 2_049),
        ("TOPIC_MESSAGE_POSTED", "text", "ä" * 1_025),
        ("TOPIC_MESSAGE_POSTED", "reply_to", b"n" * 31),
        ("TOPIC_MESSAGE_POSTED", "body", {**BODY.to_payload(), "size_bytes": 0}),
        ("TOPIC_MESSAGE_POSTED", "body", {**BODY.to_payload(), "digest": "sha256:" + "0" * 64}),
        ("FEED_SUBSCRIPTION_UPDATED", "revision", 2**53),
        ("FEED_SUBSCRIPTION_UPDATED", "gossip_kinds", ["gossip"]),
        ("FEED_SUBSCRIPTION_UPDATED", "gossip_kinds", ["messages", "events"]),
        ("FEED_SUBSCRIPTION_UPDATED", "gossip_kinds", ["events", "events"]),
        ("FEED_SUBSCRIPTION_UPDATED", "provides", ["everything"]),
        ("TASK_ANNOUNCED", "announcement_key", ""),
        ("TASK_ANNOUNCED", "summary", "x" * 2_049),
        ("EXECUTION_INTENT_DECLARED", "intent", " "),
        ("EXECUTION_INTENT_DECLARED", "role_hint", "x" * 129),
        ("EXECUTION_SET_CONFIRMED", "members", []),
        ("EXECUTION_SET_CONFIRMED", "members", [[b"a" * 32]]),
        ("EXECUTION_SET_CONFIRMED", "members", [[b"a" * 32, "x"], [b"a" * 32, "y"]]),
        ("EXECUTION_SET_CONFIRMED", "members", [[b"b" * 32, "x"], [b"a" * 32, "y"]]),
        ("EXECUTION_SET_CONFIRMED", "members", [[b"a" * 31, "x"]]),
        ("CHECKPOINT_CREATED", "lanes", []),
        ("CHECKPOINT_CREATED", "lanes", [LANE, LANE]),
        ("CHECKPOINT_CREATED", "lanes", [["global", "work", START_MS, 3]]),
        ("CHECKPOINT_CREATED", "lanes", [["everywhere", "work", START_MS, 3, ROOT]]),
        ("CHECKPOINT_CREATED", "lanes", [["global", "bulk", START_MS, 3, ROOT]]),
        ("CHECKPOINT_CREATED", "lanes", [["global", "work", 2**48, 3, ROOT]]),
        ("CHECKPOINT_CREATED", "lanes", [["global", "work", START_MS, -1, ROOT]]),
        ("CHECKPOINT_CREATED", "lanes", [["global", "work", START_MS, 3, b"r"]]),
    ],
)
def test_values_out_of_bounds_are_bad_fields(kind: str, field: str, value: Value) -> None:
    sample = next(each for each in SAMPLES if each.kind == kind)
    with pytest.raises(Malformed) as caught:
        forms.read(kind, {**write(sample), field: value})
    assert caught.value.code == "bad_field"
    assert caught.value.path.startswith(f"$.payload.{field}")


def test_a_message_has_a_text_or_a_body_and_one_of_them_only() -> None:
    assert board.judge(event("TOPIC_MESSAGE_POSTED", {"feed_key": "f"})) == Ignored("bad_field")
    both = TopicMessagePosted(feed_key="f", text="a")
    assert board.judge(said(both, body=BODY.to_payload())) == Ignored("inconsistent")


def test_a_text_may_be_as_long_as_the_limit_says() -> None:
    assert board.judge(said(TopicMessagePosted(feed_key="f", text="x" * 2_048)))


@pytest.mark.parametrize(
    ("scope", "lane", "verdict"),
    [
        ("global", "group:x", None),
        ("group:x", "group:x", None),
        ("group:x", "group:y", "lane_out_of_scope"),
        ("group:x", "global", "lane_out_of_scope"),
    ],
)
def test_a_checkpoint_states_lanes_of_its_own_scope(
    scope: str, lane: str, verdict: str | None
) -> None:
    fields: dict[str, Value] = {
        "seq": 1,
        "chain": ROOT,
        "lanes": [[lane, "work", START_MS, 1, ROOT]],
    }
    found = board.judge(event("CHECKPOINT_CREATED", fields, scope=scope))
    assert (found.code if isinstance(found, Ignored) else None) == verdict


@each_sample
@pytest.mark.parametrize("code", ["revoked", "penalized"])
def test_a_statement_takes_the_effect_away_and_gives_it_back(
    payload: BoardPayload, code: str
) -> None:
    made = said(payload)
    voids = Statement(code, frozenset({made.event_id}))
    assert board.judge(made, voids) == Ignored(code)
    rows = dict(board.rows(made, voids))
    assert [row[-1] for row in rows.pop("board_verdicts")] == [code]
    assert not any(rows.values())
    assert board.rows(made, Statement(code, frozenset({NAME}))) == board.rows(made)


def test_what_is_wrong_with_an_event_itself_comes_before_what_a_statement_says() -> None:
    made = said(SAMPLES[0], surprise=1)
    voids = Statement("revoked", frozenset({made.event_id}))
    assert board.judge(made, voids) == Ignored("unknown_field")


@each_sample
def test_an_event_of_the_board_that_names_a_task_outside_its_payload_is_ignored_there(
    payload: BoardPayload,
) -> None:
    scene: Scene = local_scene()
    name = scene.utter(payload.kind, dict(write(payload)))
    assert scene.verdict(name) == Ignored("board_in_task")
