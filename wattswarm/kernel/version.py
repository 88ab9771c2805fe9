"""A version of governance: a full snapshot of who may do what, named by the hash of its content.

One content has one encoding: sets are written in ascending order, and what does not apply is left
out. Version 0 is the genesis record, and the network id is made of it.
"""

import enum
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Final, TypeVar

import attrs

from wattswarm.kernel import canonical, fields
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import ID_TEXT, Digest, NodeId
from wattswarm.kernel.limits import (
    CREATED_AT_MAX,
    EVENT_BODY_BYTES_MAX,
    ID_CHARS_MAX,
    MEMBERS_MAX,
    PARAMS_MAX,
    POLICIES_MAX,
    SUPERSEDED_MAX,
)
from wattswarm.kernel.policy import BUILTIN, PolicyBinding, PolicyName

RULES_VERSION: Final = 1
"""The rules that this version of the program carries out."""

Ordered = TypeVar("Ordered", str, bytes, NodeId, tuple[str, int])


class Role(enum.StrEnum):
    """What a member may do."""

    PROPOSER = "proposer"
    VERIFIER = "verifier"
    COMMITTER = "committer"
    FINALIZER = "finalizer"


class Admission(enum.StrEnum):
    """Whose events are taken into the set: everybody's, or those of the named."""

    OPEN = "open"
    CLOSED = "closed"


ALL_ROLES: Final = frozenset(Role)
MAY_BE_OPEN: Final = frozenset({Role.PROPOSER, Role.VERIFIER})
ROLE_WORDS: Final = tuple(role.value for role in Role)
ADMISSION_WORDS: Final = tuple(admission.value for admission in Admission)

REQUIRED: Final = frozenset(
    {
        "version",
        "effective_at",
        "members",
        "open_roles",
        "params",
        "policies",
        "threshold",
        "rules_version",
    }
)
OPTIONAL: Final = frozenset({"prev", "supersedes"})


@attrs.frozen(kw_only=True)
class Version:
    """A snapshot of governance. Its `id` is the hash of its content, and what a pin names.

    `supersedes` names the drafts with the same predecessor that this one was signed to replace.
    """

    prev: Digest | None
    version: int
    effective_at: int
    members: Mapping[NodeId, frozenset[Role]]
    open_roles: frozenset[Role]
    params: Mapping[str, Value]
    policies: tuple[PolicyName, ...]
    threshold: int
    rules_version: int = RULES_VERSION
    supersedes: frozenset[Digest] = frozenset()

    @cached_property
    def id(self) -> Digest:
        """The hash of the content."""
        return digest(Context.GOVERNANCE, canonical.encode(to_payload(self)))

    @cached_property
    def finalizers(self) -> frozenset[NodeId]:
        """The members whose signatures make a decision final or a successor valid."""
        return self.holders(Role.FINALIZER)

    @property
    def admission(self) -> Admission:
        """Who is admitted beside the members."""
        return Admission(str(self.params.get("admission", Admission.CLOSED)))

    def holds(self, node: NodeId, role: Role) -> bool:
        """Tell whether an admitted `node` holds `role`."""
        return role in self.open_roles or role in self.members.get(node, frozenset())

    def holders(self, role: Role) -> frozenset[NodeId]:
        """Return the members with the role; an open role is held by every admitted node as well."""
        return frozenset(node for node, roles in self.members.items() if role in roles)

    def registers(self, binding: PolicyBinding) -> bool:
        """Tell whether tasks under this version may be bound to this policy."""
        return any(binding.binds(name) for name in self.policies)


def default_threshold(finalizers: int) -> int:
    """Return how many finalizers must sign by default: all of 2, 2 of 3, then over 2/3."""
    assert finalizers >= 1, finalizers
    return 2 if finalizers == 3 else 2 * finalizers // 3 + 1


