"""Frames and messages: what is written is read, and what no peer may write is refused."""

import attrs
import pytest

from tests.support.sync_messages import MESSAGES, SHARED
from wattswarm.kernel import canonical
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import LaneClass
from wattswarm.kernel.ids import EventId, Seq
from wattswarm.kernel.limits import (
    SYNC_BATCH_BYTES_MAX,
    SYNC_BATCH_EVENTS_MAX,
    SYNC_FRAME_BYTES_MAX,
    SYNC_IDS_MAX,
    SYNC_LANES_MAX,
    SYNC_NODES_MAX,
    UINT_MAX,
)
from wattswarm.transport.proto.sync.frames import Frame, FrameReader
from wattswarm.transport.proto.sync.frames import encode as framed
from wattswarm.transport.proto.sync.lane import LaneId, LaneState, cut_at, lane_id
from wattswarm.transport.proto.sync.messages import (
    BATCH_FRAME_BYTES_MAX,
    FORMS,
    Batch,
    Beat,
    Fin,
    Ids,
    Message,
    Since,
    Want,
    decode,
    encode,
)
from wattswarm.transport.proto.sync.packing import Unpacker, packed
from wattswarm.transport.proto.sync.step import CUT_ITEMS_MAX, Cut, Item, Shorts, Step

TAG = b"t" * 8


def refused(frame: Frame) -> str:
    with pytest.raises(Malformed) as caught:
        decode(frame)
    return caught.value.code


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_a_message_survives_its_encoding(name: str) -> None:
    message = MESSAGES[name]
    assert decode(encode(message)) == message


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_a_message_that_is_cut_short_or_goes_on_is_refused(name: str) -> None:
    frame = encode(MESSAGES[name])
    for size in range(len(frame.body)):
        assert refused(attrs.evolve(frame, body=frame.body[:size]))
    assert refused(attrs.evolve(frame, body=frame.body + b"\0"))


def test_a_frame_of_an_unknown_type_says_nothing() -> None:
    assert decode(Frame(0x7F, b"anything")) is None


def test_a_frame_that_is_too_large_is_refused_before_it_arrives() -> None:
    reader = FrameReader()
    assert list(reader.feed((SYNC_FRAME_BYTES_MAX).to_bytes(4, "big"))) == []
    with pytest.raises(Malformed, match="at most 65536") as caught:
        list(FrameReader().feed((SYNC_FRAME_BYTES_MAX + 1).to_bytes(4, "big")))
    assert caught.value.code == "too_large"


def test_a_frame_without_a_type_is_refused() -> None:
    with pytest.raises(Malformed, match="without a type"):
        list(FrameReader().feed(bytes(4)))


def test_frames_before_a_broken_one_have_been_read() -> None:
    whole = framed(Frame(9, b"x"))
    reader = FrameReader()
    frames = reader.feed(whole + bytes(4))
    assert next(frames) == Frame(9, b"x")
    with pytest.raises(Malformed):
        next(frames)


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**32, UINT_MAX])
def test_an_integer_survives_its_packing(value: int) -> None:
    assert Unpacker(packed(value)).integer() == value


@pytest.mark.parametrize("wire", [b"\x80\x00", b"\xff" * 8, b"\x80" * 9, b"\x80"])
def test_an_integer_has_one_form(wire: bytes) -> None:
    with pytest.raises(Malformed):
        Unpacker(wire).integer()


def test_a_lane_is_named_by_its_scope_and_its_class() -> None:
    names = {lane_id(scope, one) for scope in ("global", "group:a") for one in LaneClass}
    assert len(names) == 6
    assert all(len(name) == 8 for name in names)


def test_a_cut_is_some_seconds_ago_and_falls_on_the_same_dates_everywhere() -> None:
    cut = cut_at(1_790_000_000_000)
    assert cut % 4_096 == 0
    assert 15_000 <= 1_790_000_000_000 - cut < 15_000 + 4_096
    assert cut_at(10) == 0


