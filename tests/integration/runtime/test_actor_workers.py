"""Worker processes: how they start, die, come back, stop, and what is left of them afterwards."""

import os
import signal
import subprocess
import sys
import textwrap

import attrs
import psutil
import pytest
import trio

from tests.support.actors import (
    MANY,
    Fail,
    Forward,
    Log,
    Nap,
    Note,
    Notes,
    Quit,
    Spin,
    Watch,
    Who,
    child,
    kill,
    lives,
    running,
    tree_spec,
    until,
)
from wattswarm.actors.runtime import (
    AutoShutdown,
    Down,
    Execution,
    Fault,
    FaultRule,
    GroupSpec,
    InboxSpec,
    Intensity,
    RemoteFailure,
    Restart,
    RestartLimit,
    TooSlow,
    TreeSpec,
    open_tree,
)
from wattswarm.actors.runtime.process import spawn


@pytest.fixture(autouse=True)
def nothing_is_left():
    """No process, no descriptor and no thread of ours outlives a test."""
    fds = set(os.listdir("/proc/self/fd"))
    yield
    assert workers() == set()
    assert set(os.listdir("/proc/self/fd")) <= fds | set(os.listdir("/proc/self/fd")[-1:])


def workers():
    """Return the pids of the worker processes of this one; a test server is none of them."""
    return {
        process.pid
        for process in psutil.Process().children(recursive=True)
        if any("runtime.worker" in word for word in process.cmdline())
    }


def worker_tree(*children, **fields):
    return tree_spec(*children, placement="worker", **fields)


def two_workers(*, spare=False):
    """Return a tree with an asker in one worker and a probe in another."""
    first = GroupSpec(name="first", children=(child(),), restarts=MANY)
    asker = child("asker", asks=("probe",), talks_to=("probe",))
    second = GroupSpec(name="second", children=(asker,), restarts=MANY)
    return TreeSpec(groups=(first, second), intensity=MANY, spare=spare)


def pid_of(tree, group="group"):
    return next(view.pid for view in tree.describe().groups if view.name == group)


async def answer_of(ref, msg):
    """Ask until the worker is up again."""
    while True:
        try:
            return await ref.ask(msg, deadline_s=10)
        except Down:
            continue


async def test_a_killed_worker_comes_back_and_what_was_asked_of_it_is_down():
    log = Log()
    async with running(worker_tree(child()), logger=log) as tree:
        ref = tree.ref("probe")
        failures = []

        async def ask():
            try:
                await ref.ask(Nap(60), deadline_s=60)
            except Down as down:
                failures.append(down)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await until(lambda: tree.describe().groups[0].state == "ready")
            await ref.tell(Note("before"))
            tree.kill("group", signal.SIGKILL)
        assert failures[0].execution is Execution.MAYBE_EXECUTED
        assert (await answer_of(ref, Who()))[2] == pid_of(tree)
        assert tree.describe().groups[0].incarnation == 2
    assert any(
        event == "restarting worker" and fields["reason"] == "killed by signal SIGKILL"
        for _, event, fields in log.lines
    )


async def test_kills_by_an_operator_use_up_no_budget_and_a_kill_from_outside_does():
    log = Log()
    group = GroupSpec(name="group", children=(child(),), restarts=Intensity(1, 60))
    spec = TreeSpec(groups=(group,), intensity=Intensity(1, 60))
    async with running(spec, logger=log) as tree:
        for number in range(1, 11):
            pid = pid_of(tree)
            tree.kill_group("group")
            await until(lambda pid=pid: pid_of(tree) not in (pid, 0))
            assert (await answer_of(tree.ref("probe"), Who()))[2] == pid_of(tree)
            (view,) = tree.describe().groups
            assert (view.incarnation, view.last_end) == (number + 1, "killed by operator")
    reasons = [said["reason"] for _, event, said in log.lines if event == "restarting worker"]
    assert reasons == ["killed by operator"] * 10


