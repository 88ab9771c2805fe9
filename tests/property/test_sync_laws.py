"""Laws of synchronising: any two sets become their union, and nobody's frames make a mess."""

import random
from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.lane_set import (
    ACCEPTOR,
    DIALER,
    END_MS,
    LANE,
    NOW_MS,
    LaneSet,
    Meeting,
    random_key,
)
from wattswarm.kernel import radix_trie
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import SYNC_FRAME_BYTES_MAX
from wattswarm.transport.proto.sync.descent import KEYS_MAX, Session, respond
from wattswarm.transport.proto.sync.frames import Frame, FrameReader
from wattswarm.transport.proto.sync.frames import encode as framed
from wattswarm.transport.proto.sync.messages import decode, encode
from wattswarm.transport.proto.sync.session_key import session_key
from wattswarm.transport.proto.sync.step import CUT_ITEMS_MAX, TURNS_MAX, Cut, Item, Step
from wattswarm.transport.proto.sync.trie_view import READS_MAX, View

SESSIONS_MAX = 3
PART_READS_MAX = KEYS_MAX // 16 + 100
"""What one part of a step may still read when the budget has just been kept."""

seeds = st.integers(0, 2**32)
spans = st.sampled_from([1, 200, 60_000, 86_400_000, 90 * 86_400_000])


def keys_of(rng: random.Random, count: int, span_ms: int) -> list[bytes]:
    """Return keys of the time before `NOW_MS`, which is a cut: what has its date is above it."""
    return [random_key(rng, NOW_MS - 1 - rng.randrange(span_ms)) for _ in range(count)]


def converge(meeting: Meeting) -> int:
    """Return how many sessions it takes until both lanes are equal."""
    sessions = 0
    while meeting.beginner.top != meeting.responder.top:
        sessions += 1
        assert sessions <= SESSIONS_MAX
        told = meeting.session()
        assert len(told.sizes) <= TURNS_MAX + 1
    return sessions


@given(seeds, spans, st.integers(0, 4_000), st.floats(0, 1))
@settings(max_examples=40)
def test_two_sets_with_any_overlap_become_their_union(
    seed: int, span_ms: int, count: int, overlap: float
) -> None:
    rng = random.Random(seed)
    whole = keys_of(rng, count, span_ms)
    shared = {key for key in whole if rng.random() < overlap}
    mine = {key for key in whole if key in shared or rng.random() < 0.5}
    theirs = shared | (set(whole) - mine)
    meeting = Meeting(LaneSet.of(mine), LaneSet.of(theirs))
    converge(meeting)
    assert meeting.beginner.keys_held == sorted(set(whole))


@given(seeds, st.integers(0, 150), st.integers(0, 150))
def test_small_sets_become_their_union_in_one_session(seed: int, left: int, right: int) -> None:
    rng = random.Random(seed)
    mine, theirs = keys_of(rng, left, 60_000), keys_of(rng, right, 60_000)
    meeting = Meeting(LaneSet.of(mine), LaneSet.of(theirs))
    meeting.session()
    assert (
        meeting.beginner.top == meeting.responder.top == radix_trie.build(sorted([*mine, *theirs]))
    )


def test_an_empty_node_gets_everything_whoever_begins() -> None:
    whole = keys_of(random.Random(3), 3_000, 86_400_000)
    for beginner, responder in (([], whole), (whole, [])):
        meeting = Meeting(LaneSet.of(beginner), LaneSet.of(responder))
        assert converge(meeting) == 1


def test_a_difference_that_no_step_can_hold_is_taken_up_turn_by_turn() -> None:
    rng = random.Random(10)
    whole = keys_of(rng, 9_000, 90 * 86_400_000)
    mine, theirs = whole[:6_000], whole[3_000:]
    meeting = Meeting(LaneSet.of(mine), LaneSet.of(theirs))
    told = meeting.session()
    assert max(told.sizes) <= SYNC_FRAME_BYTES_MAX + 4
    assert len(told.sizes) > 5, "a smaller difference is dealt with in four turns"
    assert converge(meeting) <= SESSIONS_MAX - 1


def test_ten_thousand_events_of_one_millisecond_are_told_apart() -> None:
    rng = random.Random(4)
    whole = [random_key(rng, NOW_MS) for _ in range(10_000)]
    lacking = set(rng.sample(whole, 20))
    meeting = Meeting(LaneSet.of(whole), LaneSet.of(set(whole) - lacking))
    told = meeting.session()
    assert told.to_responder == lacking
    assert told.to_beginner == set()
    assert meeting.beginner.top == meeting.responder.top


