"""What an operator should know about a version of governance before signing it: no rule forbids it.

Each concern is a sentence; those that the version before had as well are not repeated.
"""

from collections.abc import Iterator
from typing import Final

from wattswarm.kernel.decide.amendment import ADMISSION
from wattswarm.kernel.governance import RULES_VERSION, Admission, Role, Version
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.policy import BUILTIN

READ: Final = frozenset({ADMISSION})
"""The parameters that rules of this program read."""

NOBODY_CAN: Final = {
    Role.PROPOSER: "create tasks or propose answers",
    Role.VERIFIER: "verify or vote",
    Role.COMMITTER: "decide or open another attempt",
}


def concerns(version: Version, prev: Version, me: NodeId) -> tuple[str, ...]:
    """Return what is new in a version and may surprise whoever signs it."""
    known = frozenset(_concerns(prev))
    found = [told for told in _concerns(version) if told not in known]
    if me in prev.finalizers - version.finalizers:
        found.append("this node is no finalizer any more, and signs no further version")
    if Admission.OPEN is prev.admission and version.admission is Admission.CLOSED:
        found.append("admission was open once, which holds for ever: nobody is shut out by this")
    return tuple(found)


def _concerns(version: Version) -> Iterator[str]:
    for role, deeds in NOBODY_CAN.items():
        if role not in version.open_roles and not version.holders(role):
            yield f"nobody is a {role.value}: nobody can {deeds}"
    yield from _quorum(len(version.finalizers), version.threshold)
    yield from _policies(version)
    for name in sorted(version.params.keys() - READ):
        yield f"no rule of this program reads the parameter {name}"
    if version.rules_version != RULES_VERSION:
        yield f"this program lacks rules {version.rules_version}: it signs nothing under them"


def _quorum(finalizers: int, threshold: int) -> Iterator[str]:
    if finalizers > 1 and threshold == finalizers:
        yield f"all {finalizers} finalizers have to sign: nothing is final while one is away"
    if finalizers > 1 and tolerated(finalizers, threshold) == 0:
        yield (
            f"with {threshold} of {finalizers} finalizers none may contradict itself: one that "
            "signs two outcomes can make both final"
        )


def tolerated(finalizers: int, threshold: int) -> int:
    """Return how many finalizers may contradict themselves without two outcomes being final."""
    return 2 * threshold - finalizers - 1


def _policies(version: Version) -> Iterator[str]:
    if not version.policies:
        yield "no policy is registered: no task can be made"
    carried_out = {policy.name for policy in BUILTIN.values()}
    for policy in version.policies:
        if policy not in carried_out:
            yield f"this program cannot carry out policy {policy.id} version {policy.version}"
