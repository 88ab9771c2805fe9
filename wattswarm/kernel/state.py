"""The state of one task: what a set of events says, and nothing else.

A `TaskState` is read by everybody and written only by the machine that derives it, which copies it
before its next change: whoever holds one holds a snapshot. Its tables are dicts keyed by event id;
a table is a function of the set of events, the order of its items is not.
"""

from collections.abc import Callable, Collection, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

import attrs

from wattswarm.kernel.contract import Contract, Independence
from wattswarm.kernel.governance import Version
from wattswarm.kernel.ids import Digest, EventId, NodeId, TaskId
from wattswarm.kernel.payloads.control import ControlWord
from wattswarm.kernel.payloads.vote import Ballot
from wattswarm.kernel.records import (
    Addition,
    Candidate,
    Carrier,
    Claim,
    ClaimDecision,
    Commit,
    Completion,
    Confirmation,
    Control,
    Decision,
    Failure,
    Feedback,
    Label,
    Lease,
    Outcome,
    Release,
    Renewal,
    Result,
    Retry,
    ReuseRejection,
    Seal,
    Settlement,
    Subject,
    Vote,
)
from wattswarm.kernel.verdict import Ignored, Need, On, Waiting

if TYPE_CHECKING:
    from wattswarm.kernel.rule import Entry, Hold

Listed: TypeAlias = "tuple[Vote, Listed | None]"
"""Votes that list a commit which is not effective yet: a list that can be shared, newest first."""

V = TypeVar("V")

VIEWS_MAX: Final = 64
"""Views that a snapshot keeps; they depend on the time, and it goes on."""

VOID_CODES: Final = frozenset({"revoked", "penalized", "depends_on_revoked"})
"""The verdicts on what statements put out of effect, and on what depends on that."""

LOCAL_PREFIX: Final = "local:"
NOBODY: Final = NodeId(bytes(32))


