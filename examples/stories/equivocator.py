"""Votes are sealed, and one voter seals two: it is reported, and takes nothing away."""

import random

from examples.stories import forging
from examples.stories.agreement import agree
from examples.stories.stage import EVERY_ROLE, JUDGING, WORKING, Stage
from examples.stories.tale import Tale
from wattswarm.kernel.ids import EventId, TaskId
from wattswarm.kernel.payloads import Ballot, Work
from wattswarm.kernel.views import vote_equivocations


def play(tale: Tale, rng: random.Random) -> None:
    """Tell of a voter who says yes and no."""
    roles = {"ann": EVERY_ROLE, "ben": JUDGING, "cleo": JUDGING, "mallory": WORKING}
    stage = Stage.found(tale, rng, roles, hostile=["mallory"])
    ann, mallory = stage["ann"], stage["mallory"]

    task = stage.create(ann, [17, 25], max_verifiers=3)
    tale.tell("ann asks what 17 and 25 add up to; two approvals make a quorum, votes are sealed.")
    stage.run(lambda: task in ann.machines and bool(ann.state(task).candidates), "ann answers")
    yes, no = _two_votes(stage, task)
    tale.tell("mallory verifies the answer twice, with both findings, and seals a yes and a no.")
    stage.run_until_final(task)
    forging.reveal(stage, mallory, task, yes, Ballot.APPROVE)
    forging.reveal(stage, mallory, task, no, Ballot.REJECT)
    stage.settle()
    tale.tell("She reveals both.")

    state, once = ann.state(task), ann.without(task, [no])
    reported = [(each.voter, each.names) for each in vote_equivocations(state)]
    tale.hold(
        reported == [(mallory.id, tuple(sorted((yes, no))))],
        "Every node reports mallory as a voter who said two things, and names both commits.",
    )
    subject = state.commits[yes].subject
    tale.hold(
        state.approvals(subject) == once.approvals(subject) >= state.terms.quorum_threshold,
        f"The answer has {state.approvals(subject)} approvals, as many as without her second word.",
    )
    tale.hold(
        once.outcomes == state.outcomes and stage.answer(ann, task) == 42,
        "The outcome is the same with her second word as without it: 42.",
    )
    agree(stage)


def _two_votes(stage: Stage, task: TaskId) -> tuple[EventId, EventId]:
    """Have mallory find the candidate both good and bad, and seal both votes."""
    mallory = stage["mallory"]
    (candidate,) = mallory.state(task).candidates
    claim = forging.claim(stage, mallory, task, Work.VERIFY)
    good = forging.find(stage, mallory, task, claim, candidate, Ballot.APPROVE)
    yes = forging.seal(stage, mallory, task, good)
    bad = forging.find(stage, mallory, task, claim, candidate, Ballot.REJECT)
    return yes, forging.seal(stage, mallory, task, bad)
