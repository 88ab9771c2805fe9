"""What an actor can rely on wherever it lives: in the root, with messages as bytes, in a worker."""

import pytest
import trio

from tests.support.actors import (
    Decline,
    Fail,
    Forward,
    Log,
    Nap,
    Note,
    Notes,
    Pass,
    Quit,
    Untravelled,
    Watch,
    Who,
    child,
    running,
    tree_spec,
    until,
)
from wattswarm.actors.runtime import (
    Down,
    Execution,
    Fault,
    FaultRule,
    InboxSpec,
    Intensity,
    OutOfRange,
    Overflow,
    Refused,
    RemoteFailure,
    RestartLimit,
    TooSlow,
    TreeSpec,
    open_tree,
)


@pytest.fixture(params=["root", "wire", "worker"])
def place(request):
    """Where the actors live, as options for the specification and the tree."""
    spec = {"placement": "worker" if request.param == "worker" else "root"}
    return spec, {"wire": request.param == "wire"}


def tree(place, *children, **options):
    spec, more = place
    return running(tree_spec(*children, **spec), **more, **options)


async def stats_of(tree, actor="probe"):
    return next(one for one in await tree.stats() if one.actor == actor)


async def test_tells_arrive_in_order(place):
    async with tree(place, child(inbox=InboxSpec(capacity=4))) as running_tree:
        ref = running_tree.ref("probe")
        for number in range(50):
            assert await ref.tell(Note(str(number)))
        assert await ref.ask(Notes(), deadline_s=5) == tuple(map(str, range(50)))


async def test_arguments_arrive_as_they_were_given(place):
    async with tree(place, child(args={"greeting": "hello"})) as running_tree:
        assert await running_tree.ref("probe").ask(Notes(), deadline_s=5) == ("hello",)


async def test_a_failing_ask_fails_its_asker_and_a_new_incarnation_answers(place):
    reports = []
    async with tree(place, child(), on_crash=reports.append) as running_tree:
        ref = running_tree.ref("probe")
        with pytest.raises(RemoteFailure, match="boom") as failure:
            await ref.ask(Fail("boom"), deadline_s=5)
        assert failure.value.kind == "ValueError"
        assert "raise ValueError(text)" in failure.value.traceback
        _, incarnation, _ = await ref.ask(Who(), deadline_s=5)
        assert incarnation == 2
        await until(lambda: reports)
    assert reports[0].in_hand[0].kind == "Fail"
    assert reports[0].state == {"notes": "0"}


async def test_mail_that_waits_survives_a_crash(place):
    async with tree(place, child()) as running_tree:
        ref = running_tree.ref("probe")
        await running_tree.suspend("probe")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_ignore_failure, ref)
            await until_received(running_tree, 1)
            for number in range(5):
                await ref.tell(Note(str(number)))
            await running_tree.resume("probe")
        assert len(await ref.ask(Notes(), deadline_s=5)) == 5


async def _ignore_failure(ref):
    with pytest.raises(RemoteFailure):
        await ref.ask(Fail("boom"), deadline_s=5)


async def test_a_poison_message_becomes_a_dead_letter_and_can_be_sent_again(place):
    letters = []
    async with tree(place, child(), on_dead_letter=letters.append) as running_tree:
        ref = running_tree.ref("probe")
        await ref.tell(Note("poison"))
        await ref.tell(Note("after"))
        assert await ref.ask(Notes(), deadline_s=20) == ("after",)
        await until(lambda: letters)
        (letter,) = letters
        assert (letter.crashes, letter.actor, letter.sender) == (3, "probe", "operator")
        assert await running_tree.retry(letter)
        await until(lambda: len(letters) == 2)
        assert (await stats_of(running_tree)).dead_letters == 2


async def test_a_handler_may_refuse_an_ask_without_ending(place):
    async with tree(place, child()) as running_tree:
        ref = running_tree.ref("probe")
        with pytest.raises(Refused) as refusal:
            await ref.ask(Decline(), deadline_s=5)
        assert (refusal.value.actor, refusal.value.retry_after_s) == ("probe", 2.5)
        assert (await ref.ask(Who(), deadline_s=5))[1] == 1


