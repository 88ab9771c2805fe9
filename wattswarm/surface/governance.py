"""Documents about governance: who may do what, since when, who signed that, what shall change."""

from collections.abc import Mapping
from typing import Literal

import attrs

from wattswarm.surface.words import Hex, Time

RoleWord = Literal["proposer", "verifier", "committer", "finalizer"]
AdmissionWord = Literal["open", "closed"]
ParamValue = int | str | bool


@attrs.frozen(kw_only=True)
class MemberView:
    """A member of a version, and its roles."""

    node_id: Hex
    roles: tuple[RoleWord, ...]


@attrs.frozen(kw_only=True)
class RegisteredPolicy:
    """A policy that tasks under a version may be bound to."""

    id: str
    version: int
    hash: Hex
    is_known: bool
    """Whether this program can carry it out."""


@attrs.frozen(kw_only=True)
class VersionView:
    """A version of governance: all that it says, and how it stands."""

    version_id: Hex
    number: int
    prev: Hex | None
    effective_at: Time
    is_valid: bool
    """Whether enough finalizers of its predecessor signed it."""
    is_head: bool
    """Whether it is the newest valid one: the next version succeeds it."""
    is_in_effect: bool
    """Whether new work is pinned to it."""
    admission: AdmissionWord
    members: tuple[MemberView, ...]
    open_roles: tuple[RoleWord, ...]
    params: Mapping[str, object]
    policies: tuple[RegisteredPolicy, ...]
    finalizers: int
    threshold: int
    tolerated: int
    """How many finalizers may contradict themselves without two outcomes being final."""
    rules_version: int
    supersedes: tuple[Hex, ...]
    signers: tuple[Hex, ...]
    needed: int
    """Signatures that it needs to be valid; none for the genesis record."""


@attrs.frozen(kw_only=True)
class ChangeLine:
    """A difference between a version and its predecessor; null where there was, or is, nothing."""

    path: str
    before: object
    after: object


@attrs.frozen(kw_only=True)
class EquivocatorView:
    """A finalizer that signed rival successors of one version."""

    node_id: Hex
    prev: Hex
    signed: tuple[Hex, ...]


@attrs.frozen(kw_only=True)
class GovernanceView:
    """A version of governance, and how governance stands now."""

    network_id: str
    version: VersionView
    drafters: tuple[Hex, ...]
    """Who drafts its successor, in the order of their turns."""
    admitted: int
    """Nodes admitted by name."""
    pending: int
    """Successors of the newest version that wait for signatures."""
    equivocators: tuple[EquivocatorView, ...]


@attrs.frozen(kw_only=True)
class VersionLine:
    """A version in the history, and what it changed."""

    version_id: Hex
    number: int
    effective_at: Time
    is_head: bool
    is_in_effect: bool
    signers: int
    changes: tuple[ChangeLine, ...]


@attrs.frozen(kw_only=True)
class VersionPage:
    """Valid versions, newest first; `next` is the cursor of the next page."""

    items: tuple[VersionLine, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class ProposalView:
    """A successor of the newest version that waits for signatures."""

    version: VersionView
    changes: tuple[ChangeLine, ...]
    concerns: tuple[str, ...]
    missing: int
    is_signed_here: bool


@attrs.frozen(kw_only=True)
class Proposals:
    """What waits for signatures."""

    items: tuple[ProposalView, ...]


@attrs.frozen(kw_only=True)
class ChangeOrder:
    """What shall be different in the next version, all of it or nothing, and how it is signed.

    Nodes are named by their hex ids, or by a unique prefix of one that is known here. A policy is
    named `id`, `id/version` or `id/version/hash`; what is left out is this program's own policy of
    that id.
    """

    grant: Mapping[str, tuple[RoleWord, ...]] = attrs.field(factory=dict[str, tuple[RoleWord, ...]])
    revoke: Mapping[str, tuple[RoleWord, ...]] = attrs.field(
        factory=dict[str, tuple[RoleWord, ...]]
    )
    params: Mapping[str, ParamValue | None] = attrs.field(factory=dict[str, "ParamValue | None"])
    """Null takes a parameter out."""
    register: tuple[str, ...] = ()
    unregister: tuple[str, ...] = ()
    threshold: int | None = None
    open_roles: tuple[RoleWord, ...] = ()
    close_roles: tuple[RoleWord, ...] = ()
    effective_at: Time | None = None
    effective_in_ms: int | None = None
    dry_run: bool = False
    supersede: bool = False
    out_of_turn: bool = False
    after_restore: bool = False
    """This node's log was restored, and it has signed no other successor of the newest version."""


@attrs.frozen(kw_only=True)
class GovernanceChanged:
    """A version with this node's signature; `already` when there was nothing more to sign."""

    version: VersionView
    changes: tuple[ChangeLine, ...]
    concerns: tuple[str, ...]
    missing: int
    seq: int | None
    """Where the signature stands in the log, if it was given now."""
    already: bool
    is_dry_run: bool


@attrs.frozen(kw_only=True)
class Admitted:
    """A node whose events are taken into the set; `already` when they were before."""

    node_id: Hex
    seq: int | None
    already: bool
    is_dry_run: bool
