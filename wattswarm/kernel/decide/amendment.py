"""A change to governance, said as what shall be different, and the version that it leads to."""

from collections.abc import Collection, Mapping
from typing import Final

import attrs

from wattswarm.kernel.canonical import Value
from wattswarm.kernel.decide.gate import refuse
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.governance import Admission, Role, Version, default_threshold, successor
from wattswarm.kernel.ids import ID_TEXT, Digest, NodeId, short
from wattswarm.kernel.limits import PARAM_BYTES_MAX, UINT_MAX
from wattswarm.kernel.policy import PolicyName

ADMISSION: Final = "admission"
"""The parameter that says whose events are taken into the set."""


@attrs.frozen(kw_only=True)
class Amendment:
    """What shall be different in the next version; all of it or nothing.

    Args:
        grants: Roles that members, or nodes that become members, get in addition.
        revocations: Roles that members lose; who has none left is no member any more.
        params: Parameters to set; None takes one out.
        unregister: Policies by id and version.
        threshold: Signatures that are needed from then on; None: as now, and the default when the
            number of finalizers changes.
    """

    grants: Mapping[NodeId, frozenset[Role]] = attrs.field(factory=dict[NodeId, frozenset[Role]])
    revocations: Mapping[NodeId, frozenset[Role]] = attrs.field(
        factory=dict[NodeId, frozenset[Role]]
    )
    params: Mapping[str, Value | None] = attrs.field(factory=dict[str, "Value | None"])
    register: tuple[PolicyName, ...] = ()
    unregister: frozenset[tuple[str, int]] = frozenset()
    threshold: int | None = None
    open_roles: frozenset[Role] = frozenset()
    close_roles: frozenset[Role] = frozenset()


def amended(
    head: Version, amendment: Amendment, *, effective_at: int, supersedes: Collection[Digest] = ()
) -> Version | Rejection:
    """Return the successor of `head` with these changes, or why there can be none."""
    refusal = _wrong_members(head, amendment) or _wrong_params(amendment.params)
    refusal = refusal or _wrong_policies(head, amendment)
    if refusal is not None:
        return refusal
    members = _members(head, amendment)
    try:
        return successor(
            head,
            effective_at=effective_at,
            members=members,
            open_roles=head.open_roles - amendment.close_roles | amendment.open_roles,
            params=_params(head, amendment),
            policies=_policies(head, amendment),
            threshold=_threshold(head, members, amendment.threshold),
            supersedes=frozenset(supersedes),
        )
    except Malformed as error:
        return refuse(error.code, error.message, path=error.path)


def says_the_same(one: Version, other: Version) -> bool:
    """Tell whether two versions differ in nothing but their place in the chain and their date."""
    return attrs.evolve(
        one,
        prev=other.prev,
        version=other.version,
        effective_at=other.effective_at,
        supersedes=other.supersedes,
    ) == attrs.evolve(other)


# --- each part ----------------------------------------------------------------------------------


def _members(head: Version, amendment: Amendment) -> Mapping[NodeId, frozenset[Role]]:
    named = {**head.members, **dict.fromkeys(amendment.grants, frozenset[Role]())}
    roles = {
        node: (head.members.get(node, frozenset()) | amendment.grants.get(node, frozenset()))
        - amendment.revocations.get(node, frozenset())
        for node in named
    }
    return {node: held for node, held in roles.items() if held}


def _params(head: Version, amendment: Amendment) -> Mapping[str, Value]:
    merged = {**head.params, **amendment.params}
    return {name: value for name, value in merged.items() if value is not None}


def _policies(head: Version, amendment: Amendment) -> tuple[PolicyName, ...]:
    kept = {(policy.id, policy.version): policy for policy in head.policies}
    kept |= {(policy.id, policy.version): policy for policy in amendment.register}
    names = kept.keys() - amendment.unregister
    return tuple(kept[name] for name in sorted(names))


def _threshold(head: Version, members: Mapping[NodeId, frozenset[Role]], wanted: int | None) -> int:
    """Return the threshold: the wanted one, else as before while as many finalizers sign."""
    finalizers = sum(Role.FINALIZER in roles for roles in members.values())
    if wanted is not None:
        return wanted
    if finalizers == len(head.finalizers):
        return head.threshold
    return default_threshold(max(1, finalizers))


# --- what is wrong ------------------------------------------------------------------------------


def _wrong_members(head: Version, amendment: Amendment) -> Rejection | None:
    for node in sorted(amendment.revocations.keys() - head.members.keys()):
        return refuse("not_a_member", f"node {short(node)}", path="$.revocations")
    for node, roles in sorted(amendment.grants.items()):
        if roles & amendment.revocations.get(node, frozenset()):
            said = f"node {short(node)} is to get and to lose a role"
            return refuse("inconsistent", said, path="$.grants")
    if amendment.open_roles & amendment.close_roles:
        return refuse("inconsistent", "a role is to be open and not to be", path="$.open_roles")
    return None


def _wrong_params(params: Mapping[str, Value | None]) -> Rejection | None:
    for name, value in sorted(params.items()):
        if not ID_TEXT.match(name):
            return refuse("bad_field", f"{name[:64]!r} is not an id", path="$.params")
        problem = _wrong_value(name, value)
        if problem:
            return refuse("bad_field", problem, path=f"$.params.{name}")
    return None


def _wrong_value(name: str, value: Value | None) -> str:
    """Return what is wrong with a parameter's value; nothing for one that may be signed."""
    if name == ADMISSION and value not in tuple(Admission):
        return f"{ADMISSION} is one of {', '.join(Admission)}"
    match value:
        case None | bool():
            return ""
        case int():
            return "" if 0 <= value <= UINT_MAX else f"an integer is one of 0 to {UINT_MAX}"
        case str():
            is_small = len(value.encode(errors="replace")) <= PARAM_BYTES_MAX
            return "" if is_small else f"a text has at most {PARAM_BYTES_MAX} bytes"
        case _:
            return "a parameter is an integer, a text, true or false"


def _wrong_policies(head: Version, amendment: Amendment) -> Rejection | None:
    known = {(policy.id, policy.version) for policy in head.policies}
    for name, number in sorted(amendment.unregister - known):
        return refuse("unknown_policy", f"{name} version {number}", path="$.unregister")
    named = {(policy.id, policy.version) for policy in amendment.register}
    if named & amendment.unregister or len(named) < len(amendment.register):
        return refuse("inconsistent", "one policy is named twice", path="$.register")
    return None
