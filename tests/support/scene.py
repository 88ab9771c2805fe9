"""A task on a stage: a small network, and a short way to say what its members say about it.

Events are unsigned unless a test asks otherwise: derivation looks at no event's own signature.
"""

from collections.abc import Mapping, Sequence

import attrs

from tests.laws.world import START_MS, Network, keys, local_network, shared_network, task
from wattswarm.kernel import payloads
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.control import control_message
from wattswarm.kernel.epoch import epoch_end_message
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.finality import finality_message
from wattswarm.kernel.governance import (
    Governance,
    Role,
    Version,
    draft_update,
    sign,
    successor,
)
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.payloads import Ballot, Payload, Status, Work
from wattswarm.kernel.payloads.control import PAYLOADS, ControlWord
from wattswarm.kernel.payloads.feedback import FeedbackWord
from wattswarm.kernel.records import Control, Label, Subject
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.task import derive
from wattswarm.kernel.verdict import Effective, Verdict
from wattswarm.kernel.vote import bound_fields, commit_hash

LEASE_MS = 10_000
SALT = bytes(32)


def ref(number: int = 0) -> ArtifactRef:
    """Return a reference to some body."""
    return ArtifactRef(digest=f"blake3:{number:064x}", size_bytes=3, mime="text/plain")


@attrs.define
class Scene:
    """One task in one network, and what was said about it so far."""

    network: Network
    cast: Sequence[KeyPair]
    governance: Governance
    task: Event
    now_ms: int = START_MS
    said: list[Event] = attrs.field(factory=list[Event])
    entered: Label | None = None
    """The epoch that is spoken of, when it is not the first."""

    # --- reading ------------------------------------------------------------------------------

    @property
    def state(self) -> TaskState:
        """What all that was said comes to."""
        return derive(self.task.event_id, [self.task, *self.said], self.governance)

    @property
    def pin(self) -> Digest:
        """The governance version of the epoch that is spoken of."""
        return self.label.pin

    @property
    def label(self) -> Label:
        """The epoch that is spoken of: by default the first."""
        return self.entered or Label(1, self.network.genesis.id)

    def verdict(self, name: EventId) -> Verdict:
        """Return the verdict on an event."""
        state = self.state
        return state.verdict(name) or Effective()

    # --- saying -------------------------------------------------------------------------------

    def say(self, payload: Payload, by: int = 0, at_ms: int | None = None) -> EventId:
        """Say something; a millisecond after the last, unless a date is given."""
        return self.utter(payload.kind, dict(payloads.write(payload)), by, at_ms)

    def utter(
        self,
        kind: str,
        fields: dict[str, Value],
        by: int = 0,
        at_ms: int | None = None,
        *,
        epoch: int | None = None,
        scope: str | None = None,
        lane_class: LaneClass = LaneClass.WORK,
    ) -> EventId:
        """Say anything, in any form."""
        self.now_ms = max(self.now_ms + 1, 0 if at_ms is None else at_ms)
        draft = Draft(
            kind=kind,
            scope=self.task.scope if scope is None else scope,
            lane_class=lane_class,
            task_id=self.task.event_id,
            epoch=self.label.epoch if epoch is None else epoch,
            created_at=self.now_ms if at_ms is None else at_ms,
            payload=fields,
        )
        event = draft.unsigned(self.network.network_id, self.cast[by].node_id)
        self.said.append(event)
        return event.event_id

    def claim(
        self,
        role: Work,
        by: int = 0,
        *,
        executor: str = "x",
        attempt: int = 1,
        at_ms: int | None = None,
        lease_ms: int = LEASE_MS,
    ) -> EventId:
        """Take a place."""
        date_ms = self.now_ms + 1 if at_ms is None else at_ms
        payload = payloads.TaskClaimed(
            role=role,
            attempt=attempt,
            executor=executor,
            lease_until=date_ms + lease_ms,
            pin=self.pin,
        )
        return self.say(payload, by, at_ms)

    def renew(
        self, claim: EventId, previous: EventId, by: int = 0, *, at_ms: int | None = None
    ) -> EventId:
        """Go on for another lease."""
        date_ms = self.now_ms + 1 if at_ms is None else at_ms
        payload = payloads.TaskClaimRenewed(
            claim=claim, previous=previous, lease_until=date_ms + LEASE_MS
        )
        return self.say(payload, by, at_ms)

    def propose(
        self,
        claim: EventId,
        by: int = 0,
        *,
        evidence: Sequence[ArtifactRef] = (),
        at_ms: int | None = None,
        reuse_of: EventId | None = None,
    ) -> EventId:
        """Propose an answer, or repeat a decision's."""
        payload = payloads.CandidateProposed(
            claim=claim,
            output=ref(),
            evidence=tuple(evidence),
            summary="a summary",
            reuse_of=reuse_of,
        )
        return self.say(payload, by, at_ms)

    def confirm(self, claim: EventId, candidate: EventId, digest: str, by: int = 0) -> EventId:
        """Say that a piece of evidence was held."""
        payload = payloads.EvidenceAvailable(
            claim=claim, candidate=candidate, digest=digest, proof=Digest(bytes(32))
        )
        return self.say(payload, by)

    def find(
        self,
        claim: EventId,
        candidate: EventId,
        by: int = 0,
        *,
        status: Status = Status.PASSED,
        score_bp: int = 9_000,
        at_ms: int | None = None,
    ) -> EventId:
        """Say what a verification found."""
        codes = {Status.PASSED: 100, Status.FAILED: 101, Status.INCONCLUSIVE: 200}
        payload = payloads.VerifierResultSubmitted(
            claim=claim,
            candidate=candidate,
            status=status,
            score_bp=score_bp,
            reason_codes=(codes[status],),
            provider="a provider",
            model="a model",
        )
        return self.say(payload, by, at_ms)

    def vote(self, result: EventId, by: int = 0, ballot: Ballot = Ballot.APPROVE) -> EventId:
        """Vote plainly."""
        return self.say(payloads.PlainVote(result=result, vote=ballot), by)

    def commit(
        self,
        result: EventId,
        candidate: EventId,
        by: int = 0,
        *,
        ballot: Ballot = Ballot.APPROVE,
        attempt: int = 1,
    ) -> EventId:
        """Seal a vote."""
        bound = bound_fields(
            self.network.network_id,
            self.task.event_id,
            Subject(self.label, attempt, candidate),
            self.cast[by].node_id,
            result,
        )
        hash_ = commit_hash(bound, ballot, SALT)
        return self.say(payloads.VoteCommit(result=result, commit_hash=hash_), by)

    def reveal(
        self,
        commit: EventId,
        seen: Sequence[EventId] = (),
        by: int = 0,
        *,
        ballot: Ballot = Ballot.APPROVE,
        at_ms: int | None = None,
    ) -> EventId:
        """Reveal a vote, listing what was seen."""
        payload = payloads.VoteReveal(commit=commit, vote=ballot, salt=SALT, seen=tuple(seen))
        return self.say(payload, by, at_ms)

    def decide(
        self,
        candidate: EventId,
        reveals: Sequence[EventId],
        confirmations: Sequence[EventId] = (),
        by: int = 0,
    ) -> EventId:
        """Decide for a candidate."""
        payload = payloads.DecisionCommitted(
            candidate=candidate, reveals=tuple(reveals), confirmations=tuple(confirmations)
        )
        return self.say(payload, by)

    def seal(
        self,
        candidate: EventId,
        decision: EventId,
        signers: Sequence[int],
        by: int = 0,
        *,
        at_ms: int | None = None,
        scope: str | None = None,
    ) -> EventId:
        """Carry these members' signatures of finality."""
        signed = finality_message(
            self.network.network_id, self.task.event_id, self.label, candidate, decision
        )
        sigs = sorted((self.cast[n].node_id, self.cast[n].sign(signed)) for n in signers)
        payload = payloads.DecisionFinalized(
            pin=self.pin, candidate=candidate, decision=decision, sigs=tuple(sigs)
        )
        return self.utter(payload.kind, dict(payloads.write(payload)), by, at_ms, scope=scope)

    def control(
        self,
        word: ControlWord,
        number: int = 1,
        signers: Sequence[int] = (),
        by: int = 0,
        *,
        reason: str = "",
        at_ms: int | None = None,
        signed: Control | None = None,
    ) -> EventId:
        """Say a control word with these members' signatures, by default over that same word."""
        said = Control(word, number, reason)
        name, task_id = self.network.network_id, self.task.event_id
        over = control_message(name, task_id, said if signed is None else signed)
        sigs = sorted((self.cast[n].node_id, self.cast[n].sign(over)) for n in signers)
        payload = PAYLOADS[word](control_no=number, reason=reason, sigs=tuple(sigs) or None)
        return self.say(payload, by, at_ms)

    def end_epoch(
        self,
        next_pin: Digest | None = None,
        signers: Sequence[int] = (0,),
        by: int = 0,
        *,
        at_ms: int | None = None,
    ) -> EventId:
        """Carry these members' signatures that the epoch is over; it is spoken of as before."""
        following = self.pin if next_pin is None else next_pin
        signed = epoch_end_message(
            self.network.network_id, self.task.event_id, self.label, following
        )
        sigs = sorted((self.cast[n].node_id, self.cast[n].sign(signed)) for n in signers)
        payload = payloads.EpochEnded(
            pin=self.pin, next_pin=following, reason="over", sigs=tuple(sigs)
        )
        return self.say(payload, by, at_ms)

    def govern(self, signers: Sequence[int] = (0,), **changes: object) -> Version:
        """Have a valid successor of the newest governance version, and return it."""
        head = self.governance.head()
        assert head is not None
        version, name = successor(head, **changes), self.network.network_id
        sigs = {self.cast[n].node_id: sign(name, version, self.cast[n]) for n in signers}
        draft = draft_update(version, sigs, self.now_ms)
        self.governance.add(draft.unsigned(name, self.cast[signers[0]].node_id))
        return version

    def complain(
        self, candidate: EventId, by: int = 0, *, reason: str = "wrong", at_ms: int | None = None
    ) -> EventId:
        """Say that an answer turned out to be bad."""
        payload = payloads.TaskFeedbackReported(
            candidate=candidate, outcome=FeedbackWord.BAD, reason=reason
        )
        return self.say(payload, by, at_ms)

    def reject_reuse(
        self, candidate: EventId, reveals: Sequence[EventId], by: int = 0, *, output: int = 0
    ) -> EventId:
        """Record that a repetition was rejected."""
        payload = payloads.ReuseRejectRecorded(
            candidate=candidate,
            output_digest=ref(output).digest,
            reveals=tuple(reveals),
            reason_codes=(101,),
        )
        return self.say(payload, by)

    def retry(self, from_attempt: int = 1, by: int = 0, *, run_at: int = 0) -> EventId:
        """Open the next attempt."""
        payload = payloads.TaskRetryScheduled(
            pin=self.pin, from_attempt=from_attempt, run_at=run_at
        )
        return self.say(payload, by)


def scene(members: int = 3, *, threshold: int | None = None, **terms: object) -> Scene:
    """Return a network whose members hold every role, and a task without independence in it."""
    cast = keys(members, 5)
    network = shared_network(
        {key.node_id: frozenset(Role) for key in cast}, cast[0], threshold=threshold
    )
    defaults: dict[str, object] = {
        "independence": "none",
        "quorum_threshold": 1,
        "commit_reveal": False,
        "lease_ms": LEASE_MS,
        "time_ms": 60_000,
    }
    created = task(network, cast[0], {**defaults, **terms})
    return Scene(network, cast, network.governance(), created)


CONTINUOUS: Mapping[str, object] = {"mode": "continuous", "budget_mode": "epoch_renew"}
"""The terms of a task of many epochs."""


def local_scene(**terms: object) -> Scene:
    """Return the network of one node, and a task in it."""
    cast = keys(1, 6)
    network = local_network(cast[0])
    created = task(network, cast[0], {"lease_ms": LEASE_MS, "time_ms": 60_000, **terms})
    return Scene(network, cast, network.governance(), created)
