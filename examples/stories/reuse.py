"""A decision is used again: the candidate names it, and is verified like any other."""

import random

from examples.stories import forging
from examples.stories.agreement import agree
from examples.stories.node import Answer, Node, add_up
from examples.stories.stage import EVERY_ROLE, JUDGING, WORKING, Stage
from examples.stories.tale import Tale
from wattswarm.kernel.ids import EventId, TaskId
from wattswarm.kernel.knowledge import may_reuse, precedents, question
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.records import Candidate
from wattswarm.kernel.state import TaskState


def play(tale: Tale, rng: random.Random) -> None:
    """Tell of an answer that is given again, and of a false one under its name."""
    roles = {"ann": EVERY_ROLE, "ben": JUDGING, "cleo": JUDGING, "mallory": WORKING}
    stage = Stage.found(tale, rng, roles, hostile=["mallory"])
    stage["ann"].answer = recall

    task = stage.create(stage["ann"], [17, 25])
    winner = _final(stage, task)
    (precedent,) = precedents(stage["ann"].state(task))
    tale.tell("ann asks for 17 and 25, and her executor works it out; it is decided and final.")
    tale.hold(winner.reuse_of is None, "Nothing was there to be used again.")
    _give_again(stage, winner, precedent.decision)
    _give_falsely(stage, winner, precedent.decision)
    agree(stage)


def _give_again(stage: Stage, winner: Candidate, decision: EventId) -> None:
    """Ask the same again, of nodes that remember."""
    tale = stage.tale
    task = stage.create(stage["ann"], [17, 25])
    again, state = _final(stage, task), stage["ann"].state(task)
    tale.tell("She asks the same again. Her node knows the decision, and gives its answer again.")
    tale.hold(
        again.reuse_of == decision and again.output == winner.output,
        "The candidate names the decision that it repeats, and its body is the same.",
    )
    votes = state.votes.values()
    approvers = {vote.author for vote in votes if vote.subject.candidate == again.event_id}
    tale.hold(
        len(approvers) >= state.terms.quorum_threshold and again.author not in approvers,
        "Others verified it and voted all the same: a name is no argument.",
    )


def _give_falsely(stage: Stage, winner: Candidate, decision: EventId) -> None:
    """Ask once more, and let mallory name the decision for another answer."""
    tale, mallory = stage.tale, stage["mallory"]
    task = stage.create(stage["ann"], [17, 25])
    stage.settle()
    claim = forging.claim(stage, mallory, task, Work.PROPOSE)
    false = forging.propose(stage, mallory, task, claim, reuse_of=decision)
    stage.settle()
    tale.tell("She asks once more, and mallory is first: she names the decision, and answers 41.")
    right = _final(stage, task)
    rejected = [
        (each.candidate, each.decision)
        for each in stage["ann"].state(task).reuse_rejections.values()
    ]
    tale.hold(
        set(rejected) == {(false, decision)},
        "Others reject it, and it is on record that a repetition of that decision was rejected.",
    )
    tale.hold(
        right.reuse_of is None and right.output == winner.output,
        "ann's node does the work this time: the outcome is 42 once more.",
    )


def recall(node: Node, state: TaskState, now_ms: int) -> Answer:
    """Answer as an earlier decision on the same question did, if it may be tried; else work."""
    asked = question(state.terms)
    for machine in node.machines.values():
        for known in precedents(machine.state):
            if known.question == asked and may_reuse(state, now_ms):
                return Answer(node.bodies[known.output.digest], known.decision)
    return add_up(node, state, now_ms)


def _final(stage: Stage, task: TaskId) -> Candidate:
    stage.run_until_final(task)
    winner = stage.winner(stage["ann"], task)
    assert winner is not None
    return stage["ann"].state(task).candidates[winner]
