"""A state that was handed out never changes, whatever its machine and others add afterwards."""

import copy
import random

import attrs
import pytest

from tests.laws.histories import history
from tests.laws.set_laws import governance_of
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.group_digest import group_digest
from wattswarm.kernel.rows import rows
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.task import TaskMachine, derive, extend


def content(state: TaskState) -> dict[str, object]:
    """Return a picture of every table and field of a state; what is only remembered is left out."""
    fields = (field.name for field in attrs.fields(TaskState) if not field.name.startswith("_"))
    values = ((name, getattr(state, name)) for name in fields if name != "pending")
    pictured = {name: copy.copy(value) for name, value in values}
    pending = {name: hold for name, (_, hold) in state.pending.items()}
    return {**pictured, "pending": pending, "digest": group_digest(rows(state))}


@pytest.mark.parametrize("seed", range(25))
def test_snapshots_stay_as_they_were_and_are_those_of_a_derivation_from_scratch(seed: int) -> None:
    rng = random.Random(seed)
    told = history(rng, 60)
    name, known = told.task.event_id, governance_of(told, [])
    events = rng.sample([*told.events], len(told.events))
    later = rng.sample([*told.later], len(told.later))
    machine = TaskMachine(name, known)
    taken: list[tuple[int, TaskState, dict[str, object]]] = []
    added = 0
    while added < len(events):
        size = rng.randint(1, 6)
        machine.add(events[added : added + size])
        added += size
        if later and rng.random() < 0.3:
            machine.governance_changed(known.add(later.pop()).versions)
        taken.append((added, machine.state, content(machine.state)))
        scratch = derive(name, events[:added], known)
        assert group_digest(rows(scratch)) == taken[-1][2]["digest"]
        count, before, picture = rng.choice(taken)
        further = rng.randint(0, len(events))
        ahead = extend(before, events[:further], known)
        assert content(before) == picture
        expected = derive(name, events[: max(count, further)], known)
        assert group_digest(rows(ahead)) == group_digest(rows(expected))
    for _, state, picture in taken:
        assert content(state) == picture


def test_a_state_that_goes_on_learns_a_version_that_became_valid_meanwhile() -> None:
    told = history(random.Random(3), 30)
    unknowing = derive(told.task.event_id, told.events, Governance(told.network.network_id))
    assert not unknowing.versions
    known = governance_of(told)
    expected = derive(told.task.event_id, told.events, known)
    assert expected.versions
    assert group_digest(rows(extend(unknowing, [], known))) == group_digest(rows(expected))