async def test_a_deadline_travels_and_ends_the_work(place):
    async with tree(place, child()) as running_tree:
        ref = running_tree.ref("probe")
        with pytest.raises(TooSlow) as slow:
            await ref.ask(Nap(30), deadline_s=0.1)
        assert slow.value.execution is Execution.MAYBE_EXECUTED
        with trio.fail_after(5):
            assert await ref.ask(Notes(), deadline_s=5) == ()
        assert (await stats_of(running_tree)).cancelled == 1


async def test_cancelling_the_asker_cancels_the_work(place):
    async with tree(place, child()) as running_tree:
        ref = running_tree.ref("probe")
        with trio.move_on_after(0.1):
            await ref.ask(Nap(30), deadline_s=60)
        with trio.fail_after(5):
            assert await ref.ask(Notes(), deadline_s=5) == ()


async def test_an_expired_ask_is_not_run(place):
    async with tree(place, child()) as running_tree:
        ref = running_tree.ref("probe")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: ref.ask(Nap(0.3), deadline_s=5))
            await trio.testing.wait_all_tasks_blocked(0.02)
            with pytest.raises(TooSlow):
                await ref.ask(Nap(0, text="late"), deadline_s=0.1)
        assert await ref.ask(Notes(), deadline_s=5) == ("nap",)


async def test_a_full_inbox_refuses_what_its_policy_says(place):
    inbox = InboxSpec(capacity=1, overflow=Overflow.REFUSE)
    async with tree(place, child(inbox=inbox)) as running_tree:
        ref = running_tree.ref("probe")
        await running_tree.suspend("probe")
        await ref.tell(Note("first"))
        await until_received(running_tree, 1)
        with pytest.raises(Refused, match="inbox full"):
            await ref.ask(Notes(), deadline_s=5)
        await running_tree.resume("probe")
        await trio.sleep(0.05)
        assert await ref.ask(Notes(), deadline_s=5) == ("first",)


async def until_received(running_tree, count):
    async def has_received():
        return (await stats_of(running_tree)).received >= count

    await until(has_received)


async def test_shedding_keeps_the_newest_and_counts(place):
    inbox = InboxSpec(capacity=2, overflow=Overflow.SHED_OLDEST)
    async with tree(place, child(inbox=inbox)) as running_tree:
        ref = running_tree.ref("probe")
        await running_tree.suspend("probe")
        for text in "abcd":
            await ref.tell(Note(text))
        await until_received(running_tree, 4)
        assert (await stats_of(running_tree)).shed == 2
        await running_tree.resume("probe")
        await until_handled(running_tree, 2)
        assert await ref.ask(Notes(), deadline_s=5) == ("c", "d")


async def until_handled(running_tree, count):
    async def has_handled():
        return (await stats_of(running_tree)).handled >= count

    await until(has_handled)


async def test_a_dial_turns_while_the_inbox_is_full(place):
    spec = child(inbox=InboxSpec(capacity=1))
    async with tree(place, spec) as running_tree:
        ref = running_tree.ref("probe")
        await running_tree.suspend("probe")
        assert ref.offer(Note("fills it"))
        version = await running_tree.tune("probe", "inbox", 7)

        async def is_effective():
            return (await stats_of(running_tree)).dials_effective >= version

        await until(is_effective)
        assert (await stats_of(running_tree)).capacity == 7
        assert await running_tree.inspect("probe") in ({"notes": 0}, {"notes": "0"})
        await running_tree.resume("probe")


async def test_a_dial_does_not_go_beyond_its_range(place):
    async with tree(place, child()) as running_tree:
        with pytest.raises(OutOfRange, match="outside"):
            await running_tree.tune("probe", "burst", 0)
        with pytest.raises(OutOfRange, match="no such dial"):
            await running_tree.tune("probe", "colour", 1)


async def test_an_orderly_end_is_no_crash(place):
    reports = []
    async with tree(place, child(), on_crash=reports.append) as running_tree:
        ref = running_tree.ref("probe")
        with pytest.raises(Down) as down:
            await ref.ask(Quit(), deadline_s=5)
        assert down.value.execution is Execution.MAYBE_EXECUTED
        assert (await ref.ask(Who(), deadline_s=5))[1] == 2
    assert reports == []


