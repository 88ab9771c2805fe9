"""The supervisor's decisions, step by step."""

from wattswarm.actors.runtime.actions import (
    Degraded,
    Finished,
    Halt,
    Phase,
    Restarting,
    Rules,
    Start,
    Wake,
)
from wattswarm.actors.runtime.exit import Exit, ExitKind
from wattswarm.actors.runtime.restart import OPTIONAL_RETRY_S
from wattswarm.actors.runtime.spec import AutoShutdown, Intensity, Restart, Strategy
from wattswarm.actors.runtime.supervision import Supervision

CRASH = Exit(ExitKind.CRASHED, "boom")
NORMAL = Exit(ExitKind.NORMAL, "done")
STOPPED = Exit(ExitKind.SHUTDOWN, "stopped")
KILLED = Exit(ExitKind.ORDERED, "killed by operator")
ANEW = Exit(ExitKind.ORDERED, "restarted by operator")


def supervision(strategy=Strategy.ONE_FOR_ONE, *, shutdown=AutoShutdown.NEVER, intensity=None):
    return Supervision(strategy, intensity or Intensity(10, 60), shutdown, lambda: 0.5)


def started(core, *rules):
    """Bring all children up, in order."""
    core.begin(rules, 0.0)
    for one in rules:
        core.on_ready(one.id, 0.0)
    return core


ABC = (Rules(id="a"), Rules(id="b"), Rules(id="c"))


def test_children_start_in_order_each_when_the_one_before_is_ready():
    core = supervision()
    assert core.begin(ABC, 0.0) == [Start("a")]
    assert core.on_ready("a", 0.0) == [Start("b")]
    assert core.on_ready("b", 0.0) == [Start("c")]
    assert core.on_ready("c", 0.0) == []


def test_they_stop_in_reverse_order_each_when_the_one_after_has_ended():
    core = started(supervision(), *ABC)
    assert core.end(STOPPED, 1.0) == [Halt("c")]
    assert core.on_exit("c", STOPPED, 1.0) == [Halt("b")]
    assert core.on_exit("b", STOPPED, 1.0) == [Halt("a")]
    assert core.on_exit("a", STOPPED, 1.0) == [Finished(STOPPED)]


def test_the_first_restart_is_at_once_and_the_next_waits():
    core = started(supervision(), *ABC)
    assert core.on_exit("b", CRASH, 1.0) == [Restarting("b", CRASH, 0.0), Start("b")]
    core.on_ready("b", 1.0)
    actions = core.on_exit("b", CRASH, 2.0)
    assert actions == [Restarting("b", CRASH, 0.025), Wake(2.025)]
    assert core.tick(2.025) == [Start("b")]


def test_one_for_one_leaves_the_others_alone():
    core = started(supervision(), *ABC)
    core.on_exit("a", CRASH, 1.0)
    assert [core.phase(name) for name in "abc"] == [Phase.STARTING, Phase.READY, Phase.READY]


def test_rest_for_one_takes_those_down_that_started_later():
    core = started(supervision(Strategy.REST_FOR_ONE), *ABC)
    assert core.on_exit("b", CRASH, 1.0) == [Restarting("b", CRASH, 0.0), Halt("c")]
    assert core.on_exit("c", STOPPED, 1.0) == [Start("b")]
    assert core.on_ready("b", 1.0) == [Start("c")]
    assert core.phase("a") is Phase.READY


def test_one_for_all_takes_all_down():
    core = started(supervision(Strategy.ONE_FOR_ALL), *ABC)
    assert core.on_exit("b", CRASH, 1.0)[-1] == Halt("c")
    assert core.on_exit("c", STOPPED, 1.0) == [Halt("a")]
    assert core.on_exit("a", STOPPED, 1.0) == [Start("a")]


