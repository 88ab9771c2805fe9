"""A task that goes on: epoch after epoch, each under the governance of its time."""

import random

from examples.stories.agreement import agree
from examples.stories.stage import Stage
from examples.stories.tale import Tale
from wattswarm.kernel.decide import Amendment
from wattswarm.kernel.governance import Role
from wattswarm.kernel.ids import TaskId

FINALIZING = frozenset({Role.COMMITTER, Role.FINALIZER})
EPOCH_MS = 120_000


def play(tale: Tale, rng: random.Random) -> None:
    """Tell of three epochs, and of a verifier who joins for the second."""
    roles = {
        "ann": FINALIZING | {Role.PROPOSER},
        "ben": FINALIZING | {Role.VERIFIER},
        "cleo": frozenset({Role.FINALIZER, Role.VERIFIER}),
        "dora": frozenset[Role](),
    }
    stage = Stage.found(tale, rng, roles)
    ann, dora = stage["ann"], stage["dora"]

    task = stage.create(
        ann,
        [17, 25],
        mode="continuous",
        budget_mode="epoch_renew",
        expires_in_ms=EPOCH_MS,
    )
    tale.tell("ann creates a continuous task: an answer every two minutes.")
    stage.run_until_final(task)
    tale.hold(
        not _has_voted(stage, task, 1), "Epoch 1 is final; dora, who holds no role, took no part."
    )

    verifier = frozenset({Role.VERIFIER})
    pin = ann.state(task).here.pin
    version = stage.amend(
        Amendment(grants={dora.id: verifier}, revocations={stage["cleo"].id: verifier})
    )
    tale.tell("The finalizers sign a new version of governance: dora verifies in cleo's place.")
    tale.hold(
        ann.state(task).here.pin == pin != version.id,
        "Epoch 1 keeps the version that it was opened under.",
    )

    stage.run_until_final(task, 2)
    tale.tell("Epoch 1 expires; its finalizers sign its end, and which version follows.")
    tale.hold(
        stage.everywhere(lambda node: node.state(task).here == (2, version.id)),
        "Epoch 2 is open under the new version, for everybody.",
    )
    tale.hold(_has_voted(stage, task, 2), "Epoch 2 is final, and dora is among its voters.")

    stage.run_until_final(task, 3)
    outcomes = ann.state(task).outcomes
    tale.hold(
        [each.label.epoch for each in outcomes] == [1, 2, 3]
        and outcomes[2].label.pin == version.id
        and len({each.candidate for each in outcomes}) == 3,
        "Epoch 3 is final too; each of the three has an outcome of its own, and keeps it.",
    )
    agree(stage)


def _has_voted(stage: Stage, task: TaskId, epoch: int) -> bool:
    return any(
        vote.author == stage["dora"].id and vote.subject.label.epoch == epoch
        for vote in stage["ann"].state(task).votes.values()
    )