def genesis(
    node: NodeId,
    *,
    admission: Admission = Admission.CLOSED,
    open_roles: Collection[Role] = (),
    members: Mapping[NodeId, frozenset[Role]] | None = None,
    threshold: int | None = None,
    params: Mapping[str, Value] | None = None,
    effective_at: int = 0,
) -> Version:
    """Return a genesis record: `node` has every role, the three policies are registered.

    Raises:
        Malformed: The record would not be valid.
    """
    everybody = {**(members or {}), node: ALL_ROLES}
    finalizers = sum(Role.FINALIZER in roles for roles in everybody.values())
    return _checked(
        Version(
            prev=None,
            version=0,
            effective_at=effective_at,
            members=everybody,
            open_roles=frozenset(open_roles),
            params={**(params or {}), "admission": admission.value},
            policies=tuple(policy.name for policy in BUILTIN.values()),
            threshold=default_threshold(finalizers) if threshold is None else threshold,
        )
    )


def local_genesis(node: NodeId) -> Version:
    """Return the genesis record of a local network, fixed by the id of its only node."""
    return genesis(node)


def network_id_of(record: Version) -> str:
    """Return the id of the network that a genesis record begins."""
    if len(record.members) == 1:
        (node,) = record.members
        if record.id == local_genesis(node).id:
            return f"local:{node.hex()}"
    return f"net:{digest(Context.NETWORK_ID, canonical.encode(to_payload(record))).hex()}"


def successor(prev: Version, /, **changes: object) -> Version:
    """Return the version that follows `prev` with these fields changed, ready to be signed.

    The threshold becomes the default one when the members change and it is not given.

    Raises:
        Malformed: `bad_version`: such a version could never be valid.
    """
    following = {"prev": prev.id, "version": prev.version + 1, "supersedes": frozenset[Digest]()}
    made = attrs.evolve(prev, **{**following, **changes})
    if "members" in changes and "threshold" not in changes:
        made = attrs.evolve(made, threshold=default_threshold(max(1, len(made.finalizers))))
    return _checked(made)


def to_payload(version: Version) -> Mapping[str, Value]:
    """Return the content of a version: the map that its id is the hash of."""
    content: dict[str, Value] = {
        "version": version.version,
        "effective_at": version.effective_at,
        "members": [[node, _words(version.members[node])] for node in sorted(version.members)],
        "open_roles": _words(version.open_roles),
        "params": version.params,
        "policies": [policy.to_payload() for policy in sorted(version.policies, key=_policy_order)],
        "threshold": version.threshold,
        "rules_version": version.rules_version,
    }
    if version.prev is not None:
        content["prev"] = version.prev
    if version.supersedes:
        content["supersedes"] = sorted(version.supersedes)
    return content


def _words(roles: Collection[Role]) -> list[str]:
    return sorted(role.value for role in roles)


def read(value: Value | None, path: str = "$") -> Version:
    """Return the version that has this content.

    Raises:
        Malformed: `bad_field` or `unknown_field`; `bad_version` when it could never be valid.
    """
    content = fields.mapping(value, path, required=REQUIRED, optional=OPTIONAL)
    version = Version(
        prev=Digest(fields.octets(content["prev"], f"{path}.prev")) if "prev" in content else None,
        version=fields.uint(content["version"], f"{path}.version"),
        effective_at=fields.uint(
            content["effective_at"], f"{path}.effective_at", most=CREATED_AT_MAX
        ),
        members=_members(content["members"], f"{path}.members"),
        open_roles=_roles(content["open_roles"], f"{path}.open_roles"),
        params=_params(content["params"], f"{path}.params"),
        policies=_policies(content["policies"], f"{path}.policies"),
        threshold=fields.uint(content["threshold"], f"{path}.threshold"),
        rules_version=fields.uint(content["rules_version"], f"{path}.rules_version", least=1),
        supersedes=_supersedes(content.get("supersedes"), f"{path}.supersedes"),
    )
    _check_rules(version, path)
    return version