def test_an_old_event_that_arrives_late_costs_its_path_and_no_more() -> None:
    rng = random.Random(5)
    whole = keys_of(rng, 20_000, 90 * 86_400_000)
    late = random_key(rng, NOW_MS - 365 * 86_400_000)
    meeting = Meeting(LaneSet.of([*whole, late]), LaneSet.of(whole))
    told = meeting.session()
    assert told.to_responder == {late}
    assert told.bytes_sent < 2_000


def test_equal_lanes_say_that_they_are_equal_in_one_answer() -> None:
    """A session is not even begun when roots are equal; one that is ends at once."""
    whole = keys_of(random.Random(6), 5_000, 86_400_000)
    told = Meeting(LaneSet.of(whole), LaneSet.of(whole)).session()
    assert not told.to_beginner | told.to_responder
    assert len(told.sizes) == 3
    assert sum(told.sizes[1:]) < 80


@given(seeds, st.integers(1, 4))
@settings(max_examples=20)
def test_events_that_arrive_during_a_session_do_no_harm(seed: int, turns: int) -> None:
    rng = random.Random(seed)
    whole = keys_of(rng, 1_000, 60_000)
    missing = set(whole[:50])
    meeting = Meeting(LaneSet.of(whole), LaneSet.of(set(whole) - missing))
    arrivals = [
        (set(keys_of(rng, 20, 60_000)), set(keys_of(rng, 20, 60_000))) for _ in range(turns)
    ]
    told = meeting.session(arrivals)
    assert told.to_responder >= missing - told.to_beginner
    converge(meeting)


@given(seeds, st.integers(0, 2_000))
@example(674131, 0)
@settings(max_examples=30)
def test_what_is_dated_above_the_cut_is_not_spoken_of(seed: int, above: int) -> None:
    rng = random.Random(seed)
    old = keys_of(rng, rng.randrange(300), 60_000)
    fresh = [random_key(rng, NOW_MS + rng.randrange(1_000)) for _ in range(above)]
    lane = LaneSet.of([*old, *fresh])
    assert View(lane, NOW_MS).root == radix_trie.build(sorted(key for key in old))
    meeting = Meeting(lane, LaneSet.of(old[:10]), cut=NOW_MS)
    told = meeting.session()
    assert told.to_responder == set(old[10:])


@given(seeds, st.integers(0, 400), st.integers(0, 76))
@settings(max_examples=60)
def test_a_view_below_a_cut_is_the_trie_of_what_is_below_it(
    seed: int, count: int, depth: int
) -> None:
    rng = random.Random(seed)
    lane = LaneSet.of(keys_of(rng, count, rng.choice([1, 500, 60_000])))
    cut = NOW_MS - rng.randrange(600)
    below = [key for key in lane.keys_held if int.from_bytes(key[:6], "big") < cut]
    view = View(lane, cut)
    assert view.root == radix_trie.build(below)
    prefix = rng.choice(lane.keys_held or [bytes(38)]).hex()[:depth]
    inside = [key for key in below if key.hex().startswith(prefix)]
    pages = LaneSet.of(below).pages
    assert view.summary(prefix) == (
        radix_trie.node(pages[prefix]) if prefix in pages else radix_trie.leaf(inside)
    )
    assert list(view.keys(prefix, 10)) == inside[:10]
    nodes = view.divide(prefix, 5)
    assert sum(there.count for _, there in nodes) == len(inside)
    assert all(there == view.summary(at) for at, there in nodes)
    some = [at for at, _ in nodes][::2]
    rest = [key for key in inside if not key.hex().startswith(tuple(some))]
    assert list(view.outside(prefix, some, 10_000)) == rest


# --- hostile authors ----------------------------------------------------------------------------


def xor_of(keys: Sequence[bytes]) -> bytes:
    total = 0
    for key in keys:
        total ^= int.from_bytes(key[6:], "big")
    return total.to_bytes(32, "big")


def test_sets_that_were_made_to_have_one_sum_and_one_xor_are_told_apart() -> None:
    """a + d and b − d have the sum of a and b; disjoint bits have the XOR as well."""
    date = NOW_MS.to_bytes(6, "big")
    rng = random.Random(7)
    shared = [random_key(rng, NOW_MS) for _ in range(200)]
    a, b, bit = 1 << 200, 1 << 100, 1 << 50
    mine = [date + number.to_bytes(32, "big") for number in (a, b | bit)]
    theirs = [date + number.to_bytes(32, "big") for number in (a | bit, b)]
    assert xor_of(mine) == xor_of(theirs)
    assert sum(int.from_bytes(key[6:], "big") for key in mine) == sum(
        int.from_bytes(key[6:], "big") for key in theirs
    )
    meeting = Meeting(LaneSet.of([*shared, *mine]), LaneSet.of([*shared, *theirs]))
    assert meeting.beginner.top.digest != meeting.responder.top.digest
    told = meeting.session()
    assert (told.to_responder, told.to_beginner) == (set(mine), set(theirs))