@attrs.define(eq=False)
class TaskState:
    """One task as derived from a set of events.

    `scope`, `creator` and `created_at` are those of its TASK_CREATED, once that is there in any
    shape; `contract` and `pin` are those that it gives, once it can be read, and `pin` is that of
    epoch 1; `label` is the newest open epoch, of rivals that of the smaller pin; `is_effective`
    tells whether it took effect. `effective` maps the events that took effect to their kinds,
    `pending` holds the others.
    """

    task_id: TaskId
    network_id: str = ""
    scope: str | None = None
    creator: NodeId = NOBODY
    created_at: int = 0
    contract: Contract | None = None
    pin: Digest | None = None
    label: Label | None = None
    is_effective: bool = False

    effective: dict[EventId, str] = attrs.field(factory=dict[EventId, str])
    pending: "dict[EventId, tuple[Entry[Any], Hold]]" = attrs.field(factory=dict, repr=False)
    latest: dict[NodeId, int] = attrs.field(factory=dict[NodeId, int])

    versions: dict[Digest, Version] = attrs.field(factory=dict[Digest, Version])
    """The governance versions of the pins that epochs are open under."""
    attempts: dict[Label, int] = attrs.field(factory=dict[Label, int])
    """The newest attempt of each open epoch."""
    openings: dict[Label, int] = attrs.field(factory=dict[Label, int])
    """When each epoch but the first was opened, in ms, by what enough finalizers carried."""
    carried: dict[tuple[Label, Digest, NodeId], int] = attrs.field(
        factory=dict[tuple[Label, Digest, NodeId], int]
    )
    """The latest date on which each finalizer carried the end of a label that has its quorum."""
    opened: dict[int, int] = attrs.field(factory=dict[int, int])
    """The latest of these of all labels of an epoch."""
    ending: dict[tuple[Label, Digest], int] = attrs.field(factory=dict[tuple[Label, Digest], int])
    """How many distinct finalizers signed the end of a label, by the pin that is to follow."""
    endings: dict[tuple[Label, Digest, NodeId], bytes] = attrs.field(
        factory=dict[tuple[Label, Digest, NodeId], bytes]
    )
    """The signatures of finalizers over ends of epochs, with or without a quorum."""
    retries: dict[EventId, Retry] = attrs.field(factory=dict[EventId, Retry])
    claims: dict[EventId, Claim] = attrs.field(factory=dict[EventId, Claim])
    renewals: dict[EventId, Renewal] = attrs.field(factory=dict[EventId, Renewal])
    leases: dict[EventId, Lease] = attrs.field(factory=dict[EventId, Lease])
    releases: dict[EventId, Release] = attrs.field(factory=dict[EventId, Release])
    released: dict[EventId, int] = attrs.field(factory=dict[EventId, int])
    claim_decisions: dict[EventId, ClaimDecision] = attrs.field(
        factory=dict[EventId, ClaimDecision]
    )
    approved: dict[EventId, bool] = attrs.field(factory=dict[EventId, bool])
    errors: dict[EventId, Failure] = attrs.field(factory=dict[EventId, Failure])
    candidates: dict[EventId, Candidate] = attrs.field(factory=dict[EventId, Candidate])
    additions: dict[EventId, Addition] = attrs.field(factory=dict[EventId, Addition])
    confirmations: dict[EventId, Confirmation] = attrs.field(factory=dict[EventId, Confirmation])
    results: dict[EventId, Result] = attrs.field(factory=dict[EventId, Result])
    commits: dict[EventId, Commit] = attrs.field(factory=dict[EventId, Commit])
    votes: dict[EventId, Vote] = attrs.field(factory=dict[EventId, Vote])
    decisions: dict[EventId, Decision] = attrs.field(factory=dict[EventId, Decision])
    carriers: dict[EventId, Carrier] = attrs.field(factory=dict[EventId, Carrier])
    seals: dict[Seal, bytes] = attrs.field(factory=dict[Seal, bytes])
    completions: dict[EventId, Completion] = attrs.field(factory=dict[EventId, Completion])
    settlements: dict[EventId, Settlement] = attrs.field(factory=dict[EventId, Settlement])
    feedback: dict[EventId, Feedback] = attrs.field(factory=dict[EventId, Feedback])
    reuse_rejections: dict[EventId, ReuseRejection] = attrs.field(
        factory=dict[EventId, ReuseRejection]
    )
    commanded: dict[Control, bool] = attrs.field(factory=dict[Control, bool])
    """The control words of the creator."""
    backing: dict[tuple[Control, NodeId], bytes] = attrs.field(
        factory=dict[tuple[Control, NodeId], bytes]
    )
    """The valid signatures of finalizers over control words, with or without a quorum."""
    offered: dict[tuple[Control, NodeId, bytes], bool] = attrs.field(
        factory=dict[tuple[Control, NodeId, bytes], bool], repr=False
    )
    """Signatures over control words that nobody has checked: of no finalizer so far."""

    listed: dict[EventId, int] = attrs.field(factory=dict[EventId, int])
    """By how many distinct voters' reveals each commit is listed."""
    tally: dict[tuple[Subject, Ballot], int] = attrs.field(
        factory=dict[tuple[Subject, Ballot], int]
    )
    """How many distinct voters' votes count, over each subject."""
    counted: dict[EventId, bool] = attrs.field(factory=dict[EventId, bool])
    """The commits and plain votes that count."""
    sealed: dict[tuple[Label, EventId], int] = attrs.field(factory=dict[tuple[Label, EventId], int])
    """How many distinct finalizers of the pin signed each candidate of a label."""

    backers: dict[Control, int] = attrs.field(factory=dict[Control, int])
    """How many distinct finalizers of the task's pins signed each control word."""

    listers: dict[tuple[EventId, NodeId], bool] = attrs.field(
        factory=dict[tuple[EventId, NodeId], bool], repr=False
    )
    unmatched: dict[EventId, Listed] = attrs.field(factory=dict, repr=False)
    revealed: dict[EventId, Ballot] = attrs.field(factory=dict[EventId, Ballot], repr=False)
    voters: dict[tuple[Subject, Ballot, NodeId], bool] = attrs.field(
        factory=dict[tuple[Subject, Ballot, NodeId], bool], repr=False
    )
    signed: dict[tuple[Label, EventId, NodeId], bool] = attrs.field(
        factory=dict[tuple[Label, EventId, NodeId], bool], repr=False
    )

    _verdicts: Mapping[EventId, Waiting | Ignored] | None = attrs.field(default=None, repr=False)
    _views: dict[tuple[object, ...], object] = attrs.field(factory=dict, repr=False)

    # --- reading ------------------------------------------------------------------------------

    @property
    def terms(self) -> Contract:
        """The contract, of a task that has one: what is effective in it has come this far."""
        assert self.contract is not None, "a task without a contract"
        return self.contract

    @property
    def here(self) -> Label:
        """The newest open epoch, of a task whose pin is known."""
        assert self.label is not None, "a task without a known pin"
        return self.label

    @property
    def governing(self) -> Version:
        """The governance version of the newest epoch, of a task in which it is known."""
        return self.versions[self.here.pin]

    def is_open(self, label: Label) -> bool:
        """Tell whether an epoch was opened; the first is by the creation of the task."""
        return label in self.openings or label == (1, self.pin)

    def opened_at(self, label: Label) -> int:
        """Return when an open epoch was opened, in ms."""
        return self.openings.get(label, self.created_at)

    @property
    def attempt(self) -> int:
        """The newest open attempt of the newest epoch."""
        label = self.label
        return 1 if label is None else self.attempts.get(label, 1)

    @property
    def is_local(self) -> bool:
        """Whether the task lives in a network of one node."""
        return self.network_id.startswith(LOCAL_PREFIX)

    @property
    def events(self) -> int:
        """How many events name the task, those of other scopes left out."""
        foreign = sum(
            isinstance(verdict, Ignored) and verdict.code == "wrong_scope"
            for verdict in self.verdicts.values()
        )
        return len(self.effective) + len(self.pending) - foreign

    def expires_at(self, epoch: int) -> int:
        """Return when the epoch expires, in ms: each lasts as long as the first."""
        if epoch == 1:
            return self.terms.expires_at
        return self.opened[epoch] + self.terms.expires_at - self.created_at

    @property
    def ends_at(self) -> int:
        """When the newest epoch expires, in ms."""
        return self.expires_at(self.here.epoch)

    def version_of(self, label: Label) -> Version | None:
        """Return the governance version that the label is pinned to, once it is known."""
        return self.versions.get(label.pin)

    def approvals(self, subject: Subject) -> int:
        """Return how many distinct voters' approvals of a candidate count in an attempt."""
        return self.tally.get((subject, Ballot.APPROVE), 0)

    def rejections(self, subject: Subject) -> int:
        """Return how many distinct voters' rejections of a candidate count in an attempt."""
        return self.tally.get((subject, Ballot.REJECT), 0)

    def outcome(self, label: Label) -> Outcome | None:
        """Return what the label is final with, or None.

        Only signatures of the pin's finalizers were counted. When finalizers contradicted each
        other so far that two candidates have enough, the smaller one it is, and the label is
        disputed.
        """
        return self._outcomes().get(label)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What the final labels are final with, by label."""
        return tuple(self._outcomes().values())

    def _outcomes(self) -> Mapping[Label, Outcome]:
        return self.view(("outcomes",), self._counted_outcomes)

    def _counted_outcomes(self) -> Mapping[Label, Outcome]:
        """Return the outcomes by label: counted at once, since a task may have many epochs."""
        final: dict[Label, list[EventId]] = {}
        for (label, candidate), signers in self.sealed.items():
            version = self.version_of(label)
            if version is not None and signers >= version.threshold:
                final.setdefault(label, []).append(candidate)
        return {label: self._outcome(label, final[label]) for label in sorted(final)}

    def _outcome(self, label: Label, final: Collection[EventId]) -> Outcome:
        candidate = min(final)
        return Outcome(
            label=label,
            candidate=candidate,
            signers=self.sealed[label, candidate],
            threshold=self.versions[label.pin].threshold,
            is_disputed=len(final) > 1,
        )

    def is_backed(self, control: Control) -> bool:
        """Tell whether enough finalizers of one of the task's pins signed a control word."""
        return any(
            sum((control, node) in self.backing for node in version.finalizers) >= version.threshold
            for version in self.versions.values()
        )

    @property
    def control(self) -> Control | None:
        """The control word that stands, or None.

        A backed kill stands for ever. Else backed words stand before the creator's; of these the
        one of the highest number, and then the stricter one.
        """
        return self.view(("control",), self._standing_control)

    def _standing_control(self) -> Control | None:
        backed = [each for each in self.backers if self.is_backed(each)]
        return max(backed or self.commanded, key=_precedence, default=None)

    @property
    def decision(self) -> Decision | None:
        """The decision to show: one that finality went by, else the one of the smallest date."""
        label = self.label
        if label is None:
            return None
        final = self.outcome(label)
        sealed: Mapping[EventId, int] = {} if final is None else self._sealed_decisions(final)
        return min(
            (each for each in self.decisions.values() if each.label == label),
            key=lambda each: (-sealed.get(each.event_id, 0), each.created_at, each.event_id),
            default=None,
        )

    def _sealed_decisions(self, final: Outcome) -> Mapping[EventId, int]:
        """Return how many finalizers signed the outcome by way of each decision."""
        signers: dict[EventId, int] = {}
        for seal in self.seals:
            if (seal.label, seal.candidate) == (final.label, final.candidate):
                signers[seal.decision] = signers.get(seal.decision, 0) + 1
        return signers

    def verdict(self, event_id: EventId) -> Waiting | Ignored | None:
        """Return the verdict on an event that is not effective; None for others."""
        return self.verdicts.get(event_id)

    @property
    def verdicts(self) -> Mapping[EventId, Waiting | Ignored]:
        """The verdicts on all events that are not effective."""
        if self._verdicts is None:
            self._verdicts = _resolved(self.pending)
        return self._verdicts

    def view(self, key: tuple[object, ...], make: "Callable[[], V]") -> "V":
        """Return what `make` made of this state when it was first asked for under this key.

        Only for pure functions of a snapshot and the key: a roster asks for the same view many
        times.
        """
        if key not in self._views:
            if len(self._views) >= VIEWS_MAX:
                self._views.clear()
            self._views[key] = make()
        return cast("V", self._views[key])

    def copy(self) -> "TaskState":
        """Return the same state with tables of its own."""
        twin = object.__new__(TaskState)
        for name, value in zip(_SCALARS, _scalars(self), strict=True):
            setattr(twin, name, value)
        for name, table in zip(_TABLES, _tables(self), strict=True):
            setattr(twin, name, table.copy())
        twin._verdicts = None
        twin._views = {}
        return twin


