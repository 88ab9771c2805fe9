"""Stopping, suspending, resuming and killing, and what is refused to whom then."""

from collections.abc import Callable

import pytest

from tests.laws.world import START_MS, keys, shared_network, task
from tests.support.scene import CONTINUOUS, Scene, local_scene, ref, scene
from wattswarm.kernel import decide
from wattswarm.kernel.decide import Signings
from wattswarm.kernel.duty import ExecutorOffer, Roster, due
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.lock import opened_at
from wattswarm.kernel.payloads import ControlWord, Work
from wattswarm.kernel.records import Control
from wattswarm.kernel.version import Role
from wattswarm.kernel.views import state_word

RESUMED, SUSPENDED = ControlWord.RESUMED, ControlWord.SUSPENDED
STOPPED, KILLED = ControlWord.STOPPED, ControlWord.KILLED
X = ExecutorOffer(name="x")


def troupe() -> Scene:
    """Return a task whose creator is none of the three finalizers of its pin."""
    cast = keys(4, 5)
    members = {key.node_id: frozenset(Role) for key in cast[1:]}
    members[cast[0].node_id] = frozenset({Role.PROPOSER, Role.VERIFIER})
    network = shared_network(members, cast[1], threshold=2)
    return Scene(network, cast, network.governance(), task(network, cast[0]))


def command(
    stage: Scene, word: ControlWord, by: int = 0, reason: str | None = None
) -> Signings | Rejection:
    """Say a control word, if the member may, and append it."""
    answer = decide.control(stage.state, stage.cast[by], word, stage.now_ms, reason=reason)
    if not isinstance(answer, Rejection):
        stage.said += [each.draft.sign(stage.network.network_id, stage.cast[by]) for each in answer]
    return answer


def code(answer: object) -> str:
    """Return the code of a refusal."""
    assert isinstance(answer, Rejection), answer
    return answer.code


def word(stage: Scene) -> str:
    """Return the word for the task now."""
    return state_word(stage.state, stage.now_ms)


# --- who may say what -----------------------------------------------------------------------------


def test_in_a_network_of_one_the_node_says_everything_with_its_own_quorum() -> None:
    stage = local_scene()
    for number, (said, shown) in enumerate(
        [(SUSPENDED, "suspended"), (STOPPED, "stopped"), (RESUMED, "open"), (KILLED, "killed")], 1
    ):
        assert not isinstance(command(stage, said, reason="because"), Rejection)
        assert word(stage) == shown
        assert stage.state.control == Control(said, number, "because")
        assert stage.state.is_backed(stage.state.control)


def test_a_word_that_stands_already_needs_nothing() -> None:
    stage = local_scene()
    assert command(stage, RESUMED) == ()
    for said in (SUSPENDED, STOPPED, KILLED):
        assert command(stage, said) != ()
        assert command(stage, said) == ()


def test_a_killed_task_is_not_to_be_controlled_nor_one_that_is_final() -> None:
    stage = local_scene()
    command(stage, KILLED)
    assert [code(command(stage, said)) for said in (RESUMED, STOPPED)] == ["task_not_open"] * 2
    final = scene(3, threshold=2)
    candidate = final.propose(final.claim(Work.PROPOSE))
    final.seal(candidate, candidate, [0, 1])
    assert code(command(final, STOPPED)) == "task_not_open"


def test_a_task_of_many_epochs_is_controlled_though_its_newest_is_final() -> None:
    stage = local_scene(**CONTINUOUS)
    stage.seal(EventId(b"c" * 32), EventId(b"d" * 32), [0])
    for said in (STOPPED, RESUMED, SUSPENDED, KILLED):
        assert not isinstance(command(stage, said), Rejection), said
        assert stage.state.control is not None
        assert stage.state.control.word is said
    assert code(command(stage, RESUMED)) == "task_not_open"


def test_finalizers_join_what_one_of_them_began() -> None:
    stage = scene(3, threshold=2)
    stage.now_ms += 10
    command(stage, KILLED, by=1, reason="it costs too much")
    assert word(stage) == "open"
    command(stage, KILLED, by=2)
    assert word(stage) == "killed"
    assert stage.state.control == Control(KILLED, 1, "it costs too much")


def test_another_reason_begins_another_content() -> None:
    stage = scene(3, threshold=2)
    command(stage, KILLED, by=1, reason="one")
    command(stage, KILLED, by=2, reason="two")
    assert word(stage) == "open"