def test_a_child_that_crashes_while_all_start_keeps_its_turn():
    core = supervision()
    core.begin(ABC, 0.0)
    core.on_ready("a", 0.0)
    assert core.on_exit("b", CRASH, 0.0) == [Restarting("b", CRASH, 0.0), Start("b")]
    assert core.phase("c") is Phase.IDLE
    assert core.on_ready("b", 0.0) == [Start("c")]


def test_a_sibling_may_crash_while_others_still_start():
    core = supervision()
    core.begin(ABC, 0.0)
    core.on_ready("a", 0.0)
    assert Start("a") in core.on_exit("a", CRASH, 0.0)
    assert core.on_ready("b", 0.0) == [Start("c")]


def test_restart_types_differ_in_which_ends_they_mend():
    rules = [
        Rules(id=kind.value, restart=kind)
        for kind in (Restart.PERMANENT, Restart.TRANSIENT, Restart.TEMPORARY)
    ]
    for why, mended in ((NORMAL, {"permanent"}), (CRASH, {"permanent", "transient"})):
        core = started(supervision(), *rules)
        for rule in rules:
            is_mended = Start(rule.id) in core.on_exit(rule.id, why, 1.0)
            assert is_mended == (rule.id in mended)


def test_one_more_crash_than_allowed_ends_everything_with_the_causes():
    core = started(supervision(), Rules(id="a"), Rules(id="b", intensity=Intensity(1, 30)))
    core.on_exit("b", CRASH, 1.0)
    core.on_ready("b", 1.0)
    assert core.on_exit("b", CRASH, 2.0) == [Halt("a")]
    (finished,) = core.on_exit("a", STOPPED, 2.0)
    assert finished.exit.kind is ExitKind.GAVE_UP
    assert finished.exit.causes == ("b: boom",)


def test_crashes_outside_the_window_are_forgotten():
    core = started(supervision(), Rules(id="a", intensity=Intensity(1, 30)))
    for now in (0.0, 31.0, 62.0):
        actions = core.on_exit("a", CRASH, now)
        assert isinstance(actions[0], Restarting)
        core.tick(now + 1)
        core.on_ready("a", now + 1)


def test_siblings_that_fail_once_each_do_not_use_up_each_others_budget():
    five = [Rules(id=name, intensity=Intensity(1, 30)) for name in "abcde"]
    core = started(supervision(), *five)
    for name in "abcde":
        assert Start(name) in core.on_exit(name, CRASH, 1.0)


def test_all_together_have_a_budget_too():
    core = started(supervision(intensity=Intensity(2, 60)), *ABC)
    for name in "ab":
        core.on_exit(name, CRASH, 1.0)
        core.on_ready(name, 1.0)
    assert core.on_exit("c", CRASH, 1.0) == [Halt("b")]


def test_an_optional_child_is_given_up_for_five_minutes():
    core = started(supervision(), Rules(id="a", optional=True, intensity=Intensity(0, 30)), ABC[1])
    actions = core.on_exit("a", CRASH, 1.0)
    assert actions == [Degraded("a", CRASH), Wake(1.0 + OPTIONAL_RETRY_S)]
    assert core.phase("b") is Phase.READY
    assert core.tick(1.0 + OPTIONAL_RETRY_S) == [Start("a")]


def test_an_optional_child_that_fails_does_not_hold_up_the_start():
    core = supervision()
    rules = (Rules(id="a", optional=True, intensity=Intensity(0, 30)), Rules(id="b"))
    core.begin(rules, 0.0)
    assert Start("b") in core.on_exit("a", CRASH, 0.0)


def test_ends_of_significant_children_end_the_supervisor():
    two = (
        Rules(id="a", restart=Restart.TRANSIENT, significant=True),
        Rules(id="b", restart=Restart.TRANSIENT, significant=True),
        Rules(id="c"),
    )
    core = started(supervision(shutdown=AutoShutdown.ANY_SIGNIFICANT), *two)
    assert core.on_exit("a", NORMAL, 1.0) == [Halt("c")]
    core = started(supervision(shutdown=AutoShutdown.ALL_SIGNIFICANT), *two)
    assert core.on_exit("a", NORMAL, 1.0) == []
    assert core.on_exit("b", NORMAL, 1.0) == [Halt("c")]