async def test_a_monitor_hears_of_every_end(place):
    watcher = child("watcher", talks_to=("probe",))
    async with tree(place, child(), watcher) as running_tree:
        await running_tree.ref("watcher").ask(Watch("probe"), deadline_s=5)
        with pytest.raises(RemoteFailure):
            await running_tree.ref("probe").ask(Fail("boom"), deadline_s=5)
        notes = ()
        with trio.fail_after(5):
            while not notes:
                notes = await running_tree.ref("watcher").ask(Notes(), deadline_s=5)
        assert notes == ("down probe 1",)


async def test_a_nested_ask_works_and_only_reaches_what_is_listed(place):
    asker = child("asker", asks=("probe",))
    async with tree(place, child(), asker) as running_tree:
        ref = running_tree.ref("asker")
        assert await ref.ask(Forward("probe", Nap(0), 5), deadline_s=5) == "rested"
        with pytest.raises(RemoteFailure, match="does not list asker"):
            await ref.ask(Forward("asker", Nap(0), 5), deadline_s=5)


async def test_cancellation_travels_through_a_nested_ask(place):
    asker = child("asker", asks=("probe",))
    async with tree(place, child(), asker) as running_tree:
        with pytest.raises(TooSlow):
            await running_tree.ref("asker").ask(Forward("probe", Nap(30), 60), deadline_s=0.1)
        with trio.fail_after(5):
            assert await running_tree.ref("probe").ask(Notes(), deadline_s=5) == ()


async def test_batches_are_answered_one_by_one(place):
    async with tree(place, child(cls="Batcher", batch=8)) as running_tree:
        ref = running_tree.ref("probe")
        await running_tree.suspend("probe")
        answers = []

        async def ask(msg):
            try:
                answers.append(await ref.ask(msg, deadline_s=5))
            except Refused:
                answers.append("refused")

        async with trio.open_nursery() as nursery:
            for msg in (Nap(0), Decline(), Nap(0)):
                nursery.start_soon(ask, msg)
            await until_received(running_tree, 3)
            await running_tree.resume("probe")
        assert sorted(answers) == ["refused", "rested", "rested"]
        assert (await ref.ask(Notes(), deadline_s=5))[0] == "batch of 3"


async def test_a_crash_in_a_batch_is_pinned_on_its_culprit(place):
    letters = []
    spec = child(cls="Batcher", batch=8)
    async with tree(place, spec, on_dead_letter=letters.append) as running_tree:
        ref = running_tree.ref("probe")
        await running_tree.suspend("probe")
        for text in ("a", "poison", "b"):
            await ref.tell(Note(text))
        await until_received(running_tree, 3)
        await running_tree.resume("probe")
        await until(lambda: letters)
        assert [letter.message for letter in letters] == ["Note(text='poison', key=None)"]
        notes = await ref.ask(Notes(), deadline_s=5)
        assert "b" in notes


async def test_handlers_side_by_side_keep_the_order_of_a_key(place):
    async with tree(place, child(concurrency=4, shard_by="key")) as running_tree:
        ref = running_tree.ref("probe")
        await ref.tell(Nap(0.15, "slow", "slow 1"))
        await ref.tell(Nap(0.0, "slow", "slow 2"))
        await ref.tell(Nap(0.0, "fast", "fast"))
        await until_handled(running_tree, 3)
        assert await ref.ask(Notes(), deadline_s=5) == ("fast", "slow 1", "slow 2")


async def test_concurrency_is_a_live_dial(place):
    async with tree(place, child()) as running_tree:
        ref = running_tree.ref("probe")
        await running_tree.tune("probe", "concurrency", 8)
        started = trio.current_time()
        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(lambda: ref.ask(Nap(0.2), deadline_s=10))
        assert trio.current_time() - started < 1.2  # one after the other takes 1.6