def test_a_finalizer_backs_the_creators_word() -> None:
    stage = troupe()
    command(stage, STOPPED, reason="enough")
    assert word(stage) == "stopped"
    for finalizer in (1, 2):
        assert command(stage, STOPPED, by=finalizer) != ()
    said = stage.state.control
    assert said == Control(STOPPED, 1, "enough")
    assert stage.state.is_backed(said)
    assert command(stage, STOPPED, by=3) == ()


def test_one_who_is_neither_creator_nor_finalizer_is_refused() -> None:
    stage = scene(3, threshold=2)
    outsider = type(stage.cast[0]).from_seed(bytes(32))
    stage.cast = [*stage.cast, outsider]
    assert code(command(stage, STOPPED, by=3)) == "not_creator"
    assert code(command(stage, KILLED, by=3)) == "missing_role"


# --- what is refused then -------------------------------------------------------------------------

Act = Callable[[Scene], object]


def begun() -> tuple[Scene, dict[str, Act]]:
    """Return a task in the middle of work, and everything that could be signed next."""
    stage = local_scene(max_proposers=2, max_concurrency={"propose": 2, "verify": 2})
    held = stage.claim(Work.PROPOSE, executor="y")
    me = stage.cast[0]

    acts: dict[str, Act] = {
        "claim": lambda s: decide.claim(s.state, me.node_id, Work.PROPOSE, "x", s.now_ms),
        "propose": lambda s: decide.propose(s.state, held, ref(), [], None, s.now_ms),
        "renew": lambda s: decide.renew(s.state, held, s.now_ms),
        "report_error": lambda s: decide.report_error(
            s.state, held, "other", (999,), "it broke", s.now_ms
        ),
        "release": lambda s: decide.release(s.state, held, s.now_ms),
        "decision": lambda s: decide.decision(s.state, me.node_id, s.now_ms),
        "retry": lambda s: decide.retry(s.state, me.node_id, s.now_ms),
        "finality": lambda s: decide.finality(
            s.state, me, held, s.now_ms, has_bodies=True, has_passed=True
        ),
    }
    return stage, acts


@pytest.mark.parametrize("said", [STOPPED, KILLED])
def test_nothing_is_signed_for_a_task_that_is_stopped_or_killed(said: ControlWord) -> None:
    stage, acts = begun()
    command(stage, said)
    assert {name: code(act(stage)) for name, act in acts.items()} == dict.fromkeys(
        acts, "task_not_open"
    )


def test_while_it_is_suspended_work_that_was_begun_may_end_and_no_more() -> None:
    stage, acts = begun()
    command(stage, SUSPENDED)
    done = {name for name, act in acts.items() if not isinstance(act(stage), Rejection)}
    assert done == {"propose", "renew", "report_error", "release"}


def test_there_is_nothing_to_do_until_it_is_resumed() -> None:
    stage, _ = begun()

    def roster() -> Roster:
        return due(stage.state, stage.cast[0], [X, ExecutorOffer(name="y")], stage.now_ms)

    before = roster()
    assert before.duties
    for said in (SUSPENDED, STOPPED):
        command(stage, said)
        assert roster() == Roster()
    command(stage, RESUMED)
    assert [type(each) for each in roster().duties] == [type(each) for each in before.duties]
    assert stage.now_ms < START_MS + 1_000, "all of this was one moment"


def test_the_creator_is_outranked_by_the_finalizers() -> None:
    stage = troupe()
    stage.control(SUSPENDED, 1, [1, 2], by=1)
    assert code(command(stage, RESUMED)) == "outranked"
    assert code(command(stage, KILLED)) == "missing_role"
    for finalizer in (2, 3):
        command(stage, RESUMED, by=finalizer)
    assert word(stage) == "open"


def test_numbers_that_one_finalizer_made_up_hold_nobody_up() -> None:
    stage = troupe()
    stage.control(STOPPED, 2**53 - 1, [1], by=1)
    for finalizer in (2, 3):
        command(stage, STOPPED, by=finalizer)
    assert stage.state.control == Control(STOPPED, 1, "")


def test_a_control_word_is_about_the_task_and_no_epoch_of_it() -> None:
    answer = command(local_scene(), STOPPED)
    assert not isinstance(answer, Rejection)
    assert opened_at(answer) is None