def test_a_restart_on_purpose_forgets_the_failures():
    core = started(supervision(), Rules(id="a", intensity=Intensity(1, 30)))
    core.on_exit("a", CRASH, 1.0)
    core.on_ready("a", 1.0)
    assert core.restart("a", ANEW, 2.0) == [Halt("a")]
    assert Start("a") in core.on_exit("a", STOPPED, 2.0)
    core.on_ready("a", 2.0)
    assert core.on_exit("a", CRASH, 3.0)[0] == Restarting("a", CRASH, 0.0)


def test_a_kill_by_an_operator_comes_back_at_once_and_is_no_failure():
    core = started(supervision(intensity=Intensity(1, 60)), Rules(id="a", intensity=Intensity(1)))
    for at_s in range(10):
        killed = core.on_exit("a", KILLED, at_s)
        assert killed == [Restarting("a", KILLED, 0.0), Start("a")]
        core.on_ready("a", at_s)
    assert core.on_exit("a", CRASH, 10.0) == [Restarting("a", CRASH, 0.0), Start("a")]
    core.on_ready("a", 10.0)
    (finished,) = core.on_exit("a", CRASH, 11.0)
    assert finished.exit.kind is ExitKind.GAVE_UP


def test_a_kill_by_an_operator_leaves_failures_and_back_off_as_they_were():
    core = started(supervision(), *ABC)
    core.on_exit("b", CRASH, 1.0)
    core.on_ready("b", 1.0)
    core.on_exit("b", KILLED, 2.0)
    core.on_ready("b", 2.0)
    assert Restarting("b", CRASH, 0.025) in core.on_exit("b", CRASH, 3.0)


def test_a_kill_by_an_operator_takes_those_down_that_a_failure_takes_down():
    core = started(supervision(Strategy.REST_FOR_ONE), *ABC)
    assert core.on_exit("b", KILLED, 1.0) == [Restarting("b", KILLED, 0.0), Halt("c")]
    assert core.on_exit("c", STOPPED, 1.0) == [Start("b")]


def test_a_kill_by_an_operator_does_not_bring_back_what_never_comes_back():
    core = started(supervision(), Rules(id="a", restart=Restart.TEMPORARY), Rules(id="b"))
    assert core.on_exit("a", KILLED, 1.0) == []
    assert core.phase("a") is Phase.DONE


def test_a_restart_on_purpose_is_told_of_once_the_child_has_ended():
    core = started(supervision(intensity=Intensity(1, 60)), *ABC)
    for at_s in range(10):
        assert core.restart("b", ANEW, at_s) == [Halt("b")]
        assert core.on_exit("b", STOPPED, at_s) == [Restarting("b", ANEW, 0.0), Start("b")]
        core.on_ready("b", at_s)


def test_a_child_that_fails_before_it_could_be_restarted_on_purpose_has_failed():
    core = started(supervision(Strategy.ONE_FOR_ALL), *ABC)
    core.on_exit("b", CRASH, 1.0)
    core.restart("a", ANEW, 1.0)
    assert Restarting("a", CRASH, 0.0) in core.on_exit("a", CRASH, 1.0)


def test_nothing_starts_once_the_end_has_begun():
    core = started(supervision(), *ABC)
    core.on_exit("a", CRASH, 1.0)
    core.on_ready("a", 1.0)
    core.on_exit("a", CRASH, 1.0)
    core.end(STOPPED, 1.0)
    assert core.tick(100.0) == []
    assert core.restart("a", ANEW, 100.0) == []


def test_a_supervisor_with_nothing_to_do_finishes_at_once():
    core = supervision()
    assert core.begin((), 0.0) == []
    assert core.end(STOPPED, 0.0) == [Finished(STOPPED)]
    assert core.end(STOPPED, 0.0) == []