def lane_states(count: int) -> tuple[LaneState, ...]:
    return tuple(
        LaneState(lane=LaneId(at.to_bytes(8, "big")), events=1, root=b"r" * 16, head=Seq(1))
        for at in range(count)
    )


def test_a_beat_has_so_many_lanes_and_each_once() -> None:
    most = Beat(cut=UINT_MAX // 64, lanes=lane_states(SYNC_LANES_MAX))
    assert decode(encode(most)) == most
    assert len(framed(encode(most))) <= SYNC_FRAME_BYTES_MAX
    beyond = Beat(cut=0, lanes=lane_states(SYNC_LANES_MAX + 1))
    assert refused(encode(beyond)) == "too_many"
    twice = Beat(cut=0, lanes=lane_states(1) * 2)
    assert refused(encode(twice)) == "inconsistent"


def test_the_largest_page_of_ids_fits_into_a_frame() -> None:
    step = 2**14
    ids = tuple((Seq(at * step), EventId(bytes(32))) for at in range(1, SYNC_IDS_MAX + 1))
    page = Ids(lane=SHARED, after=Seq(0), up_to=ids[-1][0], has_more=True, ids=ids)
    assert len(framed(encode(page))) <= SYNC_FRAME_BYTES_MAX
    assert decode(encode(page)) == page


def test_pages_that_contradict_themselves_are_refused() -> None:
    still = Ids(lane=SHARED, after=Seq(5), up_to=Seq(5), has_more=True, ids=())
    assert refused(encode(still)) == "inconsistent"
    one = (Seq(6), EventId(bytes(32)))
    twice = Ids(lane=SHARED, after=Seq(5), up_to=Seq(9), has_more=False, ids=(one, one))
    assert refused(encode(twice)) == "inconsistent"
    beyond = Ids(lane=SHARED, after=Seq(5), up_to=Seq(5), has_more=False, ids=(one,))
    assert refused(encode(beyond)) == "bad_value"
    nothing = Since(lane=SHARED, after=Seq(0), limit=0)
    assert refused(encode(nothing)) == "bad_value"


def test_what_is_wanted_has_a_bound_and_is_wanted_once() -> None:
    ids = tuple(EventId(at.to_bytes(32, "big")) for at in range(SYNC_BATCH_EVENTS_MAX + 1))
    assert decode(encode(Want(request=1, ids=ids[1:]))) is not None
    assert refused(encode(Want(request=1, ids=ids))) == "too_many"
    assert refused(encode(Want(request=1, ids=(ids[0], ids[0])))) == "inconsistent"
    assert refused(encode(Want(request=1, ids=()))) == "inconsistent"


def test_a_batch_has_a_bound_in_events_and_in_bytes() -> None:
    event = b"e" * (SYNC_BATCH_BYTES_MAX // 4)
    full = Batch(request=0, events=(event,) * 4)
    wire = framed(encode(full))
    (frame,) = FrameReader(BATCH_FRAME_BYTES_MAX).feed(wire)
    assert decode(frame) == full
    assert refused(encode(Batch(request=0, events=(*full.events, b"e")))) == "too_large"
    many = Batch(request=0, events=(b"e",) * (SYNC_BATCH_EVENTS_MAX + 1))
    assert refused(encode(many)) == "too_many"


def step(**parts: object) -> Frame:
    empty = Step(session=1, turn=0, lane=SHARED, cut=0)
    return encode(attrs.evolve(empty, **parts))


def cut(parent: str, *items: tuple[str, int]) -> Cut:
    return Cut(parent, tuple(Item(prefix, count, TAG) for prefix, count in items))


@pytest.mark.parametrize(
    "cuts",
    [
        (cut("", ("2", 1), ("1", 1)),),
        (cut("", ("1", 1), ("1", 1)),),
        (cut("", ("1", 1), ("12", 1)),),
        (cut("1", ("2", 1)),),
        (cut("1", ("10", 0)),),
        (cut("", ("0" * 76, 2)),),
        (cut("2"), cut("1")),
        (cut("1"), cut("12")),
    ],
    ids=["descends", "twice", "overlaps", "elsewhere", "empty", "too many", "parents", "nested"],
)
def test_a_step_whose_nodes_contradict_each_other_is_refused(cuts: tuple[Cut, ...]) -> None:
    assert refused(step(cuts=cuts)) == "inconsistent"


def test_short_ids_ascend() -> None:
    for shorts in ((TAG, TAG), (TAG, b"a" * 8)):
        assert refused(step(lists=(Shorts("1", shorts),))) == "inconsistent"
        assert refused(step(picks=(Shorts("1", shorts),))) == "inconsistent"


def test_a_list_has_no_more_ids_than_a_leaf_has_keys() -> None:
    shorts = tuple(at.to_bytes(8, "big") for at in range(65))
    assert decode(step(lists=(Shorts("1", shorts[1:]),))) is not None
    assert refused(step(lists=(Shorts("1", shorts),))) == "too_many"


def test_a_step_has_a_bound_on_its_nodes() -> None:
    lists = tuple(Shorts(f"{at:04x}", ()) for at in range(SYNC_NODES_MAX + 1))
    assert decode(step(lists=lists[1:])) is not None
    assert refused(step(lists=lists)) == "too_many"
    assert refused(step(lists=lists[1:1_025], picks=lists[:1_025])) == "too_many"


def test_a_node_is_divided_into_no_more_than_so_many() -> None:
    items = tuple((f"{at:02x}", 1) for at in range(CUT_ITEMS_MAX + 1))
    assert decode(step(cuts=(cut("", *items[1:]),))) is not None
    assert refused(step(cuts=(cut("", *items),))) == "too_many"


def test_half_a_byte_beyond_a_prefix_is_zero() -> None:
    whole = step(lists=(Shorts("1", ()),)).body
    at = whole.index(b"\x00\x01\x10")
    assert refused(Frame(Step.TYPE, whole[: at + 2] + b"\x11" + whole[at + 3 :])) == "inconsistent"


def test_a_turn_beyond_the_last_is_refused() -> None:
    assert refused(step(turn=8)) == "bad_value"


def test_a_prefix_that_shares_more_than_there_is_is_refused() -> None:
    whole = step(lists=(Shorts("1", ()),)).body
    at = whole.index(b"\x00\x01\x10")
    assert refused(Frame(Step.TYPE, whole[:at] + b"\x01" + whole[at + 1 :])) == "inconsistent"


def test_the_end_of_a_session_names_the_session() -> None:
    end = Fin(session=7, lane=SHARED, cut=4_096, events=3, root=b"r" * 16)
    assert encode(end).body.startswith(b"\0\0\0\x07" + SHARED)


def hello(**changes: canonical.Value) -> Frame:
    whole = canonical.decode(MESSAGES["hello"].encode(), bytes_max=SYNC_FRAME_BYTES_MAX)
    assert isinstance(whole, dict)
    return Frame(0x01, canonical.encode({**whole, **changes}))


def test_what_a_later_version_adds_to_a_hello_is_ignored() -> None:
    assert decode(hello(later=["something"])) == MESSAGES["hello"]


def test_a_hello_is_read_strictly() -> None:
    lane = [SHARED, 1, b"r" * 16, 1]
    assert refused(hello(network_id="no network")) == "bad_field"
    assert refused(hello(lanes=[lane[:3]])) == "bad_field"
    assert refused(hello(lanes=[lane, lane])) == "inconsistent"
    assert refused(hello(nonce=b"short")) == "bad_field"
    assert refused(hello(capabilities=["x"] * 33)) == "bad_field"
    assert refused(Frame(0x01, canonical.encode([]))) == "bad_field"
    assert refused(Frame(0x09, canonical.encode({"retry_after_ms": 10**9}))) == "bad_field"


def test_every_message_is_tried() -> None:
    tried: set[type[Message]] = {type(message) for message in MESSAGES.values()}
    assert tried == set(FORMS.values())