async def test_kills_from_outside_use_up_the_budget():
    group = GroupSpec(name="group", children=(child(),), restarts=Intensity(1, 60))

    async def killed_twice():
        async with running(TreeSpec(groups=(group,), intensity=MANY)) as tree:
            for _ in range(2):
                pid = pid_of(tree)
                tree.kill("group", signal.SIGKILL)
                await until(lambda pid=pid: pid_of(tree) not in (pid, 0))

    with pytest.raises(RestartLimit):
        await killed_twice()


async def test_a_tell_waits_for_the_worker_that_is_away():
    async with running(worker_tree(child())) as tree:
        ref = tree.ref("probe")
        pid = pid_of(tree)
        tree.kill("group", signal.SIGKILL)
        await until(lambda: not lives(pid))
        await until(lambda: pid_of(tree) != pid)
        await ref.tell(Note("after"))
        assert await ref.ask(Notes(), deadline_s=10) == ("after",)


async def test_an_ask_that_was_never_sent_says_so():
    async with open_tree(worker_tree(child())) as tree:
        with pytest.raises(Down) as down:
            await tree.ref("probe").ask(Who(), deadline_s=0.01)  # it takes longer to start
        assert down.value.execution is Execution.NOT_STARTED


async def test_the_spare_takes_the_place_of_the_dead():
    spec = attrs.evolve(worker_tree(child()), spare=True)
    async with running(spec) as tree:
        await until(lambda: len(workers()) == 2)
        (spare,) = workers() - {pid_of(tree)}
        await trio.sleep(0.3)  # it imports; promoted earlier it would only take longer
        tree.kill("group", signal.SIGKILL)
        assert (await answer_of(tree.ref("probe"), Who()))[2] == spare
        await until(lambda: len(workers()) == 2)


async def test_a_dead_spare_is_not_promoted():
    spec = attrs.evolve(worker_tree(child()), spare=True)
    async with running(spec) as tree:
        await until(lambda: len(workers()) == 2)
        (spare,) = workers() - {pid_of(tree)}
        kill(spare)
        await until(lambda: not lives(spare))
        tree.kill("group", signal.SIGKILL)
        assert (await answer_of(tree.ref("probe"), Who()))[2] != spare


async def test_a_worker_that_dies_while_it_boots_does_not_hang_its_root():
    once = attrs.evolve(worker_tree(child(args={"exits": 3})), intensity=Intensity(1, 60))
    with trio.fail_after(20), pytest.raises(RestartLimit, match="exit status 3"):
        async with open_tree(once) as tree:
            await tree.wait_ready()


async def test_a_worker_that_cannot_import_does_not_hang_its_root():
    spec = worker_tree(child())
    spec = attrs.evolve(spec, preload=("no_such_module",), intensity=Intensity(0, 60))
    lines = []
    with trio.fail_after(20), pytest.raises(RestartLimit, match="exit status 1"):
        async with open_tree(spec, on_log_line=lambda *line: lines.append(line)) as tree:
            await tree.wait_ready()
    assert any("no_such_module" in line for _, line in lines)


async def test_a_worker_that_does_not_become_ready_is_killed():
    slow = worker_tree(child(cls="Sleeper", start_timeout_s=60), start_timeout_s=1.0)
    spec = attrs.evolve(slow, intensity=Intensity(0, 60))
    with trio.fail_after(20), pytest.raises(RestartLimit, match="not ready after 1 s"):
        async with open_tree(spec) as tree:
            await tree.wait_ready()


async def test_two_workers_talk_directly_and_again_after_either_died():
    async with running(two_workers()) as tree:
        asker = tree.ref("asker")
        for dead in ("first", "second"):
            assert await answer_of(asker, Forward("probe", Nap(0), 5)) == "rested"
            pid = pid_of(tree, dead)
            tree.kill(dead, signal.SIGKILL)
            await until(lambda dead=dead, pid=pid: pid_of(tree, dead) not in (0, pid))
            failure = None
            try:
                assert await answer_of(asker, Forward("probe", Nap(0), 5)) == "rested"
            except RemoteFailure as error:  # the asker's own ask was under way
                failure = error.kind
            assert failure in (None, "wattswarm.actors.runtime.errors.Down")