async def test_instances_share_the_mail_by_key(place):
    async with tree(place, child(instances=3, shard_by="key")) as running_tree:
        ref = running_tree.ref("probe")
        for number in range(30):
            await ref.tell(Note(str(number), key=str(number % 7)))
        seen = []
        for index in range(3):
            notes = await running_tree.ref(f"probe/{index}").ask(Notes(), deadline_s=5)
            assert len({int(note) % 7 for note in notes}) < 7
            seen += notes
        assert sorted(map(int, seen)) == list(range(30))


@pytest.mark.parametrize("place", ["wire", "worker"], indirect=True)
async def test_an_answer_that_cannot_travel_is_the_actors_failure(place):
    async with tree(place, child()) as running_tree:
        with pytest.raises(RemoteFailure, match="cannot be sent"):
            await running_tree.ref("probe").ask(Untravelled(), deadline_s=5)


async def test_an_error_in_the_background_is_a_crash(place):
    async with tree(place, child(cls="Background")) as running_tree:
        ref = running_tree.ref("probe")

        async def is_new():
            return (await ref.ask(Who(), deadline_s=5))[1] == 2

        await until(is_new)


async def test_a_recovery_that_fails_is_tried_again(place):
    async with tree(place, child(args={"fails": 3})) as running_tree:
        assert (await running_tree.ref("probe").ask(Who(), deadline_s=5))[1] == 4


async def test_a_hanging_handler_is_cancelled_and_is_a_crash(place):
    reports = []
    async with tree(place, child(hang_after_s=0.2), on_crash=reports.append) as running_tree:
        ref = running_tree.ref("probe")
        with pytest.raises(RemoteFailure, match="no end after 200 ms"):
            await ref.ask(Nap(60), deadline_s=30)
        assert (await ref.ask(Who(), deadline_s=5))[1] == 2
        await until(lambda: reports)


async def test_a_tree_that_cannot_run_gives_up_with_its_causes(place):
    spec, options = place
    few = child(args={"fails": 1_000}, intensity=Intensity(2, 30))
    once = TreeSpec(groups=tree_spec(few, **spec).groups, intensity=Intensity(0, 60), spare=False)
    with trio.fail_after(20), pytest.raises(RestartLimit, match="probe: ConnectionError"):
        async with open_tree(once, **options) as running_tree:
            await running_tree.wait_ready()


async def test_an_optional_actor_leaves_the_tree_degraded(place):
    bad = child("bad", args={"fails": 1_000}, intensity=Intensity(1, 30), optional=True)
    async with tree(place, bad, child()) as running_tree:
        await until(lambda: running_tree.describe().degraded == ("bad",))
        assert running_tree.describe().state == "degraded"
        with pytest.raises(Down) as down:
            await running_tree.ref("bad").ask(Who(), deadline_s=5)
        assert down.value.execution is Execution.NOT_STARTED
        assert (await running_tree.ref("probe").ask(Who(), deadline_s=5))[0] == "probe"


async def test_a_restart_on_purpose_keeps_the_mail(place):
    async with tree(place, child()) as running_tree:
        ref = running_tree.ref("probe")
        await running_tree.suspend("probe")
        await ref.tell(Note("waits"))
        await running_tree.restart("probe")

        async def is_new():
            return (await stats_of(running_tree)).incarnation == 2

        await until(is_new)
        await running_tree.resume("probe")
        await until_handled(running_tree, 1)
        assert await ref.ask(Notes(), deadline_s=5) == ("waits",)
        assert (await ref.ask(Who(), deadline_s=5))[1] == 2


async def test_restarts_on_purpose_are_told_of_and_use_up_no_budget(place):
    once = Intensity(1, 60)
    async with tree(place, child(intensity=once)) as running_tree:
        ref = running_tree.ref("probe")
        for number in range(2, 12):
            await running_tree.restart("probe")

            async def is_new(number=number):
                return (await stats_of(running_tree)).incarnation == number

            await until(is_new)
            assert (await ref.ask(Who(), deadline_s=5))[1] == number
        (group,) = running_tree.describe().groups
        (actor,) = group.actors
        assert (group.incarnation, actor.restarts) == (1, 10)
        assert actor.last_end == "restarted by operator"


