"""Frames, messages and credits: round trips, and any bytes at all."""

from contextlib import suppress

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattswarm.actors.runtime import (
    BadWire,
    Down,
    Execution,
    Refused,
    RemoteFailure,
    Request,
    TooSlow,
    message,
)
from wattswarm.actors.runtime.boxing import box, unbox
from wattswarm.actors.runtime.credit import ReceiveCredit, SendCredit
from wattswarm.actors.runtime.frame import (
    FRAME_BYTES_MAX,
    HEADER_BYTES,
    Frame,
    FrameParser,
    FrameType,
    encode_frame,
)
from wattswarm.actors.runtime.message import copy_answer, copy_by_wire, decode, encode


@attrs.frozen
class Point:
    x: int
    name: str


@message(tag=0xEF01)
class Leaf:
    value: int


@message(tag=0xEF02)
class Other:
    text: str


@message(tag=0xEF03)
class Rich(Request[tuple[int, ...]]):
    count: int
    raw: bytes
    text: str | None
    points: tuple[Point, ...]
    by_name: dict[str, int]
    child: Leaf | Other | None


numbers = st.integers(-(2**63), 2**63 - 1)
points = st.builds(Point, numbers, st.text())
children = st.one_of(st.none(), st.builds(Leaf, numbers), st.builds(Other, st.text()))
rich = st.builds(
    Rich,
    count=numbers,
    raw=st.binary(),
    text=st.none() | st.text(),
    points=st.lists(points).map(tuple),
    by_name=st.dictionaries(st.text(), numbers),
    child=children,
)
frames = st.builds(
    Frame,
    st.sampled_from(FrameType),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
    st.binary(max_size=300),
)


@given(rich)
def test_a_message_is_the_same_on_the_other_side(value):
    assert copy_by_wire(value) == value


@given(st.binary())
def test_any_bytes_are_a_message_or_bad_wire(raw):
    with suppress(BadWire):
        decode(raw)


@given(rich, st.data())
def test_a_damaged_message_is_a_message_or_bad_wire(value, data):
    raw = bytearray(encode(value))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadWire):
        decode(bytes(raw))


@given(rich, st.binary(min_size=1))
def test_nothing_may_follow_a_message(value, more):
    with pytest.raises(BadWire):
        decode(encode(value) + more)


@given(st.lists(numbers).map(tuple))
def test_an_answer_keeps_its_type(answer):
    request = Rich(0, b"", None, (), {}, None)
    assert copy_answer(answer, type(request)) == answer


@given(st.lists(frames, max_size=8), st.lists(st.integers(1, 200), min_size=1))
def test_frames_arrive_whole_however_the_stream_is_cut(sent, cuts):
    stream = b"".join(encode_frame(f.type, f.channel, f.id, f.body) for f in sent)
    parser, received, at, turn = FrameParser(), [], 0, 0
    while at < len(stream):
        size = cuts[turn % len(cuts)]
        received += parser.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert received == sent
    assert parser.is_between_frames


@given(frames, st.data())
def test_a_flipped_bit_never_gets_through(frame, data):
    raw = bytearray(encode_frame(frame.type, frame.channel, frame.id, frame.body))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(BadWire):
        assert FrameParser().feed(bytes(raw)) == []  # a longer length: it waits for the rest


@given(st.binary())
def test_any_bytes_are_frames_or_bad_wire(raw):
    with suppress(BadWire):
        FrameParser().feed(raw)


def test_a_length_beyond_the_limit_is_refused_before_its_body_comes():
    header = bytearray(encode_frame(FrameType.TELL, 1, 1))
    header[0:4] = (FRAME_BYTES_MAX + 1).to_bytes(4, "little")
    assert len(header) == HEADER_BYTES
    with pytest.raises(BadWire):
        FrameParser().feed(bytes(header))


def test_too_large_a_body_is_our_own_bug():
    with pytest.raises(ValueError, match="at most"):
        encode_frame(FrameType.TELL, 1, 1, bytes(FRAME_BYTES_MAX + 1))


failures = st.one_of(
    st.builds(
        Refused, actor=st.text(), reason=st.text(), retry_after_s=st.none() | st.floats(0, 9)
    ),
    st.builds(Down, actor=st.text(), execution=st.sampled_from(Execution), reason=st.text()),
    st.builds(TooSlow, actor=st.text(), deadline_s=st.floats(0, 9)),
    st.builds(
        RemoteFailure,
        actor=st.text(),
        incarnation=st.integers(0, 2**31),
        kind=st.text(),
        message=st.text(),
        traceback=st.text(),
    ),
)


@given(failures)
def test_a_failure_says_the_same_on_the_other_side(failure):
    other = unbox(box(failure))
    assert type(other) is type(failure)
    assert str(other) == str(failure)


@given(st.binary())
def test_any_bytes_are_a_failure_or_bad_wire(raw):
    with suppress(BadWire):
        unbox(raw)


@given(
    st.integers(1, 300),
    st.lists(st.sampled_from(("send", "arrive", "place", "grant")), max_size=400),
)
def test_credits_never_let_more_than_a_window_be_under_way_and_never_run_dry(window, steps):
    sender, receiver = SendCredit(window), ReceiveCredit(window)
    flying = placed_waiting = 0
    grants = []
    for step in steps:
        if step == "send" and sender.take():
            flying += 1
        elif step == "arrive" and flying:
            flying -= 1
            placed_waiting += 1
            assert receiver.come(), "a sender that takes credits never exceeds the window"
        elif step == "place" and placed_waiting:
            placed_waiting -= 1
            if granted := receiver.settle():
                grants.append(granted)
        elif step == "grant" and grants:
            sender.grant(grants.pop(0))
        assert flying + placed_waiting <= window
    while flying:
        flying -= 1
        placed_waiting += 1
        receiver.come()
    while placed_waiting:
        placed_waiting -= 1
        if granted := receiver.settle():
            grants.append(granted)
    for granted in grants:
        sender.grant(granted)
    assert sender.left * 2 >= window or sender.left >= 1, "credit comes back"


def test_a_field_that_cannot_be_checked_is_our_own_bug():
    @message(tag=0xEF04)
    class Odd:
        value: str | bytes

    with pytest.raises(TypeError):
        encode(Odd("x"))


def test_a_tag_belongs_to_one_class():
    with pytest.raises(AssertionError):

        @message(tag=0xEF01)
        class Impostor:
            value: int


def test_another_version_of_a_message_is_refused():
    raw = bytearray(encode(Leaf(1)))
    raw[4] = 2
    with pytest.raises(BadWire, match="version"):
        decode(bytes(raw))