async def test_the_death_of_a_worker_is_heard_in_another():
    spec = two_workers()
    async with running(spec) as tree:
        asker = tree.ref("asker")
        await asker.ask(Watch("probe"), deadline_s=5)
        tree.kill("first", signal.SIGKILL)

        async def has_heard():
            return await asker.ask(Notes(), deadline_s=5) == ("down probe 1",)

        await until(has_heard)


async def test_an_ask_under_way_between_workers_is_down_when_the_other_dies():
    async with running(two_workers()) as tree:
        failures = []

        async def ask():
            with pytest.raises(RemoteFailure) as failure:
                await tree.ref("asker").ask(Forward("probe", Nap(60), 60), deadline_s=30)
            failures.append(failure.value)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)

            async def is_in_hand():
                return [s.in_hand for s in await tree.stats() if s.actor == "probe"] == [1]

            await until(is_in_hand)
            tree.kill("first", signal.SIGKILL)
        assert "maybe_executed" in failures[0].message


async def test_a_loop_that_is_blocked_is_dumped_and_replaced():
    lines = []
    spec = worker_tree(child(), suspect_after_s=0.8, hung_after_s=1.5)
    async with running(spec, on_log_line=lambda *line: lines.append(line)) as tree:
        ref = tree.ref("probe")
        with pytest.raises(Down):
            await ref.ask(Spin(60), deadline_s=30)
        assert (await answer_of(ref, Who()))[1] == 1
        assert tree.describe().groups[0].incarnation == 2
        await until(lambda: any("in handle" in line for _, line in lines))


async def test_a_paused_worker_goes_on_where_it_was():
    async with running(worker_tree(child())) as tree:
        ref = tree.ref("probe")
        pid = (await ref.ask(Who(), deadline_s=5))[2]
        tree.pause("group", 0.5)
        with pytest.raises(TooSlow):
            await ref.ask(Who(), deadline_s=0.2)
        assert (await ref.ask(Who(), deadline_s=5))[2] == pid


async def test_a_worker_that_stays_stopped_is_killed():
    async with running(worker_tree(child(), suspect_after_s=0.8, hung_after_s=1.5)) as tree:
        ref = tree.ref("probe")
        pid = pid_of(tree)
        tree.kill("group", signal.SIGSTOP)
        await until(lambda: not lives(pid))
        assert (await answer_of(ref, Who()))[2] != pid


async def test_a_worker_that_does_not_stop_is_made_to():
    stubborn = child(cls="Stubborn", shutdown_s=0.2)
    with trio.fail_after(10):
        async with running(worker_tree(stubborn, shutdown_s=0.3)) as tree:
            pid = pid_of(tree)
        assert not lives(pid)


async def test_everything_stops_in_reverse_order():
    lines = []
    children = tuple(child(name) for name in ("one", "two"))
    first = GroupSpec(name="first", children=children)
    second = GroupSpec(name="second", children=(child("three"),))
    spec = TreeSpec(groups=(first, second), spare=False)
    async with running(spec, on_log_line=lambda _, line: lines.append(line)):
        pass
    said = [line.split()[0] for line in lines if line.endswith("goodbye")]
    assert said == ["three", "two", "one"]


async def test_what_a_worker_started_ends_with_it():
    async with running(worker_tree(child(cls="Parent"))) as tree:
        _, _, grandchild = await tree.ref("probe").ask(Who(), deadline_s=5)
        assert lives(grandchild)
        tree.kill("group", signal.SIGKILL)
        await until(lambda: not lives(grandchild))


