"""How a rule is written: it judges an event against the state, and says what its effect is.

A rule asks only whether named things exist and are effective (and for pure facts of the event
itself), so that a verdict moves from waiting or ignored to effective and never back. Every rule
checks in a fixed published order, and the first check that fails is the verdict:

    the task is known · wrong_scope · unknown_kind · wrong_class · unknown_field, bad_field ·
    revoked, penalized · the task is effective · wrong_epoch · after_expiry · what it names exists ·
    date_order · whose it is · roles and labels · leases · the rule's own content

Each family of rules has a file: `creation`, `claim`, `candidate`, `evidence`, `result`, `vote`,
`decision`, `finality`, `attempt`, `epoch`, `control`, `market`, `feedback`, `reuse`, `notice`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeAlias, TypeVar

import attrs

from wattswarm.kernel.contract import Allocator, Mode
from wattswarm.kernel.event import Event
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.limits import SKEW_TOLERANCE_MS
from wattswarm.kernel.records import Candidate, Claim, Label
from wattswarm.kernel.state import TaskState, is_independent
from wattswarm.kernel.verdict import Ignored, Need, On, Waiting
from wattswarm.kernel.version import RULES_VERSION

P = TypeVar("P")
R = TypeVar("R")


@attrs.frozen
class Hold:
    """Why an event has no effect yet, and what may change that.

    `until` is the one thing whose coming has the event judged again; an event that came too late
    for a lease or an epoch is judged again when that ends at `reach_ms` or later. Without `until`,
    the verdict is final. `provides` is what has come about by it all the same.
    """

    verdict: Waiting | Ignored
    until: Need | None = None
    reach_ms: int = 0
    provides: Need | None = None


@attrs.define(eq=False)
class Entry(Generic[P]):
    """An event on its way to a verdict.

    `voided` is the code of the statement that leaves it without effect. `cursor` counts the names
    of a long list that were found effective already (what is effective stays so), and `facts` keeps
    signatures that were found valid: neither changes a verdict, both its cost.
    """

    event: Event
    rule: "Rule[P] | None"
    payload: P
    flaw: Hold | None = None
    voided: str | None = None
    cursor: int = 0
    facts: tuple[int, ...] | None = None

    def again(self) -> "Entry[P]":
        """Return the same event to be judged further: the one that a snapshot has stays as it is.

        What was noted here is counted in the state that it was noted for, and in no earlier one.
        """
        return Entry(
            self.event,
            self.rule,
            self.payload,
            self.flaw,
            self.voided,
            self.cursor,
            self.facts,
        )


Provided: TypeAlias = "Iterable[Need]"


@attrs.frozen
class Rule(Generic[P]):
    """The rule of one kind of event; `who` tells people whose it is.

    `judge` returns None when the event is effective; then `apply` writes its record and returns
    what it provides beside its own name. Rules that are not `in_task` do without an effective
    TASK_CREATED; what is not `voidable` takes effect whatever statements say of it.
    """

    kind: str
    who: str
    judge: Callable[[Entry[P], TaskState], Hold | None]
    apply: Callable[[Entry[P], TaskState], Provided]
    in_task: bool = True
    voidable: bool = True


def ignored(code: str, of: EventId | None = None) -> Hold:
    """Return the hold of an event that will never take effect."""
    return Hold(Ignored(code, of))


def waits(need: Need) -> Hold:
    """Return the hold of an event that waits for one thing."""
    return Hold(Waiting((need,)), need)


def find(table: Mapping[EventId, R], name: EventId, state: TaskState) -> R | Hold:
    """Return the record that is named, or why there is none: not there yet, or of another kind."""
    record = table.get(name)
    if record is not None:
        return record
    if name in state.effective:
        return ignored("wrong_kind", name)
    return waits(Need(On.EVENT, name))


def in_epoch(event: Event, state: TaskState) -> Hold | None:
    """Return why an event is in no open epoch of its task, or None."""
    if event.epoch == 1:
        return None
    if event.epoch == 0 or state.terms.mode is Mode.ONE_SHOT:
        return ignored("wrong_epoch")
    return None if event.epoch in state.opened else waits(Need(On.EPOCH, b"", event.epoch))


def not_in_label(label: Label, state: TaskState) -> Hold | None:
    """Return why an event that names a pin is in no open epoch, or None; the epoch is open."""
    if not state.is_open(label):
        is_first = label.epoch == 1
        return ignored("wrong_pin") if is_first else waits(Need(On.EPOCH, label.pin, label.epoch))
    is_known = state.versions[label.pin].rules_version == RULES_VERSION
    return None if is_known else ignored("unsupported_rules")


def own_claim(name: EventId, event: Event, state: TaskState) -> Claim | Hold:
    """Return the author's own claim of this epoch that an event names, or why not."""
    claim = find(state.claims, name, state)
    if isinstance(claim, Hold):
        return claim
    if event.created_at <= claim.created_at:
        return ignored("date_order", name)
    if claim.author != event.author:
        return ignored("not_own_claim", name)
    if claim.label.epoch != event.epoch:
        return ignored("wrong_epoch", name)
    return claim


def under_lease(claim: Claim, event: Event, state: TaskState) -> Hold | None:
    """Return why work is not covered by the lease of its claim, or None when it is."""
    if state.terms.allocator is Allocator.CREATOR and claim.event_id not in state.approved:
        return waits(Need(On.APPROVAL, claim.event_id))
    reach_ms = event.created_at - SKEW_TOLERANCE_MS
    if state.leases[claim.event_id].end < reach_ms:
        longer = Need(On.LEASE, claim.event_id)
        return Hold(Ignored("lease_over", claim.event_id), longer, reach_ms)
    return None


def covered(claim: Claim, name: EventId, event: Event, state: TaskState) -> Candidate | Hold:
    """Return the candidate that a verify claim covers, or why it does not.

    It covers every candidate of its label of its own attempt and earlier ones, unless the contract
    asks for independence and the verifier is not independent of the proposer.
    """
    candidate = find(state.candidates, name, state)
    if isinstance(candidate, Hold):
        return candidate
    if event.created_at <= candidate.created_at:
        return ignored("date_order", name)
    if candidate.label != claim.label or candidate.attempt > claim.attempt:
        return ignored("not_covered", name)
    if not is_independent(state.terms.independence, claim.author, claim.executor, candidate):
        return ignored("not_independent", name)
    return candidate
