"""Honest nodes reach finality by their duty rosters alone."""

import random

import pytest

from tests.laws.honest_laws import SCENARIOS, SKEW_MS, Scenario, swarm
from tests.laws.swarm import Node, Swarm
from wattswarm.kernel.group_digest import group_digest
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import Ballot, Status
from wattswarm.kernel.rows import rows
from wattswarm.kernel.views import median_score_bp


def run(name: str, *, skew_ms: int = 0, seed: int = 1) -> Swarm:
    """Run a scenario to its end; it must become final, with one digest everywhere."""
    world = swarm(scenario(name), random.Random(seed), skew_ms)
    assert world.run(240_000)
    world.settle()
    assert len({group_digest(rows(node.state)) for node in world.nodes}) == 1
    return world


def scenario(name: str) -> Scenario:
    """Return the scenario of this name."""
    return next(each for each in SCENARIOS if each.name == name)


@pytest.mark.parametrize("name", [each.name for each in SCENARIOS])
@pytest.mark.parametrize("skew_ms", [0, SKEW_MS])
def test_an_honest_run_reaches_finality_whatever_the_clocks_say(name: str, skew_ms: int) -> None:
    run(name, skew_ms=skew_ms)


def test_in_a_network_of_one_all_executors_propose_and_verify_each_others_work() -> None:
    world = run("one node, three executors")
    state = world.nodes[0].state
    assert {each.executor for each in state.candidates.values()} == {
        f"executor-0-{number}" for number in range(3)
    }
    verified = {
        (each.executor, state.candidates[each.candidate].executor)
        for each in state.results.values()
    }
    assert len(verified) == 6
    assert all(verifier != proposer for verifier, proposer in verified)
    assert len(state.votes) == 3
    assert state.verdicts == {}


def test_one_executor_without_independence_is_enough() -> None:
    world = run("one node, one executor")
    assert world.nodes[0].state.verdicts == {}
    assert len(world.log) == 9


def test_the_candidate_that_verifiers_score_highest_is_decided_for() -> None:
    world = swarm(scenario("one node, three executors"), random.Random(1), 0)
    (node,) = world.nodes

    def scoring(_: Node, candidate: EventId, executor: str) -> tuple[Status, int]:
        proposer = node.state.candidates[candidate].executor
        return Status.PASSED, 9_900 if proposer.endswith("1") else 5_000

    node.judge = scoring
    assert world.run(60_000)
    state = node.state
    assert state.decision is not None
    assert state.candidates[state.decision.candidate].executor == "executor-0-1"
    assert median_score_bp(state, state.decision.candidate) == 9_900


def test_a_candidate_that_most_verifiers_reject_is_not_decided_for() -> None:
    world = swarm(scenario("one node, three executors"), random.Random(1), 0)
    (node,) = world.nodes

    def strict(_: Node, candidate: EventId, executor: str) -> tuple[Status, int]:
        is_good = node.state.candidates[candidate].executor.endswith("2")
        return (Status.PASSED, 6_000) if is_good else (Status.FAILED, 0)

    node.judge = strict
    assert world.run(60_000)
    state = node.state
    assert state.decision is not None
    assert state.candidates[state.decision.candidate].executor == "executor-0-2"
    assert sorted(vote.ballot for vote in state.votes.values()) == [
        Ballot.APPROVE,
        Ballot.REJECT,
        Ballot.REJECT,
    ]


def test_rejected_work_is_proposed_anew_in_another_attempt() -> None:
    world = swarm(scenario("one node, one executor"), random.Random(1), 0)
    (node,) = world.nodes

    def harsh_at_first(_: Node, candidate: EventId, executor: str) -> tuple[Status, int]:
        attempt = node.state.candidates[candidate].attempt
        return (Status.FAILED, 0) if attempt == 1 else (Status.PASSED, 9_000)

    node.judge = harsh_at_first
    assert world.run(120_000)
    assert node.state.attempt == 2
    assert node.state.decision is not None
    assert node.state.decision.attempt == 2


def test_failures_are_reported_once_and_tried_again_while_attempts_remain() -> None:
    world = swarm(scenario("one node, one executor"), random.Random(1), 0)
    (node,) = world.nodes
    node.failing = {"executor-0-0"}
    assert not world.run(240_000)
    state = node.state
    assert state.attempt == state.terms.max_attempts
    assert len(state.errors) == state.terms.max_attempts
    assert len({error.claim for error in state.errors.values()}) == len(state.errors)


def test_in_a_network_of_four_a_quorum_of_sealed_votes_and_two_finalizers_make_it_final() -> None:
    world = run("four nodes, commit and reveal")
    state = world.nodes[0].state
    assert state.decision is not None
    assert state.decision.approvals >= 2
    assert len(state.commits) >= 2
    assert state.outcomes[0].signers >= 2
    assert state.outcomes[0].threshold == 2
    authors = {each.author for each in state.results.values()}
    assert state.candidates[state.decision.candidate].author not in authors


def test_crashes_and_restarts_do_not_keep_a_task_from_its_end() -> None:
    world = swarm(scenario("four nodes, commit and reveal"), random.Random(4), SKEW_MS)
    world.crash_chance = 0.2
    assert world.run(240_000)
