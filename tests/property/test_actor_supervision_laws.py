"""The supervisor under any sequence of ends: what may never happen, whatever does."""

from hypothesis import given
from hypothesis import strategies as st

from wattswarm.actors.runtime.actions import (
    RUNNING,
    Finished,
    Halt,
    Phase,
    Rules,
    Start,
)
from wattswarm.actors.runtime.exit import Exit, ExitKind
from wattswarm.actors.runtime.restart import Delay, Window
from wattswarm.actors.runtime.spec import AutoShutdown, Backoff, Intensity, Restart, Strategy
from wattswarm.actors.runtime.supervision import Supervision

NAMES = "abcd"
ORDERED = Exit(ExitKind.ORDERED, "ordered")
ENDS = {"crash": ExitKind.CRASHED, "normal": ExitKind.NORMAL, "kill": ExitKind.ORDERED}
MANY = Intensity(10_000, 60)


@st.composite
def worlds(draw):
    rules = [
        Rules(
            id=name,
            restart=draw(st.sampled_from(Restart)),
            intensity=Intensity(draw(st.integers(0, 4)), 30),
            optional=draw(st.booleans()),
        )
        for name in NAMES[: draw(st.integers(1, 4))]
    ]
    strategy = draw(st.sampled_from(Strategy))
    core = Supervision(strategy, Intensity(8, 60), AutoShutdown.NEVER, lambda: 0.5)
    steps = draw(
        st.lists(
            st.tuples(
                st.sampled_from(("ready", "crash", "normal", "kill", "tick", "restart")),
                st.integers(0, 3),
            ),
            max_size=40,
        )
    )
    return core, rules, steps


class Shell:
    """Carries out actions at once, and notices what must not be."""

    def __init__(self, core, rules):
        self.core, self.now = core, 0.0
        self.order = [one.id for one in rules]
        self.running: dict[str, str] = {}
        self.finished = None
        self.do(core.begin(rules, 0.0))

    def do(self, actions):
        for action in actions:
            assert self.finished is None, "nothing happens after the end"
            match action:
                case Start(child):
                    assert child not in self.running, "no child runs twice"
                    self.running[child] = "starting"
                case Halt(child):
                    assert self.running[child] != "stopping", "nobody is asked twice"
                    later = self.order[self.order.index(child) + 1 :]
                    assert all(self.running.get(one) != "stopping" for one in later), "in order"
                    self.running[child] = "stopping"
                case Finished():
                    assert not self.running, "the end comes when nothing runs"
                    self.finished = action
                case _:
                    pass

    def step(self, what, child):
        self.now += 1.0
        state = self.running.get(child)
        if what == "tick":
            self.do(self.core.tick(self.now))
        elif what == "restart" and self.finished is None:
            self.do(self.core.restart(child, ORDERED, self.now))
        elif what == "ready" and state == "starting":
            self.running[child] = "ready"
            self.do(self.core.on_ready(child, self.now))
        elif what in ENDS and state is not None:
            del self.running[child]
            kind = ENDS[what]
            self.do(self.core.on_exit(child, Exit(kind, what), self.now))

    def settle(self):
        """Let everything that is asked for happen, and time pass."""
        for _ in range(200):
            self.now += 100.0
            self.do(self.core.tick(self.now))
            for child, state in list(self.running.items()):
                self.step("normal" if state == "stopping" else "ready", child)


@given(worlds())
def test_no_child_runs_twice_and_what_is_stopped_stops_one_by_one(world):
    core, rules, steps = world
    shell = Shell(core, rules)
    for what, index in steps:
        shell.step(what, rules[index % len(rules)].id)
        phases = {name: core.phase(name) for name in shell.order}
        assert {name for name, phase in phases.items() if phase in RUNNING} == set(shell.running)


@given(worlds())
def test_left_alone_it_comes_to_rest_with_everything_up(world):
    core, rules, steps = world
    shell = Shell(core, rules)
    for what, index in steps:
        shell.step(what, rules[index % len(rules)].id)
    shell.settle()
    if shell.finished is None:
        assert {core.phase(name) for name in shell.order} <= {Phase.READY, Phase.DONE}


@given(worlds())
def test_it_always_comes_to_an_end_when_asked(world):
    core, rules, steps = world
    shell = Shell(core, rules)
    for what, index in steps:
        shell.step(what, rules[index % len(rules)].id)
    if shell.finished is None:
        shell.do(core.end(Exit(ExitKind.SHUTDOWN, "stop"), shell.now))
    shell.settle()
    assert shell.finished is not None


@given(st.lists(st.floats(0, 100), max_size=60), st.integers(0, 10), st.floats(0.1, 50))
def test_a_window_allows_exactly_what_it_says(gaps, restarts, period_s):
    window = Window(Intensity(restarts, period_s))
    now, times = 0.0, []
    for gap in gaps:
        now += gap
        recent = [at for at in times if at > now - period_s]
        allowed = window.allows(now)
        assert allowed == (len(recent) < restarts)
        if not allowed:
            return
        times.append(now)


@given(st.lists(st.tuples(st.floats(0, 120), st.floats(0, 0.999)), max_size=200))
def test_a_delay_stays_within_its_cap_and_the_first_is_none(failures):
    backoff = Backoff()
    delay = Delay(backoff)
    count = 0
    for ran_s, dice in failures:
        count = 1 if ran_s >= backoff.reset_after_s else count + 1
        waited = delay.after_failure(ran_s, dice)
        assert 0 <= waited <= backoff.cap_s
        if count == 1:
            assert waited == 0
        else:
            assert waited <= backoff.base_s * 2.0 ** (count - 2)
