"""Whether a task could be worked on, verified and decided by those who hold the roles."""

from collections.abc import Collection, Iterator, Mapping
from typing import cast

from wattswarm.kernel.canonical import Value
from wattswarm.kernel.contract.model import BY_RANK, Independence
from wattswarm.kernel.contract.rules import Problem
from wattswarm.kernel.version import Role, Version


def role_problems(
    terms: Mapping[str, Value], pin: Version, wrong: Collection[str]
) -> Iterator[Problem]:
    """Yield what the roles of a governance version make impossible.

    Args:
        terms: The terms of a contract.
        pin: The governance version that the task will run under.
        wrong: Names of fields that cannot be relied on.
    """
    where = f"governance version {pin.version}"
    if not pin.holders(Role.PROPOSER) and Role.PROPOSER not in pin.open_roles:
        yield Problem("$", "nobody_can_propose", f"{where} names no proposer; grant the role first")
    if not pin.holders(Role.COMMITTER):
        yield Problem("$", "nobody_can_decide", f"{where} names no committer; grant the role first")
    if "decider" not in wrong:
        yield from _decider_problems(terms["decider"], pin, where)
    if "independence" not in wrong:
        voters = voters_max(pin, Independence(cast("str", terms["independence"])))
        if voters is not None:
            yield from _voter_problems(terms, voters, where, wrong)


def voters_max(pin: Version, independence: Independence) -> int | None:
    """Return how many verifiers could vote for one candidate at most; none where anybody may."""
    if Role.VERIFIER in pin.open_roles:
        return None
    verifiers = pin.holders(Role.VERIFIER)
    if independence is not Independence.NODE or Role.PROPOSER in pin.open_roles:
        return len(verifiers)
    proposers = pin.holders(Role.PROPOSER)
    # The candidate of a proposer that verifies as well has one voter fewer.
    return len(verifiers) - (1 if proposers <= verifiers else 0)


def _decider_problems(decider: Value, pin: Version, where: str) -> Iterator[Problem]:
    if decider != BY_RANK and decider not in pin.holders(Role.COMMITTER):
        message = f"{where} does not name this node as a committer; name one or write {BY_RANK}"
        yield Problem("$.decider", "decider_not_committer", message)


def _voter_problems(
    terms: Mapping[str, Value], voters: int, where: str, wrong: Collection[str]
) -> Iterator[Problem]:
    if voters < 1:
        message = (
            f"{where} names no verifier that independence {terms['independence']} allows; "
            "admit another verifier, or set independence to none"
        )
        yield Problem("$.independence", "nobody_can_verify", message)
        return
    for name in ("quorum_threshold", "da_quorum_threshold"):
        if name not in wrong and cast("int", terms[name]) > voters:
            message = (
                f"{terms[name]} voters are needed and {where} has {voters} at most; "
                f"lower {name} or admit more verifiers"
            )
            yield Problem(f"$.{name}", "quorum_unreachable", message)