def is_independent(
    independence: Independence, verifier: NodeId, executor: str, candidate: Candidate
) -> bool:
    """Tell whether a verifier differs from the proposer of a candidate as a contract asks."""
    match independence:
        case Independence.NODE:
            return verifier != candidate.author
        case Independence.EXECUTOR:
            return (verifier, executor) != (candidate.author, candidate.executor)
        case Independence.NONE:  # exhaustive
            return True


_STRICTNESS: Final = {word: rank for rank, word in enumerate(ControlWord)}


def _precedence(control: Control) -> tuple[bool, int, int, str]:
    is_kill = control.word is ControlWord.KILLED
    return is_kill, control.control_no, _STRICTNESS[control.word], control.reason


_TABLES: Final = tuple(
    field.name
    for field in attrs.fields(TaskState)
    if isinstance(field.default, attrs.Factory)  # pyright: ignore[reportArgumentType]
    and field.name != "_views"
)
_SCALARS: Final = tuple(
    field.name
    for field in attrs.fields(TaskState)
    if field.name not in (*_TABLES, "_verdicts", "_views")
)
_tables: Final = attrgetter(*_TABLES)
_scalars: Final = attrgetter(*_SCALARS)


def _resolved(
    pending: "Mapping[EventId, tuple[Entry[Any], Hold]]",
) -> Mapping[EventId, Waiting | Ignored]:
    """Return the verdicts: what waits for an event that is itself ignored depends on that one."""
    known: dict[EventId, Waiting | Ignored] = {}
    for name in pending:
        chain = [name]
        while chain:
            last = chain[-1]
            verdict = pending[last][1].verdict
            named = _awaited(verdict)
            if named is None or named not in pending:
                known[chain.pop()] = verdict
            elif named in known:
                known[chain.pop()] = _depending(known[named], named) or verdict
            else:
                chain.append(named)
    return known


def _depending(verdict: Waiting | Ignored, named: EventId) -> Ignored | None:
    """Return the verdict on an event that waits for one with this verdict, if that is ignored."""
    if not isinstance(verdict, Ignored):
        return None
    is_void = verdict.code in VOID_CODES
    return Ignored("depends_on_revoked" if is_void else "depends_on_ignored", named)


def _awaited(verdict: Waiting | Ignored) -> EventId | None:
    match verdict:
        case Waiting(for_=(Need(on=On.EVENT, name=name),)):
            return EventId(name)
        case _:
            return None
