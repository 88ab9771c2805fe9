"""What holds for every event of a task, whatever its kind."""

import pytest

from tests.laws.world import START_MS
from tests.support.scene import scene
from wattswarm.kernel import payloads
from wattswarm.kernel.event import LaneClass
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.task import TaskMachine, derive
from wattswarm.kernel.verdict import Effective, Ignored, Need, On, Waiting, explain

RELEASE = "TASK_CLAIM_RELEASED"


def test_an_unknown_kind_is_ignored_and_kept() -> None:
    stage = scene()
    name = stage.utter("TASK_LOVED", {})
    assert stage.verdict(name) == Ignored("unknown_kind")
    assert stage.state.events == 2


def test_an_unknown_field_makes_a_known_kind_unreadable() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE)
    name = stage.utter(RELEASE, {"claim": claim, "because": "new"})
    assert stage.verdict(name) == Ignored("unknown_field")


def test_a_missing_field_is_a_bad_field() -> None:
    stage = scene()
    assert stage.verdict(stage.utter(RELEASE, {})) == Ignored("bad_field")


@pytest.mark.parametrize("lane_class", [LaneClass.CONTROL, LaneClass.MESSAGES])
def test_another_class_is_ignored(lane_class: LaneClass) -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE)
    name = stage.utter(RELEASE, {"claim": claim}, lane_class=lane_class)
    assert stage.verdict(name) == Ignored("wrong_class")


def test_another_scope_is_ignored_before_anything_else_and_not_counted() -> None:
    stage = scene()
    name = stage.utter("TASK_LOVED", {}, scope="group:elsewhere")
    assert stage.verdict(name) == Ignored("wrong_scope")
    assert stage.state.events == 1


@pytest.mark.parametrize("epoch", [0, 2])
def test_a_one_shot_task_has_one_epoch(epoch: int) -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE)
    name = stage.utter(RELEASE, {"claim": claim}, epoch=epoch)
    assert stage.verdict(name) == Ignored("wrong_epoch")


def test_what_is_dated_after_the_expiry_is_ignored() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE)
    expiry = stage.state.terms.expires_at
    assert stage.verdict(stage.utter(RELEASE, {"claim": claim}, at_ms=expiry)) == Effective()
    late = stage.utter(RELEASE, {"claim": claim}, at_ms=expiry + 1)
    assert stage.verdict(late) == Ignored("after_expiry")


def test_an_event_is_dated_after_what_it_names() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE, at_ms=START_MS + 500)
    same = stage.utter(RELEASE, {"claim": claim}, at_ms=START_MS + 500)
    assert stage.verdict(same) == Ignored("date_order", claim)
    before_the_task = stage.claim(Work.PROPOSE, at_ms=START_MS)
    assert stage.verdict(before_the_task) == Ignored("date_order", stage.task.event_id)


def test_it_waits_for_what_it_names_and_then_takes_effect() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE)
    release = stage.utter(RELEASE, {"claim": claim})
    events = [stage.task, stage.said[1]]
    waiting = derive(stage.task.event_id, events, stage.governance)
    assert waiting.verdict(release) == Waiting((Need(On.EVENT, claim),))
    assert stage.verdict(release) == Effective()


def test_a_name_of_another_kind_is_final() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE)
    candidate = stage.propose(claim)
    name = stage.utter(RELEASE, {"claim": candidate})
    assert stage.verdict(name) == Ignored("wrong_kind", candidate)


def test_what_depends_on_an_ignored_event_says_so_through_a_long_chain() -> None:
    stage = scene()
    claim = previous = stage.claim(Work.PROPOSE, lease_ms=0)
    links = [previous := stage.renew(claim, previous) for _ in range(2_000)]
    assert stage.verdict(claim) == Ignored("empty_lease")
    assert stage.verdict(links[0]) == Ignored("depends_on_ignored", claim)
    assert stage.verdict(links[-1]) == Ignored("depends_on_ignored", claim)


def test_without_the_creation_everything_waits_for_it() -> None:
    stage = scene()
    name = stage.claim(Work.PROPOSE)
    machine = TaskMachine(stage.task.event_id, stage.governance)
    machine.add(stage.said)
    assert machine.state.verdict(name) == Waiting((Need(On.EVENT, stage.task.event_id),))
    machine.add([stage.task])
    assert machine.state.verdict(name) is None


def test_a_task_waits_for_the_governance_version_that_it_names() -> None:
    stage = scene()
    stage.claim(Work.PROPOSE)
    network = stage.network
    known = type(stage.governance)(network.network_id)
    machine = TaskMachine(stage.task.event_id, known)
    machine.add([stage.task, *stage.said])
    waits = machine.state
    assert waits.verdict(stage.task.event_id) == Waiting((Need(On.VERSION, stage.pin),))
    machine.governance_changed(known.add(network.carrier).versions)
    assert machine.state.verdicts == {}
    assert waits.verdicts, "a snapshot does not change"


def test_adding_an_event_again_changes_nothing() -> None:
    stage = scene()
    claim = stage.claim(Work.PROPOSE)
    stage.renew(claim, claim)
    machine = TaskMachine(stage.task.event_id, stage.governance)
    machine.add([stage.task, *stage.said])
    before = machine.state
    machine.add(stage.said)
    assert machine.state is before


def test_every_verdict_has_a_sentence() -> None:
    stage = scene()
    event = stage.task
    assert "effective" in explain(Effective(), event)
    for on in On:
        need = Need(on, bytes(32), 1, 2)
        assert "waits for" in explain(Waiting((need,)), event)
    told = explain(Ignored("lease_over", EventId(bytes(32))), event)
    assert "lease" in told
    assert "000000000000" in told


def test_an_event_that_creates_a_task_inside_a_task_is_ignored() -> None:
    stage = scene()
    name = stage.utter("TASK_CREATED", dict(stage.task.payload))
    state = derive(name, [stage.said[0]], stage.governance)
    assert state.verdict(name) == Ignored("task_in_task")
    assert state.scope == "global"


def test_every_kind_with_a_payload_has_a_rule() -> None:
    from wattswarm.kernel.task import RULES

    assert RULES.keys() == payloads.KINDS
