"""A task exists under the governance version that it names, or is void and says why."""

from tests.laws.world import START_MS
from tests.support.scene import Scene, scene
from wattswarm.kernel.event import Draft
from wattswarm.kernel.ids import Digest
from wattswarm.kernel.rows import rows
from wattswarm.kernel.task import TaskMachine, extend
from wattswarm.kernel.verdict import Effective, Ignored, Need, On, Verdict, Waiting
from wattswarm.kernel.views import next_expiry, state_word, workable


def created(
    stage: Scene, *, pin: Digest | None = None, epoch: int = 1, at_ms: int = START_MS
) -> Verdict:
    """Have the task created otherwise; return the verdict on that."""
    changes = {} if pin is None else {"pin": pin}
    stage.task = Draft(
        kind="TASK_CREATED",
        scope=stage.task.scope,
        lane_class=stage.task.lane_class,
        task_id=None,
        epoch=epoch,
        created_at=at_ms,
        payload={**stage.task.payload, **changes},
    ).unsigned(stage.network.network_id, stage.cast[0].node_id)
    return stage.verdict(stage.task.event_id)


def test_a_task_begins_with_its_first_epoch_and_before_it_expires() -> None:
    stage = scene()
    expires_at = stage.state.terms.expires_at
    assert created(stage, epoch=2) == Ignored("wrong_epoch")
    assert created(stage, at_ms=expires_at + 1) == Ignored("after_expiry")
    assert state_word(stage.state, START_MS) == "void"
    assert created(stage, at_ms=expires_at) == Effective()
    assert state_word(stage.state, expires_at) == "open"


def test_a_task_under_rules_that_are_not_known_here_says_so_and_is_not_worked_on() -> None:
    stage = scene()
    pin = stage.govern(signers=[0, 1, 2], rules_version=2)
    assert created(stage, pin=pin.id) == Ignored("unsupported_rules")
    assert state_word(stage.state, START_MS) == "unsupported"
    assert not workable(stage.state, START_MS)
    assert next_expiry(stage.state, START_MS) is None


def test_a_task_is_bound_to_a_policy_that_its_pin_registers() -> None:
    stage = scene()
    pin = stage.govern(signers=[0, 1, 2], policies=())
    assert created(stage, pin=pin.id) == Ignored("policy_not_registered")


def test_a_task_waits_for_its_pin_and_its_row_says_so() -> None:
    stage = scene()
    unknown = Digest(bytes(32))
    assert created(stage, pin=unknown) == Waiting((Need(On.VERSION, unknown),))
    assert state_word(stage.state, START_MS) == "pending"
    ((_, standing, *_),) = rows(stage.state)["tasks"]
    assert standing == "waiting"


def test_a_state_that_goes_on_by_itself_knows_the_versions_of_its_pins_alone() -> None:
    stage = scene()
    later = stage.govern(signers=[0, 1, 2], params={"x": 1})
    state = TaskMachine(stage.task.event_id, stage.governance).state
    assert not extend(state, [stage.task]).is_effective
    assert extend(state, [stage.task], stage.governance).is_effective
    assert later.id not in extend(state, [stage.task], stage.governance).versions
