"""A node's key falls into strange hands: a window of its words is void, and then all but a few."""

import random

from examples.stories import forging
from examples.stories.agreement import agree
from examples.stories.node import Node
from examples.stories.stage import EVERY_ROLE, WORKING, Stage
from examples.stories.tale import Tale
from wattswarm.kernel import decide
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.ids import EventId, TaskId
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.verdict import Ignored, Verdict


def play(tale: Tale, rng: random.Random) -> None:
    """Tell of a thief who writes under mallory's name, first openly and then back-dated."""
    honest = dict.fromkeys(("ann", "ben", "cleo"), EVERY_ROLE)
    stage = Stage.found(tale, rng, {**honest, "mallory": WORKING})
    own = stage.create(stage["mallory"], [1, 2])
    stage.run_until_final(own)
    tale.tell("mallory is an honest node; a task of hers became final.")

    stage["mallory"].is_honest = False
    stage.rest(10)
    task = stage.create(stage["ann"], [17, 25], max_proposers=1)
    stage.settle()
    since_ms = stage.date(stage["mallory"], task) + 1_000
    _window(stage, task, own, since_ms)
    _cut(stage, task, own, since_ms)
    agree(stage)


def _window(stage: Stage, task: TaskId, own: TaskId, since_ms: int) -> None:
    """Let the thief answer, and void what is dated within the hours of the theft."""
    tale, ann = stage.tale, stage["ann"]
    wrong = _propose(stage, task, since_ms)
    stage.settle()
    stage.run(lambda: bool(_findings(ann, task, wrong)), "somebody verifies the thief's answer")
    tale.tell("A thief has her key, and answers ann's question with 41. Others look into it.")
    findings = _findings(ann, task, wrong)

    _penalize(stage, "the key was stolen", window=(since_ms, since_ms + 60_000))
    tale.tell("Two finalizers penalize her for the hours in which the thief had the key.")
    state = ann.state(task)
    tale.hold(
        _code(state.verdict(wrong)) == "penalized",
        "The thief's answer is void: it is dated within the window.",
    )
    tale.hold(
        {_code(state.verdict(name)) for name in findings} == {"depends_on_revoked"},
        "What others found out about it has no effect either.",
    )
    tale.hold(
        own in ann.state(own).effective and stage.word(ann, own) == "final",
        "What she said before the window has its effect, and her task stays final.",
    )
    stage.run_until_final(task)
    tale.hold(stage.answer(ann, task) == 42, "ann's task becomes final with 42.")


def _cut(stage: Stage, task: TaskId, own: TaskId, since_ms: int) -> None:
    """Let the thief date an answer before the window, and void all but what is kept by name."""
    tale, ann, mallory = stage.tale, stage["ann"], stage["mallory"]
    winner = stage.winner(ann, task)
    forged = _propose(stage, task, ann.state(task).created_at + 1)
    stage.settle()
    tale.tell("The thief still has the key, and dates another answer before the window.")
    tale.hold(
        ann.state(task).candidates[forged].created_at < since_ms,
        "That takes effect: dates are the author's own.",
    )

    _penalize(stage, "the key is lost for good", keep_only=frozenset({own}))
    tale.tell("So the finalizers cut off all that ever came by that key, but her own contract.")
    tale.hold(
        _code(ann.state(task).verdict(forged)) == "penalized"
        and _spoken(ann, own, mallory) == {own},
        "Now the back-dated answer is void, and of all her words only that contract has effect.",
    )
    tale.hold(
        stage.word(ann, own) == "final" and stage.winner(ann, task) == winner,
        "Both tasks are final as they were.",
    )
    refused = decide.create_task(
        {"task_type": "add", "inputs": {"numbers": []}},
        governance=mallory.governance,
        network_id=stage.network_id,
        key_node=mallory.id,
        now_ms=stage.now_ms,
    )
    tale.hold(
        isinstance(refused, Rejection) and refused.code == "barred",
        "Her own node signs nothing any more: it would have no effect.",
    )


def _findings(node: Node, task: TaskId, candidate: EventId) -> set[EventId]:
    results = node.state(task).results.values()
    return {each.event_id for each in results if each.candidate == candidate}


def _propose(stage: Stage, task: TaskId, at_ms: int) -> EventId:
    """Have the thief claim a place and answer 41, from this date on."""
    claim = forging.claim(stage, stage["mallory"], task, Work.PROPOSE, at_ms)
    return forging.propose(stage, stage["mallory"], task, claim, at_ms + 1)


def _penalize(
    stage: Stage,
    reason: str,
    *,
    window: tuple[int, int] | None = None,
    keep_only: frozenset[EventId] | None = None,
) -> None:
    for node in (stage["ann"], stage["ben"]):
        answer = decide.penalize(
            node.governance,
            node.key,
            stage["mallory"].id,
            stage.clock(node),
            reason=reason,
            window=window,
            keep=keep_only,
        )
        stage.command(node, answer)
        stage.settle()


def _spoken(node: Node, task: TaskId, author: Node) -> set[EventId]:
    """Return the events of an author on a task that have effect."""
    effective = node.state(task).effective
    return {name for name in effective if node.events[name].author == author.id}


def _code(verdict: Verdict | None) -> str | None:
    return verdict.code if isinstance(verdict, Ignored) else None
