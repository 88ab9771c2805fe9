"""What an operator orders about governance, read against what is known: nodes, policies, dates."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from wattswarm.kernel.decide import Amendment
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.governance import Governance, Role, Version
from wattswarm.kernel.ids import ID_TEXT, Digest, NodeId
from wattswarm.kernel.limits import DURATION_MS_MAX
from wattswarm.kernel.policy import BUILTIN, PolicyName
from wattswarm.operations.governance import newest
from wattswarm.operations.naming import as_digest, pick
from wattswarm.surface.governance import ChangeOrder, RoleWord
from wattswarm.surface.words import moment

VERSION_DIGITS_MAX: Final = 9
SHOWN_MAX: Final = 80


def read_order(governance: Governance, order: ChangeOrder) -> Amendment | Rejection:
    """Return what an order says, with the nodes and policies that it names."""
    head = newest(governance)
    if isinstance(head, Rejection):
        return head
    grants = _members(governance, order.grant, "$.grant")
    if isinstance(grants, Rejection):
        return grants
    revocations = _members(governance, order.revoke, "$.revoke")
    if isinstance(revocations, Rejection):
        return revocations
    register = _each_policy(order.register)
    if isinstance(register, Rejection):
        return register
    unregister = _each_registered(head, order.unregister)
    if isinstance(unregister, Rejection):
        return unregister
    return Amendment(
        grants=grants,
        revocations=revocations,
        params=order.params,
        register=register,
        unregister=unregister,
        threshold=order.threshold,
        open_roles=_roles(order.open_roles),
        close_roles=_roles(order.close_roles),
    )


def find_node(governance: Governance, name: str) -> NodeId | Rejection:
    """Return the node of this name: any whose whole id it is, or one that is known by a prefix."""
    whole = as_digest(name)
    return pick(governance.admitted, name, "node") if whole is None else NodeId(whole)


def read_date(order: ChangeOrder, now_ms: int) -> int | Rejection | None:
    """Return when the version that is ordered shall take effect, if the order says so, in ms."""
    if order.effective_at is not None and order.effective_in_ms is not None:
        return _bad("$.effective_at", "give a date or a time span, not both")
    if order.effective_in_ms is not None:
        if 0 <= order.effective_in_ms <= DURATION_MS_MAX:
            return now_ms + order.effective_in_ms
        return _bad("$.effective_in_ms", f"it is one of 0 to {DURATION_MS_MAX}")
    return None if order.effective_at is None else _moment(order.effective_at)


def _moment(word: str) -> int | Rejection:
    try:
        date = datetime.fromisoformat(word)
    except ValueError:
        date = None
    if date is None or date.tzinfo is None or date.year < 1970:
        wanted = "a date as 2026-11-25T16:00:00Z, with its time zone"
        return _bad("$.effective_at", f"{word[:SHOWN_MAX]!r} is not {wanted}")
    return moment(word)


def _members(
    governance: Governance, named: Mapping[str, Iterable[RoleWord]], path: str
) -> Mapping[NodeId, frozenset[Role]] | Rejection:
    """Return the roles of each node; one that is named twice has those of both."""
    members: dict[NodeId, frozenset[Role]] = {}
    for name, words in named.items():
        node = find_node(governance, name)
        if isinstance(node, Rejection):
            return node
        roles = _roles(words)
        if not roles:
            return _bad(f"{path}.{name[:SHOWN_MAX]}", "no role is named")
        members[node] = members.get(node, frozenset()) | roles
    return members


def _roles(words: Iterable[RoleWord]) -> frozenset[Role]:
    return frozenset(map(Role, words))


# --- policies -----------------------------------------------------------------------------------


def _each_policy(names: Iterable[str]) -> tuple[PolicyName, ...] | Rejection:
    """Return the policies that `id`, `id/version` or `id/version/hash` name."""
    found: list[PolicyName] = []
    for name in names:
        policy = _policy(name)
        if isinstance(policy, Rejection):
            return policy
        found.append(policy)
    return tuple(found)


def _policy(name: str) -> PolicyName | Rejection:
    policy_id, number, hash_ = _parts(name)
    ours = BUILTIN.get(policy_id)
    if ours is not None and not hash_ and number in ("", str(ours.version)):
        return ours.name
    whole = as_digest(hash_)
    if not (ID_TEXT.match(policy_id) and _is_version(number) and whole is not None):
        known = ", ".join(BUILTIN)
        said = f"{name[:SHOWN_MAX]!r} is not `id/version/hash`, nor a policy of this program"
        return _bad("$.register", f"{said}: {known}")
    return PolicyName(id=policy_id, version=int(number), hash=Digest(whole))


def _each_registered(head: Version, names: Iterable[str]) -> frozenset[tuple[str, int]] | Rejection:
    """Return the registered policies that `id` or `id/version` name."""
    found: set[tuple[str, int]] = set()
    for name in names:
        policy_id, number, hash_ = _parts(name)
        fitting = {
            (policy.id, policy.version)
            for policy in head.policies
            if policy.id == policy_id and number in ("", str(policy.version))
        }
        if hash_ or len(fitting) != 1:
            problem = (
                "names several: give `id/version`" if len(fitting) > 1 else "is not registered"
            )
            return Rejection(
                code="unknown_policy", message=f"the policy {name[:SHOWN_MAX]} {problem}"
            )
        found |= fitting
    return frozenset(found)


def _parts(name: str) -> tuple[str, str, str]:
    policy_id, _, rest = name.partition("/")
    number, _, hash_ = rest.partition("/")
    return policy_id, number, hash_


def _is_version(number: str) -> bool:
    is_short = 0 < len(number) <= VERSION_DIGITS_MAX
    return is_short and number.isascii() and number.isdigit() and int(number) > 0


def _bad(path: str, message: str) -> Rejection:
    return Rejection(code="bad_field", message=f"{path}: {message}", details={"path": path})