def _members(value: Value, path: str) -> Mapping[NodeId, frozenset[Role]]:
    members = [
        _member(item, f"{path}[{index}]")
        for index, item in enumerate(fields.array(value, path, most=MEMBERS_MAX))
    ]
    _check_ascending([node for node, _ in members], path)
    return dict(members)


def _member(value: Value, path: str) -> tuple[NodeId, frozenset[Role]]:
    pair = fields.array(value, path)
    if len(pair) != 2:
        raise fields.bad(path, "not a pair [node, roles]")
    return NodeId(fields.octets(pair[0], f"{path}[0]")), _roles(pair[1], f"{path}[1]")


def _roles(value: Value, path: str) -> frozenset[Role]:
    words = [
        fields.word(item, f"{path}[{index}]", ROLE_WORDS)
        for index, item in enumerate(fields.array(value, path))
    ]
    _check_ascending(words, path)
    return frozenset(map(Role, words))


def _params(value: Value, path: str) -> Mapping[str, Value]:
    if not isinstance(value, Mapping) or len(value) > PARAMS_MAX:
        raise fields.bad(path, f"not a map of at most {PARAMS_MAX} parameters")
    for name in value:
        if not ID_TEXT.match(name):
            raise fields.bad(path, "a parameter's name that is not an id")
    if "admission" in value:
        fields.word(value["admission"], f"{path}.admission", ADMISSION_WORDS)
    return value


def _policies(value: Value, path: str) -> tuple[PolicyName, ...]:
    policies = tuple(
        read_policy_name(item, f"{path}[{index}]")
        for index, item in enumerate(fields.array(value, path, most=POLICIES_MAX))
    )
    _check_ascending([_policy_order(policy) for policy in policies], path)
    return policies


def read_policy_name(value: Value, path: str) -> PolicyName:
    """Return the policy name that `value` is."""
    content = fields.mapping(
        value, path, required=frozenset({"id", "version", "hash"}), optional=frozenset()
    )
    name = fields.text(content["id"], f"{path}.id", bytes_max=ID_CHARS_MAX)
    if not ID_TEXT.match(name):
        raise fields.bad(f"{path}.id", "not an id")
    return PolicyName(
        id=name,
        version=fields.uint(content["version"], f"{path}.version", least=1),
        hash=Digest(fields.octets(content["hash"], f"{path}.hash")),
    )


def _supersedes(value: Value | None, path: str) -> frozenset[Digest]:
    if value is None:
        return frozenset()
    items = fields.array(value, path, most=SUPERSEDED_MAX)
    names = [fields.octets(item, f"{path}[{index}]") for index, item in enumerate(items)]
    if not names:
        raise fields.bad(path, "an empty list is left out")
    _check_ascending(names, path)
    return frozenset(map(Digest, names))


def _policy_order(policy: PolicyName) -> tuple[str, int]:
    return policy.id, policy.version


def _check_ascending(items: Sequence[Ordered], path: str) -> None:
    if any(left >= right for left, right in pairwise(items)):
        raise fields.bad(path, "not in ascending order, or one item stands twice")


def _check_rules(version: Version, path: str) -> None:
    finalizers = len(version.finalizers)
    problem = None
    if (version.prev is None) != (version.version == 0):
        problem = "version 0, and only version 0, has no predecessor"
    elif not version.open_roles <= MAY_BE_OPEN:
        problem = "only proposer and verifier may be open roles"
    elif not 1 <= version.threshold <= finalizers:
        problem = f"a threshold of {version.threshold} with {finalizers} finalizers"
    elif 2 * version.threshold <= finalizers:
        problem = f"a threshold of {version.threshold} is no majority of {finalizers} finalizers"
    if problem is not None:
        raise Malformed(code="bad_version", path=path, message=problem)


def _checked(version: Version) -> Version:
    return read(
        canonical.decode(canonical.encode(to_payload(version)), bytes_max=EVENT_BODY_BYTES_MAX)
    )
