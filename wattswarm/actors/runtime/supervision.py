"""A supervisor's decisions: what to start and stop, in what order, after every end of a child.

Pure: inputs are what happened and when, outputs are actions for a shell to carry out. Start
order is the children's order, one after the other, each when the one before is ready; stop order
is the reverse, each when the one after has ended. A child that crashed during an ordered start
keeps its place in it. Timers are
outputs: `Wake(at_s)` asks for a call of `tick`.

Source: Erlang/OTP design principles, "Supervisor Behaviour".
"""

from collections.abc import Callable, Sequence

import attrs

from wattswarm.actors.runtime.actions import (
    RUNNING,
    Action,
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
from wattswarm.actors.runtime.restart import OPTIONAL_RETRY_S, Delay, Window
from wattswarm.actors.runtime.spec import AutoShutdown, Intensity, Restart, Strategy


@attrs.define
class _Child:
    rules: Rules
    window: Window
    delay: Delay
    phase: Phase = Phase.IDLE
    since_s: float = 0.0
    """When it became ready."""
    due_s: float = 0.0
    """Not to be started before this."""
    again: bool = False
    """Whether it runs and is to be stopped, to be started again."""
    ordered: Exit | None = None
    """Why it is to be stopped and started again, if somebody ordered it."""
    is_retired: bool = False
    """Whether it is being stopped for good."""


@attrs.define
class Supervision:
    """The decision core of one supervisor."""

    strategy: Strategy
    intensity: Intensity
    auto_shutdown: AutoShutdown
    dice: Callable[[], float]
    _children: dict[str, _Child] = attrs.field(factory=dict[str, _Child])
    _chains: list[list[str]] = attrs.field(factory=list[list[str]])
    """Ordered starts under way: the head of each is starting or waits for its time."""
    _ending: Exit | None = None
    """Why everything is being stopped."""
    _window: Window = attrs.field(init=False)
    _is_finished: bool = False

    def __attrs_post_init__(self) -> None:
        self._window = Window(self.intensity)

    def phase(self, child: str) -> Phase:
        """Return where a child is."""
        return self._children[child].phase

    def begin(self, rules: Sequence[Rules], now_s: float) -> list[Action]:
        """Start all children, in order."""
        for one in rules:
            self._children[one.id] = _child(one)
        self._chains.append([one.id for one in rules])
        return self._advance(now_s)

    def on_ready(self, child: str, now_s: float) -> list[Action]:
        """A child says that it is ready: the next of its chain may start."""
        state = self._children[child]
        if state.phase is not Phase.STARTING:
            return []
        state.phase, state.since_s = Phase.READY, now_s
        return self._advance(now_s)

    def on_exit(self, child: str, why: Exit, now_s: float) -> list[Action]:
        """A child ended, on request or by itself."""
        state = self._children[child]
        assert state.phase in RUNNING, (child, state.phase)
        was, state.phase, state.again = state.phase, Phase.IDLE, False
        ordered, state.ordered = state.ordered, None
        ran_s = now_s - state.since_s if was is Phase.READY else 0.0
        if state.is_retired:
            state.phase = Phase.DONE
        if was is Phase.STOPPING or state.is_retired:
            return [*self._told_of(state, ordered), *self._advance(now_s)]
        if self._ending is not None or not _comes_back(state.rules, why):
            return self._on_end(state, why, now_s)
        if why.kind is ExitKind.ORDERED:
            return self._start_again(state, why, 0.0, now_s)
        return self._on_failure(state, why, ran_s, now_s)

    def tick(self, now_s: float) -> list[Action]:
        """A time that was asked for has come."""
        for name, state in self._children.items():
            if state.phase is Phase.DEGRADED and state.due_s <= now_s and self._ending is None:
                state.phase = Phase.IDLE
                self._chains.append([name])
        return self._advance(now_s)

    def restart(self, child: str, why: Exit, now_s: float) -> list[Action]:
        """Give a child a fresh start on purpose; its past failures are forgotten.

        People are told `why` once the child has ended, if it ran.
        """
        state = self._children[child]
        if self._ending is not None or state.is_retired:
            return []
        state.window.forget()
        state.delay.forget()
        state.due_s = now_s
        if state.phase in RUNNING:
            state.again, state.ordered = True, why
        else:
            state.phase = Phase.IDLE
        self._requeue([child])
        return self._advance(now_s)

    def retire(self, names: Sequence[str], now_s: float) -> list[Action]:
        """Stop some children for good, all at once."""
        actions: list[Action] = []
        self._leave_chains(names)
        for name in names:
            state = self._children[name]
            state.is_retired = True
            if state.phase in (Phase.STARTING, Phase.READY):
                state.phase = Phase.STOPPING
                actions.append(Halt(name))
            elif state.phase is not Phase.STOPPING:
                state.phase = Phase.DONE
        return [*actions, *self._advance(now_s)]

    def adopt(self, former: Sequence[str], rules: Sequence[Rules], now_s: float) -> list[Action]:
        """Supervise these from now on, in this order; `former` were retired, and new ones start."""
        kept = {name: one for name, one in self._children.items() if name not in former}
        self._children = {one.id: kept.get(one.id) or _child(one) for one in rules}
        self._chains.append([one.id for one in rules if one.id not in kept])
        return self._advance(now_s)

    def end(self, why: Exit, now_s: float) -> list[Action]:
        """Stop everything, in reverse order."""
        if self._ending is None:
            self._ending = why
            self._chains.clear()
        return self._advance(now_s)

    # -- after an end ----------------------------------------------------------------------------

    def _told_of(self, state: _Child, ordered: Exit | None) -> list[Action]:
        """Tell people of a restart that was ordered, if it is still going to happen."""
        if ordered is None or self._ending is not None or state.is_retired:
            return []
        return [Restarting(state.rules.id, ordered, 0.0)]

    def _on_end(self, state: _Child, why: Exit, now_s: float) -> list[Action]:
        state.phase = Phase.DONE
        self._leave_chains([state.rules.id])
        if self._ending is None and self._is_over(state):
            return self.end(Exit(ExitKind.NORMAL, f"{state.rules.id} ended: {why.reason}"), now_s)
        return self._advance(now_s)

    def _is_over(self, state: _Child) -> bool:
        """Tell whether this normal end of a significant child ends the supervisor."""
        if not state.rules.significant:
            return False
        if self.auto_shutdown is AutoShutdown.ALL_SIGNIFICANT:
            significant = [child for child in self._children.values() if child.rules.significant]
            return all(child.phase is Phase.DONE for child in significant)
        return self.auto_shutdown is AutoShutdown.ANY_SIGNIFICANT

    def _on_failure(self, state: _Child, why: Exit, ran_s: float, now_s: float) -> list[Action]:
        child = state.rules.id
        allowed = state.window.allows(now_s)
        if state.rules.optional and not allowed:
            return self._degrade(state, why, now_s)
        within = state.rules.optional or self._window.allows(now_s)
        if not (allowed and within):
            causes = (*why.causes, f"{child}: {why.reason}")
            return self.end(Exit(ExitKind.GAVE_UP, f"{child} keeps failing", causes), now_s)
        delay_s = state.delay.after_failure(ran_s, self.dice())
        return self._start_again(state, why, delay_s, now_s)

    def _start_again(self, state: _Child, why: Exit, delay_s: float, now_s: float) -> list[Action]:
        """Start a child that ended, and those that go down with it."""
        child = state.rules.id
        state.due_s = now_s + delay_s
        state.phase = Phase.BACKING_OFF
        self._requeue(self._affected(child))
        return [Restarting(child, why, delay_s), *self._advance(now_s)]

    def _degrade(self, state: _Child, why: Exit, now_s: float) -> list[Action]:
        state.phase, state.due_s = Phase.DEGRADED, now_s + OPTIONAL_RETRY_S
        state.window.forget()
        self._leave_chains([state.rules.id])
        return [Degraded(state.rules.id, why), Wake(state.due_s), *self._advance(now_s)]

    def _affected(self, child: str) -> list[str]:
        """Return the children that go down with this one, itself included, in start order."""
        order = list(self._children)
        match self.strategy:
            case Strategy.ONE_FOR_ONE:
                affected = [child]
            case Strategy.REST_FOR_ONE:
                affected = order[order.index(child) :]
            case Strategy.ONE_FOR_ALL:
                affected = order
        away = (Phase.DONE, Phase.DEGRADED)
        return [name for name in affected if self._children[name].phase not in away]

    def _requeue(self, names: Sequence[str]) -> None:
        """Start these in order, after stopping those of them that run.

        A child that is the head of an ordered start and fails stays the head of that one.
        """
        for name in names:
            state = self._children[name]
            state.again = state.again or state.phase in RUNNING
        for chain in self._chains:
            if chain and len(names) == 1 and chain[0] == names[0]:
                return
        self._leave_chains(names)
        self._chains.append(list(names))

    def _leave_chains(self, names: Sequence[str]) -> None:
        for chain in self._chains:
            chain[:] = [name for name in chain if name not in names]

    # -- what is due now -------------------------------------------------------------------------

    def _advance(self, now_s: float) -> list[Action]:
        """Return every action that has become possible."""
        if self._ending is not None:
            return self._advance_end()
        actions = self._stops(lambda state: state.again)
        for chain in self._chains:
            actions += self._advance_chain(chain, now_s)
        self._chains = [chain for chain in self._chains if chain]
        return actions

    def _advance_chain(self, chain: list[str], now_s: float) -> list[Action]:
        while chain:
            state = self._children[chain[0]]
            if state.phase is Phase.READY and not state.again:
                del chain[0]
                continue
            waiting = (Phase.IDLE, Phase.BACKING_OFF)
            if state.phase not in waiting or any(self._is_stopping(name) for name in chain):
                return []
            if state.due_s > now_s:
                return [Wake(state.due_s)]
            state.phase = Phase.STARTING
            return [Start(chain[0])]
        return []

    def _is_stopping(self, name: str) -> bool:
        state = self._children[name]
        return state.again or state.phase is Phase.STOPPING

    def _advance_end(self) -> list[Action]:
        stops = self._stops(lambda _: True)
        if stops or self._is_finished or self._any_runs():
            return stops
        assert self._ending is not None
        self._is_finished = True
        return [Finished(self._ending)]

    def _any_runs(self) -> bool:
        return any(state.phase in RUNNING for state in self._children.values())

    def _stops(self, is_chosen: Callable[[_Child], bool]) -> list[Action]:
        """Stop the last of the chosen that run, unless one of them is stopping already."""
        for state in reversed(self._children.values()):
            if not is_chosen(state) or state.phase not in RUNNING:
                continue
            if state.phase is Phase.STOPPING:
                return []
            state.phase = Phase.STOPPING
            return [Halt(state.rules.id)]
        return []


def _child(rules: Rules) -> _Child:
    return _Child(rules, Window(rules.intensity), Delay(rules.backoff))


def _comes_back(rules: Rules, why: Exit) -> bool:
    match rules.restart:
        case Restart.PERMANENT:
            return True
        case Restart.TRANSIENT:
            return not why.is_normal
        case Restart.TEMPORARY:
            return False