# --- hostile peers ------------------------------------------------------------------------------


def steps_of(rng: random.Random) -> list[Step]:
    """Return the steps of a session, as the responder gets them."""
    whole = keys_of(rng, 1_500, 86_400_000)
    mine, theirs = LaneSet.of(whole[100:]), LaneSet.of(whole[:-100])
    key = session_key(DIALER, ACCEPTOR, 1)
    session = Session(1, LANE, END_MS, key)
    steps = [session.open(View(mine, END_MS))]
    while not steps[-1].is_empty:
        answer = respond(steps[-1], View(theirs, END_MS), key)
        steps.append(session.take(answer.step, View(mine, END_MS)).step)
    return steps


STEPS = steps_of(random.Random(8))


@given(st.sampled_from(STEPS), seeds)
@settings(max_examples=200)
def test_a_damaged_step_is_refused_or_answered_within_its_bounds(step: Step, seed: int) -> None:
    rng = random.Random(seed)
    body = bytearray(encode(step).body)
    for _ in range(rng.randrange(1, 4)):
        body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
    lane = LaneSet.of(keys_of(random.Random(8), 1_500, 86_400_000))
    try:
        read = decode(Frame(Step.TYPE, bytes(body)))
        assert isinstance(read, Step)
        view = View(lane, read.cut)
        answer = respond(read, view, session_key(DIALER, ACCEPTOR, read.session))
    except Malformed:
        return
    assert view.reads <= READS_MAX + PART_READS_MAX
    assert len(answer.pushed) <= KEYS_MAX
    wire = framed(encode(answer.step))
    if not answer.step.is_empty:
        (frame,) = FrameReader().feed(wire)
        assert decode(frame) == answer.step


def test_a_step_that_names_nodes_everywhere_is_answered_within_its_bounds() -> None:
    """Nodes of many paths, none of them ours; between them lies what the peer claims to lack."""
    rng = random.Random(9)
    whole = keys_of(rng, 20_000, 86_400_000)
    prefixes = sorted(key.hex()[:20] for key in rng.sample(whole, 1_900))
    groups = [prefixes[at : at + CUT_ITEMS_MAX] for at in range(0, 1_900, CUT_ITEMS_MAX)]
    cuts = tuple(
        Cut(_parent(group), tuple(Item(one, 9, b"notatag!") for one in group)) for group in groups
    )
    for one in (cuts, tuple(Cut(at, ()) for at in prefixes)):
        view = View(LaneSet.of(whole), END_MS)
        step = Step(session=1, turn=0, lane=LANE, cut=END_MS, cuts=one)
        answer = respond(step, view, session_key(DIALER, ACCEPTOR, 1))
        assert view.reads <= READS_MAX + PART_READS_MAX
        assert len(answer.pushed) <= KEYS_MAX
        assert len(framed(encode(answer.step))) <= SYNC_FRAME_BYTES_MAX + 4


def _parent(prefixes: Sequence[str]) -> str:
    first, last = prefixes[0], prefixes[-1]
    return next(first[:depth] for depth in range(20, -1, -1) if last.startswith(first[:depth]))


@given(seeds)
@settings(max_examples=30)
def test_a_peer_that_answers_anything_is_asked_no_more_than_four_times(seed: int) -> None:
    rng = random.Random(seed)
    mine = LaneSet.of(keys_of(rng, 500, 60_000))
    key = session_key(DIALER, ACCEPTOR, 1)
    session = Session(1, LANE, END_MS, key)
    step, asked = session.open(View(mine, END_MS)), 0
    while not step.is_empty:
        asked += 1
        liar = LaneSet.of(
            keys_of(rng, rng.choice([0, 10, radix_trie.LEAF_KEYS_MAX + 1, 500]), 60_000)
        )
        answer = respond(step, View(liar, END_MS), key)
        step = session.take(answer.step, View(mine, END_MS)).step
    assert asked <= TURNS_MAX // 2


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.lists(st.integers(1, 9)))
def test_frames_are_read_alike_in_chunks_of_any_size(bodies: list[bytes], sizes: list[int]) -> None:
    frames = [Frame(body[0], body[1:]) for body in bodies]
    wire = b"".join(map(framed, frames))
    reader, read = FrameReader(), []
    for size in [*sizes, len(wire) + 1]:
        read += reader.feed(wire[:size])
        wire = wire[size:]
    assert read == frames
    assert reader.is_between
