"""The small pure parts: histograms, dials, heartbeats, fault rules, specifications, shards."""

import attrs
import pytest
import trio

from tests.support.actors import child
from wattswarm.actors.runtime import (
    ChildSpec,
    DialSpec,
    Fault,
    FaultRule,
    GroupSpec,
    Histogram,
    OutOfRange,
    TreeSpec,
    problems_of,
    seeded_world,
)
from wattswarm.actors.runtime.deadlines import TICK_S, Deadlines
from wattswarm.actors.runtime.dials import Dials
from wattswarm.actors.runtime.faults import FaultPlane
from wattswarm.actors.runtime.heartbeat import Heartbeat, Verdict
from wattswarm.actors.runtime.histogram import BUCKETS, bucket_of, upper_edge_s
from wattswarm.actors.runtime.routes import shard_of
from wattswarm.actors.runtime.stats import Meter


def test_a_duration_lies_below_the_edge_of_its_bucket_and_above_the_one_before():
    for exponent in range(-60, 40):
        seconds = 1.17**exponent
        bucket = bucket_of(seconds)
        if 0 < bucket < BUCKETS - 1:
            assert upper_edge_s(bucket - 1) <= seconds < upper_edge_s(bucket)


def test_durations_beyond_the_scale_go_to_its_ends():
    assert (bucket_of(0.0), bucket_of(1e-9), bucket_of(1e9)) == (0, 0, BUCKETS - 1)


def test_quantiles_are_within_an_eighth():
    histogram = Histogram()
    for milliseconds in range(1, 1_001):
        histogram.record(milliseconds / 1_000)
    found = histogram.quantiles()
    assert found.count == 1_000
    assert found.p50_s == pytest.approx(0.5, rel=0.125)
    assert found.p99_s == pytest.approx(0.99, rel=0.125)
    assert found.max_s == 1.0


def test_an_empty_histogram_is_all_zero():
    assert Histogram().quantiles().p99_s == 0.0


def test_a_meter_keeps_its_rate_until_a_second_has_passed():
    meter = Meter(0.0)
    assert meter.read(100, 2.0) == 50.0
    assert meter.read(1_000, 2.5) == 50.0
    assert meter.read(200, 4.0) == 50.0


async def test_dials_are_checked_versioned_and_announced(autojump_clock):
    dial = DialSpec(name="interval_ms", default=10, minimum=1, maximum=100)
    dials = Dials(child(dials=(dial,)))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(dials.wait_changed)
        await trio.testing.wait_all_tasks_blocked()
        dials.apply("interval_ms", 50, 2)
    assert (dials["interval_ms"], dials.version) == (50, 2)
    with pytest.raises(OutOfRange):
        dials.apply("interval_ms", 101, 3)
    assert (dials["interval_ms"], dials.version) == (50, 2)


def test_a_silent_loop_is_first_suspect_then_hung():
    heart = Heartbeat(suspect_after_s=5, hung_after_s=7, heard_s=0.0)
    verdicts = [heart.check(tenth / 2, 0.5) for tenth in range(1, 15)]
    assert verdicts[8:] == [Verdict.ALIVE, *[Verdict.SUSPECT] * 4, Verdict.HUNG]


def test_a_ping_clears_the_suspicion():
    heart = Heartbeat(5, 7, 0.0)
    heart.check(6.0, 6.0)
    heart.on_ping(6.1)
    assert heart.check(6.5, 0.5) is Verdict.ALIVE


def test_a_judge_that_was_late_itself_judges_nobody():
    heart = Heartbeat(5, 7, 0.0)
    heart.check(0.5, 0.5)
    assert heart.check(600.0, 0.5) is Verdict.ALIVE
    assert heart.check(606.0, 6.0) is Verdict.SUSPECT


async def test_asks_expire_at_their_deadline_and_not_before(autojump_clock):
    deadlines, expired = Deadlines(), []

    class One:
        def __init__(self, name):
            self.name = name

        def expire(self):
            expired.append((self.name, trio.current_time()))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(deadlines.run)
        start = trio.current_time()
        late, early, gone = One("late"), One("early"), One("gone")
        deadlines.add(late, start + 10)
        await trio.testing.wait_all_tasks_blocked()
        deadlines.add(early, start + 1)
        deadlines.remove(gone, deadlines.add(gone, start + 2))
        await trio.sleep(20)
        nursery.cancel_scope.cancel()
    assert [name for name, _ in expired] == ["early", "late"]
    for (_, at), wanted in zip(expired, (1, 10), strict=True):
        assert 0 <= at - start - wanted <= TICK_S


