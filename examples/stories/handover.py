"""Finalizers hand over: the old ones' word ends with their epoch, the new ones' begins."""

import random

from examples.stories.agreement import agree
from examples.stories.node import Node
from examples.stories.stage import Stage
from examples.stories.tale import Tale
from wattswarm.kernel import decide
from wattswarm.kernel.decide import Amendment
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.finality import finality_message
from wattswarm.kernel.governance import Role
from wattswarm.kernel.ids import EventId, TaskId
from wattswarm.kernel.payloads import ControlWord, DecisionFinalized
from wattswarm.kernel.verdict import Ignored

EPOCH_MS = 120_000
FINALIZER = frozenset({Role.FINALIZER})
TERMS = {"mode": "continuous", "budget_mode": "epoch_renew", "expires_in_ms": EPOCH_MS}


def play(tale: Tale, rng: random.Random) -> None:
    """Tell of two finalizers who hand over to two others."""
    nobody = frozenset[Role]()
    roles = {
        "ann": frozenset(Role),
        "ben": FINALIZER,
        "cleo": frozenset({Role.VERIFIER}),
        "dora": frozenset({Role.VERIFIER}),
        "emil": frozenset({Role.PROPOSER, Role.COMMITTER}),
        "gus": nobody,
        "hana": nobody,
    }
    stage = Stage.found(tale, rng, roles)
    ann, emil = stage["ann"], stage["emil"]
    new = {stage["gus"].id, stage["hana"].id}

    task = stage.create(emil, [17, 25], **TERMS)
    stage.run_until_final(task)
    tale.tell("emil's continuous task is final in its first epoch, by ann's and ben's signatures.")

    old = (ann.id, stage["ben"].id)
    version = stage.amend(
        Amendment(grants=dict.fromkeys(new, FINALIZER), revocations=dict.fromkeys(old, FINALIZER))
    )
    tale.hold(
        stage.everywhere(lambda node: node.governance.head() == version),
        "ann and ben sign the version in which gus and hana are the finalizers.",
    )
    stage.run(
        lambda: stage.everywhere(lambda node: node.state(task).here.epoch == 2), "epoch 2 is open"
    )
    tale.tell("They sign the end of epoch 1 as well: epoch 2 is open under the new version.")

    _new_ones_control(stage, task)
    _old_ones_cannot_finalize(stage, task)
    stage.run_until_final(task, 2)
    signers = {seal.signer for seal in ann.state(task).seals if seal.label.epoch == 2}
    tale.hold(signers == new, "Epoch 2 is final by the signatures of gus and hana alone.")
    first = stage.outcome(ann, task)
    tale.hold(
        first is not None and first.signers == 2, "Epoch 1 stays final by those of ann and ben."
    )
    agree(stage)


def _new_ones_control(stage: Stage, task: TaskId) -> None:
    """Let the old ones try to suspend the task, and the new ones do it, and resume it."""
    tale, ann = stage.tale, stage["ann"]
    refused = decide.control(ann.state(task), ann.key, ControlWord.SUSPENDED, stage.now_ms)
    tale.hold(
        isinstance(refused, Rejection) and refused.code == "not_creator",
        "ann cannot suspend the task any more: her node refuses before it signs.",
    )
    _control(stage, task, ControlWord.SUSPENDED)
    tale.hold(
        stage.everywhere(lambda node: stage.word(node, task) == "suspended"),
        "gus and hana can: the task is suspended.",
    )
    taken = len(ann.state(task).claims)
    stage.rest(10)
    tale.hold(len(ann.state(task).claims) == taken, "Nobody takes a place while it rests.")
    _control(stage, task, ControlWord.RESUMED)
    tale.hold(
        stage.everywhere(lambda node: stage.word(node, task) == "open"),
        "They resume it, and it is open.",
    )


def _control(stage: Stage, task: TaskId, word: ControlWord) -> None:
    for node in (stage["gus"], stage["hana"]):
        now_ms = stage.clock(node)
        stage.command(node, decide.control(node.state(task), node.key, word, now_ms))
        stage.settle()


def _old_ones_cannot_finalize(stage: Stage, task: TaskId) -> None:
    """Let ann and ben sign finality for the new epoch, by their nodes' leave and without it."""
    tale, ann = stage.tale, stage["ann"]
    stage.run(lambda: _decision(ann, task) is not None, "epoch 2 is decided")
    decision = _decision(ann, task)
    assert decision is not None
    refused = decide.finality(
        ann.state(task), ann.key, decision, stage.now_ms, has_bodies=True, has_passed=True
    )
    tale.hold(
        isinstance(refused, Rejection) and refused.code == "missing_role",
        "Epoch 2 is decided; ann's node refuses to sign its finality.",
    )
    forged = [_forge(stage, name, task, decision) for name in ("ann", "ben")]
    stage.settle()
    tale.tell("ann and ben sign it by hand, past their nodes.")
    state = stage["gus"].state(task)
    tale.hold(
        {state.verdict(name) for name in forged} == {Ignored("no_valid_signature")},
        "That counts for nothing: they are no finalizers of the epoch's version.",
    )


def _decision(node: Node, task: TaskId) -> EventId | None:
    decisions = node.state(task).decisions.values()
    return next((each.event_id for each in decisions if each.label.epoch == 2), None)


def _forge(stage: Stage, name: str, task: TaskId, decision: EventId) -> EventId:
    node = stage[name]
    given = node.state(task).decisions[decision]
    signed = finality_message(stage.network_id, task, given.label, given.candidate, decision)
    carried = DecisionFinalized(
        pin=given.label.pin,
        candidate=given.candidate,
        decision=decision,
        sigs=((node.id, node.key.sign(signed)),),
    )
    return stage.utter(node, task, carried, epoch=given.label.epoch)
