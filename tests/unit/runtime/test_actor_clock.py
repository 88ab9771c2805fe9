"""A tree on virtual time: back-off, time-outs, patience."""

import attrs
import pytest
import trio
import trio.lowlevel

from tests.support.actors import (
    Fail,
    Log,
    Nap,
    Note,
    Notes,
    Who,
    child,
    running,
    tree_spec,
)
from wattswarm.actors.runtime import (
    GroupSpec,
    InboxSpec,
    Intensity,
    Overflow,
    Refused,
    RemoteFailure,
    RestartLimit,
    Strategy,
    TooSlow,
    TreeSpec,
    open_tree,
    seeded_world,
)


def virtual(spec, **options):
    return running(spec, world=seeded_world(1), **options)


async def crash(ref):
    with pytest.raises(RemoteFailure):
        await ref.ask(Fail("boom"), deadline_s=100)


async def test_a_crash_loop_waits_longer_and_a_minute_of_health_ends_that(autojump_clock):
    log = Log()
    async with virtual(tree_spec(child()), logger=log) as tree:
        ref = tree.ref("probe")
        for _ in range(6):
            await crash(ref)
        await ref.ask(Who(), deadline_s=100)
        await trio.sleep(61)
        await crash(ref)
        await ref.ask(Who(), deadline_s=100)
    delays = [fields["delay_s"] for _, event, fields in log.lines if event == "restarting"]
    assert delays[0] == delays[-1] == 0.0
    assert all(delay > 0 for delay in delays[1:-1])
    assert max(delays) <= 0.8


async def test_a_slow_start_is_a_failure_unless_it_says_what_it_waits_for(autojump_clock):
    slow = child(cls="Sleeper", start_timeout_s=5.0, intensity=Intensity(1, 300))
    spec = attrs.evolve(tree_spec(slow), intensity=Intensity(0, 600))
    with pytest.raises(RestartLimit, match="not ready after 5 s"):
        async with open_tree(spec, world=seeded_world(1)) as tree:
            await tree.wait_ready()


async def test_a_stop_cuts_a_recovery_short(autojump_clock):
    started = trio.current_time()
    async with open_tree(tree_spec(child(cls="Sleeper")), world=seeded_world(1)):
        await trio.sleep(1)
    assert trio.current_time() - started < 2


async def test_a_stop_waits_for_the_message_in_hand_and_no_longer_than_allowed(autojump_clock):
    for nap_s, stopped_s in ((3.0, 3.0), (60.0, 5.0)):
        async with virtual(tree_spec(child(shutdown_s=5.0))) as tree:
            await tree.ref("probe").tell(Nap(nap_s))
            await trio.lowlevel.checkpoint()
            started = trio.current_time()
        assert trio.current_time() - started == pytest.approx(stopped_s, abs=0.1)


async def test_a_stop_handles_queued_mail_only_when_it_is_to_drain(autojump_clock):
    for drain in (False, True):
        actors = []
        async with virtual(tree_spec(child(drain=drain))) as tree:
            ref = tree.ref("probe")
            await ref.tell(Nap(1.0))
            for number in range(5):
                await ref.tell(Note(str(number)))
            await trio.sleep(0.5)
            cell = tree._root.local["group"].cells["probe"]
            actors.append(cell.turns.actor)
        assert len(actors[0].notes) == (6 if drain else 1)


async def test_a_full_inbox_makes_asks_too_slow_before_they_began(autojump_clock):
    async with virtual(tree_spec(child(inbox=InboxSpec(capacity=1)))) as tree:
        ref = tree.ref("probe")
        await tree.suspend("probe")
        await ref.tell(Note("fills it"))
        with pytest.raises(TooSlow) as slow:
            await ref.ask(Notes(), deadline_s=3)
        assert slow.value.execution.value == "not_started"
        await tree.resume("probe")


async def test_rest_for_one_rebuilds_the_users_of_what_failed(autojump_clock):
    names = ("endpoint", "gossip", "other")
    spec = tree_spec(*(child(name) for name in names), strategy=Strategy.REST_FOR_ONE)
    async with virtual(spec) as tree:
        await crash(tree.ref("gossip"))
        incarnations = [(await tree.ref(n).ask(Who(), deadline_s=60))[1] for n in names]
    assert incarnations == [1, 2, 2]


async def test_the_total_deadline_holds_whatever_the_children_want(autojump_clock):
    groups = tuple(
        GroupSpec(
            name=name, placement="root", shutdown_s=100.0, children=(child(name, shutdown_s=100.0),)
        )
        for name in ("a", "b", "c")
    )
    spec = TreeSpec(groups=groups, shutdown_s=10.0)
    async with virtual(spec) as tree:
        for name in ("a", "b", "c"):
            await tree.ref(name).tell(Nap(90.0))
        await trio.sleep(1)
        started = trio.current_time()
    assert trio.current_time() - started <= 10.5


async def test_nothing_is_handled_after_the_stop(autojump_clock):
    async with virtual(tree_spec(child())) as tree:
        ref = tree.ref("probe")
        await ref.tell(Nap(1.0))
        await ref.tell(Note("after the stop"))
        await trio.sleep(0.5)
        actor = tree._root.local["group"].cells["probe"].turns.actor
    assert actor.notes == ["nap"]


async def test_an_outer_cancellation_stops_the_tree_in_order(autojump_clock, capfd):
    with trio.move_on_after(5):
        async with virtual(tree_spec(child("one"), child("two"))):
            await trio.sleep_forever()
    said = [line.split()[0] for line in capfd.readouterr().err.splitlines() if "goodbye" in line]
    assert said == ["two", "one"]


async def test_two_runs_of_one_seed_back_off_alike(autojump_clock):
    runs = []
    for _ in range(2):
        log = Log()
        async with virtual(tree_spec(child()), logger=log) as tree:
            for _ in range(4):
                await crash(tree.ref("probe"))
            await tree.ref("probe").ask(Who(), deadline_s=60)
        runs.append([fields["delay_s"] for _, _, fields in log.lines if "delay_s" in fields])
    assert runs[0] == runs[1]


async def test_trying_again_and_again_does_not_keep_the_actor_from_running(autojump_clock):
    inbox = InboxSpec(capacity=1, overflow=Overflow.REFUSE)
    async with virtual(tree_spec(child(inbox=inbox))) as tree:
        ref = tree.ref("probe")
        with trio.fail_after(60):
            for number in range(10):
                while not await ref.tell(Note(str(number))):
                    pass
            while True:
                try:
                    notes = await ref.ask(Notes(), deadline_s=5)
                    break
                except Refused:
                    continue
    assert len(notes) == 10
