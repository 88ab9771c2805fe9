"""What must hold of everything that is shown, whatever was said about a task."""

import json
import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.histories import history as make
from tests.laws.set_laws import derived
from wattswarm.operations.decision_view import decision_view
from wattswarm.operations.next_steps import next_steps
from wattswarm.operations.task_view import Moment, task_view


@given(st.integers(0, 2**32), st.integers(0, 60), st.integers(0, 10**7))
def test_any_set_of_events_can_be_shown(seed: int, length: int, later_ms: int) -> None:
    history = make(random.Random(seed), length)
    state = derived(history, history.events)
    now_ms = max(event.created_at for event in (history.task, *history.events)) + later_ms
    moment = Moment(now_ms=now_ms, projected_seq=0, is_here=lambda _: True)
    view = task_view(state, moment)
    shown = json.loads(msgspec.json.encode(view))
    assert shown["task"]["events"] == state.events
    assert all(step[0].islower() or step[0].isdigit() for step in next_steps(state, now_ms))
    msgspec.json.encode(decision_view(state, moment, lambda _: b"not JSON"))
