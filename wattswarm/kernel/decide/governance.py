"""Changing governance: drafting a successor, signing another's draft, admitting a node.

Only a Finalizer of the newest version does so. One drafts at a time: the first by rank, or the next
by an operator's word. A second draft names every one before it, so that two at once never lock the
chain; what this node signed before is in the key of its sign-lock.
"""

from collections.abc import Sequence

import attrs

from wattswarm.kernel.decide.amendment import Amendment, amended, says_the_same
from wattswarm.kernel.decide.concerns import concerns
from wattswarm.kernel.decide.gate import Signings, refuse
from wattswarm.kernel.drafter import drafters
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.governance import (
    Admission,
    Governance,
    Proposal,
    Version,
    draft_admission,
    draft_update,
    sign,
)
from wattswarm.kernel.ids import Digest, NodeId, short
from wattswarm.kernel.limits import SUPERSEDED_MAX
from wattswarm.kernel.lock import Signing, governance_lock
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import LOCAL_PREFIX


@attrs.frozen(kw_only=True)
class Motion:
    """A version with this node's signature, and the events that carry it.

    There is no event when all of that has been said. `signers` are those of its predecessor's
    finalizers that signed it, this node among them.
    """

    prev: Version
    version: Version
    signers: frozenset[NodeId]
    signings: Signings
    concerns: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        """How many signatures it still needs."""
        return max(0, self.prev.threshold - len(self.signers))


def amend(
    governance: Governance,
    me: KeyPair,
    amendment: Amendment,
    now_ms: int,
    *,
    effective_at: int | None = None,
    supersede: bool = False,
    out_of_turn: bool = False,
) -> Motion | Rejection:
    """Return the successor of the newest version with these changes, signed by this node.

    Args:
        effective_at: From when on new tasks should run under it, in ms; by default from now on.
        supersede: Draft another although one waits for signatures, and name that in it.
        out_of_turn: Draft although another finalizer's turn it is.
    """
    head = _ground(governance, me.node_id, now_ms)
    if isinstance(head, Rejection):
        return head
    waiting = governance.proposals(head.id)
    version = amended(
        head,
        amendment,
        effective_at=max(now_ms, head.effective_at) if effective_at is None else effective_at,
        supersedes=_to_be_named(waiting, me.node_id),
    )
    if isinstance(version, Rejection):
        return version
    if says_the_same(version, head) and not supersede:
        return Motion(prev=head, version=head, signers=frozenset(), signings=())
    refusal = (
        _not_to_be_local(governance, version, me.node_id)
        or _not_in_time(head, version, now_ms)
        or _not_to_be_drafted(head, waiting, me.node_id, supersede, out_of_turn)
    )
    return refusal or _signed(governance, me, head, version, waiting, now_ms)


def co_sign(governance: Governance, me: KeyPair, name: Digest, now_ms: int) -> Motion | Rejection:
    """Return this node's signature on a successor that another finalizer has drafted.

    One that is valid already needs none.
    """
    head = _ground(governance, me.node_id, now_ms)
    if isinstance(head, Rejection):
        return head
    done = governance.version(name)
    prev = head if done is None or done.prev is None else governance.version(done.prev)
    assert prev is not None, "the predecessor of a valid version is valid"
    waiting = governance.proposals(prev.id)
    found = next((each for each in waiting if each.version.id == name), None)
    if found is None:
        return refuse("unknown_version", short(name))
    if found.is_valid or me.node_id in found.signers:
        return Motion(prev=prev, version=found.version, signers=found.signers, signings=())
    return _signed(governance, me, head, found.version, waiting, now_ms)


def admit(governance: Governance, me: NodeId, node: NodeId, now_ms: int) -> Signings | Rejection:
    """Return the admission of a node, whose events are taken into the set from then on."""
    head = _ground(governance, me, now_ms)
    if isinstance(head, Rejection):
        return head
    if governance.admits(node):
        return ()
    if _is_local(governance):
        return refuse("local_network", "nobody else can be admitted")
    return (Signing(draft_admission(node, now_ms)),)


def _to_be_named(waiting: Sequence[Proposal], me: NodeId) -> Sequence[Digest]:
    """Return the drafts that a new one supersedes: those of its drafter, and as many as fit."""
    ordered = sorted(waiting, key=lambda each: (me not in each.signers, -len(each.signers)))
    return [each.version.id for each in ordered[:SUPERSEDED_MAX]]


def _ground(governance: Governance, me: NodeId, now_ms: int) -> Version | Rejection:
    """Return the newest version, if this node may change it."""
    head = governance.head()
    if head is None:
        return refuse("no_governance")
    if governance.bars(me, now_ms):
        return refuse("barred")
    if me not in head.finalizers:
        return refuse("missing_role", f"it takes a finalizer of version {head.version}")
    return head


def _is_local(governance: Governance) -> bool:
    return governance.network_id.startswith(LOCAL_PREFIX)


def _not_to_be_local(governance: Governance, version: Version, me: NodeId) -> Rejection | None:
    """Return why a version has no place in a network of one: what it does counts on being alone."""
    if not _is_local(governance):
        return None
    if version.admission is Admission.OPEN:
        return refuse("local_network", "its admission cannot be open")
    others = sorted(version.members.keys() - {me})
    return refuse("local_network", f"node {short(others[0])}") if others else None


def _not_in_time(head: Version, version: Version, now_ms: int) -> Rejection | None:
    least_ms = max(now_ms, head.effective_at)
    if version.effective_at >= least_ms:
        return None
    return refuse("effective_too_early", f"{least_ms - version.effective_at} ms", at=least_ms)


def _not_to_be_drafted(
    head: Version,
    waiting: Sequence[Proposal],
    me: NodeId,
    supersede: bool,
    out_of_turn: bool,
) -> Rejection | None:
    if waiting and not supersede:
        name = waiting[0].version.id
        return refuse("already_proposed", f"version {short(name)}", version=name.hex())
    if supersede and not waiting:
        return refuse("nothing_to_supersede")
    first = drafters(head.id, head.finalizers)[0]
    if me != first and not out_of_turn:
        return refuse("not_the_drafter", f"node {short(first)}", drafter=first.hex())
    return None


def _signed(
    governance: Governance,
    me: KeyPair,
    head: Version,
    version: Version,
    waiting: Sequence[Proposal],
    now_ms: int,
) -> Motion | Rejection:
    mine = [each.version.id for each in waiting if me.node_id in each.signers]
    rivals = frozenset(mine) - version.supersedes
    if rivals:
        return refuse("signed_rival", f"version {short(min(rivals))}", version=min(rivals).hex())
    signature = sign(governance.network_id, version, me)
    draft = draft_update(version, {me.node_id: signature}, now_ms)
    try:
        draft.unsigned(governance.network_id, me.node_id)
    except Malformed as error:
        return refuse(error.code, error.message, path=error.path)
    lock = governance_lock(head.id, version.id, mine)
    before = (each.signers for each in waiting if each.version.id == version.id)
    return Motion(
        prev=head,
        version=version,
        signers=next(before, frozenset[NodeId]()) | {me.node_id},
        signings=(Signing(draft, (lock,), opened_at=0),),  # the date of a version says nothing
        concerns=concerns(version, head, me.node_id),
    )