async def test_a_chatty_worker_is_not_held_up_and_its_lines_are_cut():
    lines = []
    spec = worker_tree(child(cls="Chatter"))
    async with running(spec, on_log_line=lambda *line: lines.append(line)) as tree:
        await tree.ref("probe").ask(Who(), deadline_s=20)
    assert sum(line == ("group", "chat") for line in lines) == 50_000
    assert max(len(line) for _, line in lines) <= 128 * 1024


async def test_a_worker_has_a_session_of_its_own_and_ignores_the_terminals_interrupt():
    async with running(worker_tree(child())) as tree:
        pid = pid_of(tree)
        assert os.getsid(pid) == pid
        tree.kill("group", signal.SIGINT)
        assert (await tree.ref("probe").ask(Who(), deadline_s=5))[2] == pid


async def test_a_secret_reaches_who_lists_it_and_shows_nowhere():
    keeper = child(cls="Keeper", secrets=("key",))
    key = b"5ecret0f7he0perat0r"
    log, lines = Log(), []
    options = {"logger": log, "on_log_line": lambda *line: lines.append(line)}
    async with running(worker_tree(keeper), secrets={"key": key}, **options) as tree:
        secret, is_visible, fds = await tree.ref("probe").ask(Who(), deadline_s=5)
        assert (secret, is_visible) == (key.decode(), 0)
        assert fds < 16  # none of the root's own
        assert key.decode() not in repr(tree) + repr(log.lines) + repr(lines)
        boot = tree._root.workers["group"].boot(tree.spec.groups[0])
        assert "5ecret" not in repr(boot)


async def test_a_tree_without_the_secret_it_needs_does_not_start():
    with pytest.raises(ValueError, match="probe needs the secret key"):
        async with open_tree(worker_tree(child(secrets=("key",)))):
            pass


async def test_the_application_sets_its_workers_up():
    lines = []
    spec = attrs.evolve(
        worker_tree(child()),
        worker_setup="tests.support.actors:set_up",
        worker_setup_args={"text": "words"},
    )
    async with running(spec, on_log_line=lambda *line: lines.append(line)):
        pass
    assert ("group", "set up with words") in lines


async def test_a_worker_above_its_memory_limit_is_replaced_in_an_orderly_way():
    log = Log()
    async with running(worker_tree(child(), rss_soft_bytes=1), logger=log) as tree:
        pid = pid_of(tree)
        await until(lambda: pid_of(tree) not in (0, pid))
    assert any("memory" in event for _, event, _ in log.lines)


async def test_an_actor_that_keeps_failing_ends_its_worker_and_the_next_begins_anew():
    few = child(intensity=Intensity(1, 30))
    async with running(worker_tree(few)) as tree:
        ref = tree.ref("probe")
        pid = pid_of(tree)
        for _ in range(2):
            with pytest.raises((RemoteFailure, Down)):
                await ref.ask(Fail("again"), deadline_s=10)
        await until(lambda: pid_of(tree) not in (0, pid))
        assert (await answer_of(ref, Who()))[1] == 1


async def test_a_tree_ends_by_itself_when_its_significant_work_is_done():
    batch = child(restart=Restart.TRANSIENT, significant=True)
    spec = worker_tree(batch, auto_shutdown=AutoShutdown.ALL_SIGNIFICANT)
    async with running(spec) as tree:
        with pytest.raises(Down):
            await tree.ref("probe").ask(Quit(), deadline_s=5)
        with trio.fail_after(10):
            await tree.wait_ended()


async def test_the_socket_is_never_the_queue():
    inbox = InboxSpec(capacity=8)
    async with running(worker_tree(child(inbox=inbox))) as tree:
        ref = tree.ref("probe")
        await tree.suspend("probe")
        sent = 0
        for _ in range(50):
            while ref.offer(Note("x")):
                sent += 1
            await trio.sleep(0.005)
        assert sent <= 8 + 8  # the inbox, and one window under way
        await tree.resume("probe")

        async def are_all_there():
            return len(await ref.ask(Notes(), deadline_s=5)) == sent

        await until(are_all_there)