async def test_every_restart_is_a_warning(place):
    log, lines = Log(), []
    options = {"logger": log, "on_log_line": lambda _, line: lines.append(line)}
    async with tree(place, child(), **options) as running_tree:
        with pytest.raises(RemoteFailure):
            await running_tree.ref("probe").ask(Fail("boom"), deadline_s=5)
        said = lambda: [str(line) for line in log.lines] + lines  # noqa: E731
        await until(lambda: any("restarting" in line and "boom" in line for line in said()))


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (2, 4)])
async def test_instances_come_and_go_without_losing_a_message(place, before, after):
    spec = child(instances=before, shard_by="key", inbox=InboxSpec(capacity=8))
    async with tree(place, spec, child("other")) as running_tree:
        ref = running_tree.ref("probe")
        sent = []

        async def send():
            for number in range(200):
                await ref.tell(Nap(0.001, key=str(number % 5), text=str(number)))
                sent.append(str(number))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            await until(lambda: len(sent) > 20)
            seen = await handled_so_far(running_tree)
            await running_tree.resize("probe", after, {"greeting": "new"})
            assert seen <= 200
        names = ["probe"] if after == 1 else [f"probe/{index}" for index in range(after)]

        async def is_all_handled():
            stats = [one for one in await running_tree.stats() if one.actor.startswith("probe")]
            assert [one.actor for one in stats] == names
            return sum(one.depth + one.in_hand for one in stats) == 0

        await until(is_all_handled)
        kept = set()
        for name in names:
            greeting, *notes = await running_tree.ref(name).ask(Notes(), deadline_s=5)
            assert greeting == "new"
            kept |= set(notes)
            keys = [int(note) % 5 for note in notes]
            assert [
                key for key in keys if notes_of(key, notes) != sorted(notes_of(key, notes))
            ] == []
        assert "199" in kept
        assert (await running_tree.ref("other").ask(Who(), deadline_s=5))[1] == 1


async def handled_so_far(running_tree):
    return sum(one.handled for one in await running_tree.stats())


def notes_of(key, notes):
    return [int(note) for note in notes if int(note) % 5 == key]


async def test_mail_that_waits_goes_to_its_new_owners(place):
    async with tree(place, child(shard_by="key")) as running_tree:
        ref = running_tree.ref("probe")
        await running_tree.suspend("probe")
        for number in range(40):
            await ref.tell(Note(str(number), key=str(number)))
        await until_received(running_tree, 40)
        await running_tree.resize("probe", 4)
        seen, counts = set(), []
        for index in range(4):

            async def is_handled(name=f"probe/{index}"):
                stats = next(one for one in await running_tree.stats() if one.actor == name)
                return stats.depth == 0 and stats.state == "ready"

            await until(is_handled)
            notes = await running_tree.ref(f"probe/{index}").ask(Notes(), deadline_s=5)
            counts.append(len(notes))
            seen |= set(notes)
        assert len(seen) == sum(counts) == 40
        assert all(counts)


# -- faults ------------------------------------------------------------------------------------


def armed(place):
    return tree(place, child(), chaos_enabled=True)


async def test_a_crash_is_injected_at_the_point_that_is_named(place):
    async with armed(place) as running_tree:
        ref = running_tree.ref("probe")
        await running_tree.arm(FaultRule(fault=Fault.CRASH, target="probe", point="middle", nth=2))
        await ref.ask(Pass("middle"), deadline_s=5)
        with pytest.raises(RemoteFailure, match="injected crash at probe:middle"):
            await ref.ask(Pass("middle"), deadline_s=5)
        await ref.ask(Pass("middle"), deadline_s=5)


async def test_a_crash_is_injected_in_a_thread(place):
    async with armed(place) as running_tree:
        ref = running_tree.ref("probe")
        await running_tree.arm(FaultRule(fault=Fault.CRASH, target="*", point="thread", times=1))
        with pytest.raises(RemoteFailure, match="injected crash"):
            await ref.ask(Pass("thread", in_thread=True), deadline_s=5)


