"""A back-dater comes late, dates what she says early, and gains nothing by that."""

import random

from examples.stories import forging
from examples.stories.agreement import agree
from examples.stories.stage import EVERY_ROLE, JUDGING, WORKING, Stage
from examples.stories.tale import Tale
from wattswarm.kernel.ids import EventId, TaskId
from wattswarm.kernel.payloads import Ballot, Work
from wattswarm.kernel.records import Candidate
from wattswarm.kernel.verdict import Ignored
from wattswarm.kernel.views import best_subject


def play(tale: Tale, rng: random.Random) -> None:
    """Tell of somebody who writes an earlier date than the day's."""
    roles = {"ann": EVERY_ROLE, "ben": JUDGING, "cleo": JUDGING, "mallory": WORKING}
    stage = Stage.found(tale, rng, roles, hostile=["mallory"])
    ann = stage["ann"]

    task = stage.create(ann, [17, 25], max_verifiers=3)
    stage.run(lambda: _is_approved(stage, task), "two voters reveal that they approve")
    (candidate,) = ann.state(task).candidates.values()
    tale.tell("ann's answer to her task is there, and two voters have revealed that they approve.")

    early = _early_candidate(stage, task)
    tale.tell("Only now mallory proposes 41, dated before anything but the task itself.")
    reject = _early_vote(stage, task, candidate)
    tale.tell(
        "She verifies the honest answer, rejects it, and dates her sealed vote before theirs."
    )
    impossible = _finding_at_once(stage, task, candidate)
    tale.tell("And one finding she gives the date of the answer that it is about.")
    stage.run_until_final(task)

    state = ann.state(task)
    tale.hold(
        early in state.candidates and stage.winner(ann, task) == candidate.event_id,
        "Her early answer stands in the record, and the later one is final: no date decides.",
    )
    subject = best_subject(state, candidate.label, candidate.event_id)
    tale.hold(
        reject in state.votes and state.rejections(subject) == 0,
        "Her vote is known and does not count: too few had seen her commit when they revealed.",
    )
    tale.hold(
        state.verdict(impossible) == Ignored("date_order", candidate.event_id),
        "What is not dated after the thing that it names is ignored.",
    )
    tale.hold(stage.answer(ann, task) == 42, "The outcome is 42.")
    agree(stage)


def _is_approved(stage: Stage, task: TaskId) -> bool:
    state = stage["ann"].state(task)
    return any(
        state.approvals(best_subject(state, each.label, each.event_id)) >= 2
        for each in state.candidates.values()
    )


def _early_candidate(stage: Stage, task: TaskId) -> EventId:
    mallory = stage["mallory"]
    at_ms = mallory.state(task).created_at + 1
    claim = forging.claim(stage, mallory, task, Work.PROPOSE, at_ms)
    return forging.propose(stage, mallory, task, claim, at_ms + 1)


def _early_vote(stage: Stage, task: TaskId, candidate: Candidate) -> EventId:
    """Commit to a rejection right after the candidate, and reveal it now."""
    mallory, name, at_ms = stage["mallory"], candidate.event_id, candidate.created_at
    claim = forging.claim(stage, mallory, task, Work.VERIFY, at_ms + 1)
    found = forging.find(stage, mallory, task, claim, name, Ballot.REJECT, at_ms + 2)
    commit = forging.seal(stage, mallory, task, found, at_ms + 3)
    return forging.reveal(stage, mallory, task, commit, Ballot.REJECT)


def _finding_at_once(stage: Stage, task: TaskId, candidate: Candidate) -> EventId:
    mallory, at_ms = stage["mallory"], candidate.created_at
    early_ms = mallory.state(task).created_at + 1
    claim = forging.claim(stage, mallory, task, Work.VERIFY, early_ms)
    return forging.find(stage, mallory, task, claim, candidate.event_id, Ballot.REJECT, at_ms)