async def test_a_worker_is_killed_at_a_point_once():
    rule = FaultRule(fault=Fault.KILL, target="probe", point="handle.before:Who", nth=1)
    async with running(worker_tree(child()), chaos_enabled=True) as tree:
        ref = tree.ref("probe")
        pid = pid_of(tree)
        await tree.arm(rule)
        with pytest.raises(Down):
            await ref.ask(Who(), deadline_s=10)
        assert (await answer_of(ref, Who()))[2] != pid


async def test_a_worker_is_paused_at_a_point():
    rule = FaultRule(fault=Fault.PAUSE, target="probe", nth=1, duration_s=0.3)
    async with running(worker_tree(child()), chaos_enabled=True) as tree:
        await tree.arm(rule)
        started = trio.current_time()
        await tree.ref("probe").ask(Who(), deadline_s=10)
        assert trio.current_time() - started >= 0.3


async def test_what_an_incarnation_holds_is_let_go_with_it():
    lines = []
    spec = worker_tree(child(cls="Holder"))
    async with running(spec, on_log_line=lambda _, line: lines.append(line)) as tree:
        with pytest.raises(RemoteFailure):
            await tree.ref("probe").ask(Fail("boom"), deadline_s=5)
        await tree.ref("probe").ask(Who(), deadline_s=5)
    assert [line for line in lines if line.startswith("let go")] == ["let go 1", "let go 2"]


async def test_a_worker_is_started_by_the_main_thread_alone():
    # The kernel would kill it when the thread that started it ends.
    with pytest.raises(AssertionError, match="main thread"):
        await trio.to_thread.run_sync(spawn, (), print, print)


async def test_what_the_block_raises_comes_out_as_it_is():
    with pytest.raises(KeyError, match="mine"):
        async with running(worker_tree(child())):
            raise KeyError("mine")


async def test_a_cancelled_tree_leaves_nothing():
    with trio.move_on_after(0.5):
        async with running(worker_tree(child())):
            await trio.sleep_forever()


async def test_many_kills_leave_no_descriptor_behind():
    async with running(worker_tree(child())) as tree:
        ref = tree.ref("probe")
        counts = []
        for _ in range(4):
            await answer_of(ref, Who())
            counts.append(len(os.listdir("/proc/self/fd")))
            tree.restart_group("group")
            pid = pid_of(tree)
            await until(lambda pid=pid: pid_of(tree) not in (0, pid))
        assert counts[-1] <= counts[0] + 1


ROOT = textwrap.dedent(
    """
    import signal
    import sys
    import trio
    from tests.support.actors import Spin, Who, child, running, tree_spec

    # Whoever is started in the background by a shell ignores interrupts, and so do its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    async def main():
        async with running(tree_spec(child(), placement="worker")) as tree:
            ref = tree.ref("probe")
            print((await ref.ask(Who(), deadline_s=10))[2], flush=True)
            if sys.argv[1] == "busy":
                await ref.tell(Spin(60))
            await trio.sleep_forever()

    trio.run(main)
    """
)


@pytest.mark.parametrize("mood", ["idle", "busy"])
def test_a_worker_never_outlives_its_root(mood):
    root = subprocess.Popen([sys.executable, "-c", ROOT, mood], stdout=subprocess.PIPE)
    assert root.stdout is not None
    worker = int(root.stdout.readline())
    trio.run(trio.sleep, 0.2)
    root.kill()
    root.wait()
    root.stdout.close()
    trio.run(until, lambda: not lives(worker))


def test_an_interrupt_ends_the_root_and_its_workers():
    root = subprocess.Popen(
        [sys.executable, "-c", ROOT, "idle"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert root.stdout is not None
    worker = int(root.stdout.readline())
    root.send_signal(signal.SIGINT)
    assert root.wait(10) != 0
    root.stdout.close()
    trio.run(until, lambda: not lives(worker))