async def test_a_crash_after_the_handler_is_a_crash_before_its_answer(place):
    async with armed(place) as running_tree:
        ref = running_tree.ref("probe")
        rule = FaultRule(fault=Fault.CRASH, target="probe", point="handle.after:Nap", times=1)
        await running_tree.arm(rule)
        with pytest.raises(RemoteFailure):
            await ref.ask(Nap(0), deadline_s=5)
        assert await ref.ask(Nap(0), deadline_s=5) == "rested"


async def test_a_hang_is_injected_and_ends_with_the_deadline(place):
    async with armed(place) as running_tree:
        ref = running_tree.ref("probe")
        await running_tree.arm(FaultRule(fault=Fault.HANG, target="probe", times=1))
        with pytest.raises(TooSlow):
            await ref.ask(Who(), deadline_s=0.2)
        await ref.ask(Who(), deadline_s=5)


async def test_slowness_is_injected(place):
    async with armed(place) as running_tree:
        ref = running_tree.ref("probe")
        rule = FaultRule(fault=Fault.SLOW, target="probe", duration_s=0.2, times=1)
        await running_tree.arm(rule)
        started = trio.current_time()
        await ref.ask(Who(), deadline_s=5)
        assert trio.current_time() - started >= 0.2


async def test_messages_are_dropped_and_doubled_as_armed(place):
    async with armed(place) as running_tree:
        ref = running_tree.ref("probe")
        await running_tree.arm(FaultRule(fault=Fault.DROP, target="probe", nth=1))
        await running_tree.arm(FaultRule(fault=Fault.DUPLICATE, target="probe", nth=1))
        for text in ("lost", "twice", "once"):
            await ref.tell(Note(text))
        assert await ref.ask(Notes(), deadline_s=5) == ("twice", "twice", "once")


async def test_messages_are_overtaken_as_armed(place):
    async with armed(place) as running_tree:
        ref = running_tree.ref("probe")
        await running_tree.arm(FaultRule(fault=Fault.REORDER, target="probe", nth=1))
        for text in ("first", "second"):
            await ref.tell(Note(text))
        await until_handled(running_tree, 2)
        assert await ref.ask(Notes(), deadline_s=5) == ("second", "first")


async def test_a_delayed_message_keeps_its_place(place):
    async with armed(place) as running_tree:
        ref = running_tree.ref("probe")
        rule = FaultRule(fault=Fault.DELAY, target="probe", nth=1, duration_s=0.1)
        await running_tree.arm(rule)
        for text in ("first", "second"):
            await ref.tell(Note(text))
        assert await ref.ask(Notes(), deadline_s=5) == ("first", "second")


async def test_damage_is_noticed_and_the_rest_goes_on(place):
    async with armed(place) as running_tree:
        ref = running_tree.ref("probe")
        await running_tree.arm(FaultRule(fault=Fault.CORRUPT, target="probe", nth=1))
        with pytest.raises(Down):
            await ref.ask(Fail("x" * 100), deadline_s=5)
        with trio.fail_after(5):
            while True:
                try:
                    assert (await ref.ask(Who(), deadline_s=5))[1] == 1
                    break
                except Down:
                    continue


async def test_rules_expire_and_owe_a_banner_until_then(place):
    async with armed(place) as running_tree:
        rule = FaultRule(fault=Fault.HANG, target="nobody", expires_s=0.1)
        await running_tree.arm(rule)
        assert "hang at nobody" in running_tree.describe().armed[0]
        await until(lambda: running_tree.describe().armed == ())


async def test_a_disarmed_rule_strikes_no_more(place):
    async with armed(place) as running_tree:
        number = await running_tree.arm(FaultRule(fault=Fault.CRASH, target="*", point="middle"))
        await running_tree.disarm(number)
        await running_tree.ref("probe").ask(Pass("middle"), deadline_s=5)


async def test_nothing_can_be_armed_where_chaos_is_not_enabled(place):
    async with tree(place, child()) as running_tree:
        with pytest.raises(OutOfRange, match="chaos is not enabled"):
            await running_tree.arm(FaultRule(fault=Fault.CRASH, target="*"))


async def test_the_points_of_all_actors_are_listed(place):
    async with tree(place, child()) as running_tree:
        assert {"middle", "handle.after"} <= set(running_tree.points()["probe"])