def test_shards_are_the_same_everywhere_and_all_used():
    assert [shard_of(key, 4) for key in (b"a", "a", 17)] == [shard_of("a", 4)] * 2 + [
        shard_of("17", 4)
    ]
    assert {shard_of(f"key {number}", 4) for number in range(100)} == {0, 1, 2, 3}


def test_one_seed_gives_one_stream_per_label():
    one, other = seeded_world(7), seeded_world(7)
    assert one.rng("a").random() == other.rng("a").random() != one.rng("b").random()


# -- fault rules -------------------------------------------------------------------------------


def plane(*rules, now=lambda: 0.0):
    faults = FaultPlane(now=now)
    for number, rule in enumerate(rules, 1):
        faults.arm(number, rule)
    return faults


def strikes(faults, count):
    return [faults.on_channel("sender", "actor") is not None for _ in range(count)]


def test_a_rule_fires_at_the_passing_it_names():
    assert strikes(plane(FaultRule(fault=Fault.DROP, target="actor", nth=3)), 5) == [
        False,
        False,
        True,
        False,
        False,
    ]


def test_a_rule_fires_so_many_times():
    rule = FaultRule(fault=Fault.DROP, target="act*", times=2)
    assert strikes(plane(rule), 4) == [True, True, False, False]


def test_chance_repeats_itself_for_a_seed():
    rule = FaultRule(fault=Fault.DROP, target="actor", probability=0.5, seed=3)
    assert strikes(plane(rule), 64) == strikes(plane(rule), 64)
    assert 10 < sum(strikes(plane(rule), 64)) < 54


def test_a_rule_has_its_time():
    clock = [0.0]
    rule = FaultRule(fault=Fault.DROP, target="actor", after_s=5, expires_s=10)
    faults = plane(rule, now=lambda: clock[0])
    fired = []
    for now in (0.0, 5.0, 9.0, 10.0):
        clock[0] = now
        fired += strikes(faults, 1)
    assert fired == [False, True, True, False]
    assert faults.rules() == ()
    assert not faults.armed


def test_a_rule_is_for_its_sender():
    rule = FaultRule(fault=Fault.DROP, target="actor", sender="friend")
    assert strikes(plane(rule), 1) == [False]


@pytest.mark.parametrize(
    "fields",
    [
        {"expires_s": 0},
        {"expires_s": 4_000},
        {"probability": 2},
        {"nth": 0},
        {"fault": Fault.BUSY},
    ],
)
def test_senseless_rules_are_refused(fields):
    assert FaultRule(**{"fault": Fault.CRASH, "target": "*", **fields}).problem()


# -- specifications ----------------------------------------------------------------------------


def problems(*children: ChildSpec):
    return problems_of(TreeSpec(groups=(GroupSpec(name="g", children=children),)))


def test_a_sound_tree_has_no_problems():
    assert problems(child("a", asks=("b",)), child("b", talks_to=("a",))) == ()


def test_asks_in_a_circle_would_wait_for_each_other():
    (sentence,) = problems(
        child("a", asks=("b",)), child("b", asks=("c",)), child("c", asks=("a",))
    )
    assert "a → b → c → a" in sentence


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"talks_to": ("nobody",)}, "not in the tree"),
        ({"concurrency": 0}, "at least 1"),
        ({"batch": 2, "concurrency": 2}, "cannot both"),
        ({"args": {"x": object()}}, "no plain value"),
        ({"actor": "no.colon"}, "no import path"),
    ],
)
def test_every_problem_is_a_sentence(fields, words):
    (sentence,) = problems(attrs.evolve(child("a"), **fields))
    assert words in sentence


def test_names_are_given_once():
    assert "listed 2 times" in problems(child("a"), child("a"))[0]
    assert "slash" in problems(child("a/0"))[0]
