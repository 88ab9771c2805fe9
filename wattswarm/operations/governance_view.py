"""Versions of governance as people read them; pure."""

from collections.abc import Collection, Iterator, Mapping
from typing import cast

from wattswarm.kernel import decide
from wattswarm.kernel.drafter import drafters
from wattswarm.kernel.governance import Governance, Proposal, Role, Version
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.policy import BUILTIN, PolicyName
from wattswarm.operations.event_view import hex_or_none
from wattswarm.surface.governance import (
    ChangeLine,
    EquivocatorView,
    GovernanceView,
    MemberView,
    ProposalView,
    RegisteredPolicy,
    RoleWord,
    VersionLine,
    VersionView,
)
from wattswarm.surface.words import plain, when


def governance_view(governance: Governance, version: Version, now_ms: int) -> GovernanceView:
    """Return a version, and how governance stands now."""
    head = governance.head()
    waiting = 0 if head is None else len(governance.proposals(head.id))
    return GovernanceView(
        network_id=governance.network_id,
        version=version_view(governance, version, now_ms),
        drafters=tuple(node.hex() for node in drafters(version.id, version.finalizers)),
        admitted=len(governance.admitted),
        pending=waiting,
        equivocators=tuple(
            EquivocatorView(
                node_id=each.node.hex(),
                prev=each.prev.hex(),
                signed=tuple(name.hex() for name in each.signed),
            )
            for each in governance.equivocators
        ),
    )


def version_view(governance: Governance, version: Version, now_ms: int) -> VersionView:
    """Return a version as governance knows it, with those who signed it."""
    return shown(version, _signers(governance, version), governance, now_ms)


def shown(
    version: Version, signers: Collection[NodeId], governance: Governance, now_ms: int
) -> VersionView:
    """Return a version as it is once these have signed it."""
    prev = None if version.prev is None else governance.version(version.prev)
    needed = 0 if prev is None else prev.threshold
    is_known = governance.version(version.id) is not None
    is_valid = is_known or (prev is not None and len(signers) >= needed)
    return VersionView(
        version_id=version.id.hex(),
        number=version.version,
        prev=hex_or_none(version.prev),
        effective_at=when(version.effective_at),
        is_valid=is_valid,
        is_head=_is(governance.head(), version) if is_known else is_valid,
        is_in_effect=_is_in_effect(governance, version, now_ms, is_valid=is_valid),
        admission=version.admission.value,
        members=tuple(
            MemberView(node_id=node.hex(), roles=_words(version.members[node]))
            for node in sorted(version.members)
        ),
        open_roles=_words(version.open_roles),
        params=cast("Mapping[str, object]", plain(version.params)),
        policies=tuple(map(_policy, version.policies)),
        finalizers=len(version.finalizers),
        threshold=version.threshold,
        tolerated=decide.tolerated(len(version.finalizers), version.threshold),
        rules_version=version.rules_version,
        supersedes=tuple(name.hex() for name in sorted(version.supersedes)),
        signers=tuple(node.hex() for node in sorted(signers)),
        needed=needed,
    )


def version_line(governance: Governance, version: Version, now_ms: int) -> VersionLine:
    """Return a valid version as it stands in the history."""
    return VersionLine(
        version_id=version.id.hex(),
        number=version.version,
        effective_at=when(version.effective_at),
        is_head=_is(governance.head(), version),
        is_in_effect=_is(governance.head(now_ms), version),
        signers=len(_signers(governance, version)),
        changes=changes(version, governance),
    )


def proposal_view(
    governance: Governance, proposal: Proposal, me: NodeId, now_ms: int
) -> ProposalView:
    """Return a successor of the newest version that waits for signatures."""
    head = governance.head()
    assert head is not None, "what succeeds a version has one"
    return ProposalView(
        version=shown(proposal.version, proposal.signers, governance, now_ms),
        changes=changes(proposal.version, governance),
        concerns=decide.concerns(proposal.version, head, me),
        missing=max(0, head.threshold - len(proposal.signers)),
        is_signed_here=me in proposal.signers,
    )


def changes(version: Version, governance: Governance) -> tuple[ChangeLine, ...]:
    """Return what a version says differently from its predecessor; all of it, of the first one."""
    prev = None if version.prev is None else governance.version(version.prev)
    before = {} if prev is None else dict(_statements(prev))
    after = dict(_statements(version))
    return tuple(
        ChangeLine(path=path, before=before.get(path), after=after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    )


def _statements(version: Version) -> Iterator[tuple[str, object]]:
    yield "threshold", version.threshold
    yield "rules_version", version.rules_version
    yield "open_roles", _words(version.open_roles)
    for node, roles in version.members.items():
        yield f"members.{node.hex()}", _words(roles)
    for name, value in version.params.items():
        yield f"params.{name}", plain(value)
    for policy in version.policies:
        yield f"policies.{policy.id}/{policy.version}", policy.hash.hex()


def _signers(governance: Governance, version: Version) -> frozenset[NodeId]:
    if version.prev is None:
        return frozenset()
    found = (each for each in governance.proposals(version.prev) if each.version == version)
    return next((each.signers for each in found), frozenset[NodeId]())


def _is(one: Version | None, other: Version) -> bool:
    return one is not None and one.id == other.id


def _is_in_effect(governance: Governance, version: Version, now_ms: int, *, is_valid: bool) -> bool:
    if governance.version(version.id) is not None:
        return _is(governance.head(now_ms), version)
    return is_valid and version.effective_at <= now_ms


def _words(roles: Collection[Role]) -> tuple[RoleWord, ...]:
    return tuple(role.value for role in Role if role in roles)


def _policy(policy: PolicyName) -> RegisteredPolicy:
    return RegisteredPolicy(
        id=policy.id,
        version=policy.version,
        hash=policy.hash.hex(),
        is_known=any(policy == each.name for each in BUILTIN.values()),
    )
