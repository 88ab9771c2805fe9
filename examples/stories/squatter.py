"""A squatter takes the only place and does nothing, then writes under another's claim."""

import random

from examples.stories import forging
from examples.stories.agreement import agree
from examples.stories.stage import EVERY_ROLE, WORKING, Stage
from examples.stories.tale import Tale
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.verdict import Ignored

LEASE_MS = 8_000


def play(tale: Tale, rng: random.Random) -> None:
    """Tell of somebody who takes places and names that she has no use for."""
    honest = dict.fromkeys(("ann", "ben", "cleo"), EVERY_ROLE)
    stage = Stage.found(tale, rng, {**honest, "mallory": WORKING}, hostile=["mallory"])
    ann, mallory = stage["ann"], stage["mallory"]

    task = stage.create(ann, [17, 25], lease_ms=LEASE_MS, max_proposers=1)
    stage.settle()
    squatted = forging.claim(stage, mallory, task, Work.PROPOSE, lease_ms=LEASE_MS)
    stage.settle()
    tale.tell("ann creates a task with one place to propose. mallory takes it before anybody else,")
    tale.tell("and does nothing.")

    stage.run(lambda: bool(ann.state(task).candidates), "somebody proposes all the same")
    candidate = next(iter(ann.state(task).candidates.values()))
    tale.hold(
        candidate.author != mallory.id
        and candidate.created_at > ann.state(task).leases[squatted].end,
        "When mallory's lease of 8 s is over, the place is free, and an honest node proposes.",
    )

    stolen = forging.propose(stage, mallory, task, candidate.claim)
    tale.tell("mallory proposes 41 under the honest node's claim.")
    stage.run_until_final(task)
    tale.hold(
        ann.state(task).verdict(stolen) == Ignored("not_own_claim", candidate.claim),
        "Her event is kept and ignored: the claim that it names is not her own.",
    )
    tale.hold(stage.answer(ann, task) == 42, "The task is final with an honest answer, 42.")
    agree(stage)
