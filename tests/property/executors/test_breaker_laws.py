"""The circuit breaker against a plain model of what it promises."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wattswarm.executors.breaker import Breaker, BreakerLimits, Permit, Phase, Spared

LIMITS = BreakerLimits(failures_max=3, open_ms_min=100, open_ms_max=1_000, probes_max=2)


class BreakerMachine(RuleBasedStateMachine):
    """Calls begin, end well, end badly or are given up, in any order and at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(LIMITS)
        self.now_ms = 0
        self.held: list[Permit] = []

    def _phase(self) -> Phase:
        return self.breaker.statistics(self.now_ms).phase

    def _take(self, index: int) -> Permit:
        return self.held.pop(index % len(self.held))

    @rule(ms=st.integers(0, 700))
    def time_passes(self, ms: int) -> None:
        self.now_ms += ms

    @rule()
    def a_call_is_wanted(self) -> None:
        before = self.breaker.statistics(self.now_ms)
        match self.breaker.ask(self.now_ms):
            case Permit() as permit:
                assert before.open_until_ms is None or self.now_ms >= before.open_until_ms
                self.held.append(permit)
            case Spared(until_ms):
                assert self._phase() is not Phase.CLOSED
                assert until_ms > self.now_ms

    @precondition(lambda self: self.held)
    @rule(index=st.integers(0, 99))
    def a_call_succeeds(self, index: int) -> None:
        permit = self._take(index)
        current = self._is_current(permit)
        self.breaker.succeeded(permit, self.now_ms)
        if current:
            assert self._phase() is Phase.CLOSED
            assert self.breaker.statistics(self.now_ms).failures == 0

    @precondition(lambda self: self.held)
    @rule(index=st.integers(0, 99))
    def a_call_fails(self, index: int) -> None:
        permit = self._take(index)
        before = self.breaker.statistics(self.now_ms)
        current = self._is_current(permit)
        self.breaker.failed(permit, self.now_ms)
        after = self.breaker.statistics(self.now_ms)
        if not current:
            assert after == before
        elif before.phase is Phase.HALF_OPEN or before.failures + 1 >= LIMITS.failures_max:
            assert after.phase is Phase.OPEN
            assert after.open_until_ms is not None
            wait_ms = after.open_until_ms - self.now_ms
            assert wait_ms == min(LIMITS.open_ms_max, LIMITS.open_ms_min * 2**before.trips)

    @precondition(lambda self: self.held)
    @rule(index=st.integers(0, 99))
    def a_call_is_given_up(self, index: int) -> None:
        before = self.breaker.statistics(self.now_ms)
        self.breaker.abandoned(self._take(index), self.now_ms)
        assert self.breaker.statistics(self.now_ms) == before

    @rule()
    def an_operator_finds_it_well(self) -> None:
        self.breaker.reset()
        assert self._phase() is Phase.CLOSED

    def _is_current(self, permit: Permit) -> bool:
        """Tell whether a permit is of the present phase."""
        return permit.generation == self.breaker._generation

    @invariant()
    def few_probes_are_under_way(self) -> None:
        current = [permit for permit in self.held if self._is_current(permit)]
        if self._phase() is Phase.HALF_OPEN:
            assert len(current) <= LIMITS.probes_max


TestBreaker = BreakerMachine.TestCase
