"""A contract is revoked: what depends on it goes too, what was final stays, all can come back."""

import random

from examples.stories.agreement import agree, digest_of
from examples.stories.node import Node
from examples.stories.stage import EVERY_ROLE, Stage
from examples.stories.tale import Tale
from wattswarm.kernel import decide
from wattswarm.kernel.ids import TaskId
from wattswarm.kernel.payloads.statement import StatementState
from wattswarm.kernel.verdict import Ignored


def play(tale: Tale, rng: random.Random) -> None:
    """Tell of two tasks that are revoked, one of them final already."""
    stage = Stage.found(tale, rng, dict.fromkeys(("ann", "ben", "cleo"), EVERY_ROLE))
    ann = stage["ann"]

    old = stage.create(ann, [17, 25])
    stage.run_until_final(old)
    winner = stage.winner(ann, old)
    tale.tell("One of ann's tasks is final.")
    young = stage.create(ann, [20, 30])
    stage.run(lambda: bool(ann.state(young).results), "the second task has been verified")
    before = digest_of(ann)
    tale.tell("Another has an answer, and a finding about it.")

    for task in (old, young):
        _state(stage, task, StatementState.REVOKED, "nobody had the right to ask this")
    tale.tell("Two of three finalizers, which is enough, revoke both contracts.")
    tale.hold(
        stage.everywhere(lambda node: _is_all_void(node, young)),
        "The open task is void, and so is everything that was said under it.",
    )
    tale.hold(
        stage.everywhere(
            lambda node: stage.word(node, old) == "final" and stage.winner(node, old) == winner
        ),
        "The final task is final, with the same outcome: counted signatures are not taken back.",
    )
    count = len(ann.events)
    stage.rest(20)
    tale.hold(len(ann.events) == count, "Nobody works on the open one while it is void.")

    for task in (old, young):
        _state(stage, task, StatementState.RESTORED, "they had")
    tale.tell("The finalizers restore both.")
    tale.hold(digest_of(ann) == before, "All is as it was, to the last byte.")
    stage.run_until_final(young)
    tale.tell("The nodes go on where they were, until the second task is final as well.")
    agree(stage)


def _state(stage: Stage, task: TaskId, state: StatementState, reason: str) -> None:
    """Have two finalizers sign a statement, the second joining what the first began."""
    for node in (stage["ann"], stage["ben"]):
        answer = decide.revoke(
            node.governance,
            node.key,
            task,
            stage.clock(node),
            state=state,
            reason=reason,
            kind=node.events[task].kind,
        )
        stage.command(node, answer)
        stage.settle()


def _is_all_void(node: Node, task: TaskId) -> bool:
    state = node.state(task)
    codes = {
        name: verdict.code if isinstance(verdict, Ignored) else ""
        for name, verdict in state.verdicts.items()
    }
    return (
        not state.effective
        and codes.pop(task) == "revoked"
        and set(codes.values()) == {"depends_on_revoked"}
    )
