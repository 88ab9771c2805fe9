"""What an operator orders about governance, read against what is known: nodes, policies, dates,
how far a penalty goes.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

import attrs

from wattswarm.kernel.decide import Amendment
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.governance import Governance, Role, Version
from wattswarm.kernel.ids import ID_TEXT, Digest, EventId, NodeId
from wattswarm.kernel.limits import DURATION_MS_MAX
from wattswarm.kernel.policy import BUILTIN, PolicyName
from wattswarm.operations.governance import newest
from wattswarm.operations.naming import as_digest, pick
from wattswarm.surface.governance import ChangeOrder, RoleWord
from wattswarm.surface.statement import PenaltyOrder
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
        return bad_field("$.effective_at", "give a date or a time span, not both")
    if order.effective_in_ms is not None:
        if 0 <= order.effective_in_ms <= DURATION_MS_MAX:
            return now_ms + order.effective_in_ms
        return bad_field("$.effective_in_ms", f"it is one of 0 to {DURATION_MS_MAX}")
    if order.effective_at is None:
        return None
    return read_moment(order.effective_at, "$.effective_at")


def read_moment(word: str, path: str) -> int | Rejection:
    """Return a date in ms."""
    try:
        date = datetime.fromisoformat(word)
    except ValueError:
        date = None
    if date is None or date.tzinfo is None or date.year < 1970:
        wanted = "a date as 2026-11-25T16:00:00Z, with its time zone"
        return bad_field(path, f"{word[:SHOWN_MAX]!r} is not {wanted}")
    return moment(word)


@attrs.frozen(kw_only=True)
class Extent:
    """How far a penalty goes: from when on and before when, or all but what is kept."""

    window: tuple[int, int] | None = None
    keep: frozenset[EventId] | None = None


def read_extent(
    order: PenaltyOrder, find: Callable[[str], EventId | Rejection]
) -> Extent | Rejection:
    """Return how far a penalty is to go."""
    dates = (order.dated_from, order.dated_until)
    if order.cut:
        if dates != (None, None):
            return bad_field("$.cut", "a penalty has dates or cuts off all, not both")
        return _read_kept(order.keep, find)
    if order.keep:
        return bad_field("$.keep", "only a node that is cut off keeps some events")
    if dates[0] is None or dates[1] is None:
        return bad_field("$.dated_from", "give two dates, or cut off all")
    return _read_window(dates[0], dates[1])


def _read_kept(
    names: Iterable[str], find: Callable[[str], EventId | Rejection]
) -> Extent | Rejection:
    kept: set[EventId] = set()
    for name in names:
        found = find(name)
        if isinstance(found, Rejection):
            return found
        kept.add(found)
    return Extent(keep=frozenset(kept))


def _read_window(begin: str, end: str) -> Extent | Rejection:
    begin_ms = read_moment(begin, "$.dated_from")
    if isinstance(begin_ms, Rejection):
        return begin_ms
    end_ms = read_moment(end, "$.dated_until")
    return end_ms if isinstance(end_ms, Rejection) else Extent(window=(begin_ms, end_ms))


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
            return bad_field(f"{path}.{name[:SHOWN_MAX]}", "no role is named")
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
        return bad_field("$.register", f"{said}: {known}")
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


def bad_field(path: str, message: str) -> Rejection:
    """Return the refusal of what an order says at a path."""
    return Rejection(code="bad_field", message=f"{path}: {message}", details={"path": path})
