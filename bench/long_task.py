"""One task of many events by many authors, all of which take effect: rounds of work on it.

A round is one candidate and all that three verifiers say about it, up to their revealed votes.
"""

from collections.abc import Sequence
from itertools import count
from typing import Final

import attrs

from bench.telling import event_of
from wattswarm.kernel import contract, governance
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.event import Event
from wattswarm.kernel.evidence import possession_proof
from wattswarm.kernel.governance import Admission, Governance, Role
from wattswarm.kernel.hashing import artifact_digest
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import (
    Ballot,
    CandidateProposed,
    EvidenceAvailable,
    Payload,
    Status,
    TaskClaimed,
    TaskClaimRenewed,
    TaskCreated,
    VerifierResultSubmitted,
    VoteCommit,
    VoteReveal,
    Work,
)
from wattswarm.kernel.policy import ReasonCode
from wattswarm.kernel.records import Label, Subject
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.version import Version, network_id_of
from wattswarm.kernel.vote import bound_fields, commit_hash

AUTHORS: Final = 16
VERIFIERS: Final = 3
START_MS: Final = 1_700_000_000_000
LEASE_MS: Final = 600_000
SALT: Final = bytes(32)
BODY: Final = b'{"answer": "as good as any"}'
TERMS: Final = {
    "name": "long",
    "quorum_threshold": 2,
    "commit_reveal": True,
    "independence": "node",
    "max_verifiers": VERIFIERS,
    "lease_ms": LEASE_MS,
    "time_ms": 2 * LEASE_MS,
}


@attrs.frozen
class LongTask:
    """A task and what was said about it, in the order in which it was said."""

    task_id: EventId
    events: Sequence[Event]
    carrier: Event

    def governance(self) -> Governance:
        """Return governance as a node has it that has just heard of the network."""
        made = Governance(self.carrier.network_id)
        made.add(self.carrier)
        return made


def long_task(events: int) -> LongTask:
    """Return a task of so many events, its TASK_CREATED included."""
    rounds = _Rounds.begun()
    for number in count():
        if len(rounds.events) >= events:
            return LongTask(rounds.task_id, rounds.events[:events], rounds.carrier)
        rounds.tell(number)
    raise AssertionError("numbers do not end")


@attrs.define
class _Rounds:
    """Tells one round after the other."""

    keys: Sequence[KeyPair]
    version: Version
    carrier: Event
    events: list[Event]
    at_ms: int = START_MS

    @classmethod
    def begun(cls) -> "_Rounds":
        """Return a network in which a task was created."""
        keys = [KeyPair.from_seed(bytes([9, index]) * 16) for index in range(AUTHORS)]
        members = {key.node_id: frozenset(Role) for key in keys}
        record = governance.genesis(keys[0].node_id, admission=Admission.OPEN, members=members)
        network_id = network_id_of(record)
        carrier = governance.draft_update(record, {}, START_MS - 1).sign(network_id, keys[0])
        made = cls(keys, record, carrier, [])
        made._create()
        return made

    @property
    def task_id(self) -> EventId:
        """The task's name."""
        return self.events[0].event_id

    def _create(self) -> None:
        creator = self.keys[0]
        terms = contract.resolve(
            {**contract.sample(), **TERMS, "expires_in_ms": 10 * LEASE_MS},
            network_id=self.carrier.network_id,
            pin=self.version,
            created_at=self.at_ms + 1,
            creator=creator.node_id,
        )
        assert not isinstance(terms, Rejection), terms.details
        self._say(creator, TaskCreated(pin=self.version.id, contract=terms))

    def tell(self, number: int) -> None:
        """Tell a round: a candidate, findings of three others, and their votes on it."""
        proposer, *verifiers = (
            self.keys[(number + index) % AUTHORS] for index in range(1 + VERIFIERS)
        )
        digest = artifact_digest(BODY)
        ref = ArtifactRef(digest=digest, size_bytes=len(BODY), mime="application/json")
        held = self._claim(proposer, Work.PROPOSE, number)
        candidate = self._say(
            proposer, CandidateProposed(claim=held, output=ref, evidence=(ref,), summary="good")
        )
        commits = [self._verify(each, number, candidate, digest) for each in verifiers]
        seen = tuple(sorted(commits))
        for author, commit in zip(verifiers, commits, strict=True):
            reveal = VoteReveal(commit=commit, vote=Ballot.APPROVE, salt=SALT, seen=seen)
            self._say(author, reveal)

    def _verify(self, author: KeyPair, number: int, candidate: EventId, digest: str) -> EventId:
        """Claim a place, renew it, confirm the evidence, give a finding, and seal a vote on it."""
        claim = self._claim(author, Work.VERIFY, number)
        until_ms = self.at_ms + LEASE_MS
        self._say(author, TaskClaimRenewed(claim=claim, previous=claim, lease_until=until_ms))
        proof = possession_proof(author.node_id, candidate, (BODY,))
        self._say(
            author,
            EvidenceAvailable(claim=claim, candidate=candidate, digest=digest, proof=proof),
        )
        result = self._say(
            author,
            VerifierResultSubmitted(
                claim=claim,
                candidate=candidate,
                status=Status.PASSED,
                score_bp=9_100,
                reason_codes=(int(ReasonCode.SCHEMA_OK),),
                provider="bench",
                model="bench-1",
            ),
        )
        subject = Subject(Label(1, self.version.id), 1, candidate)
        bound = bound_fields(self.carrier.network_id, self.task_id, subject, author.node_id, result)
        sealed = commit_hash(bound, Ballot.APPROVE, SALT)
        return self._say(author, VoteCommit(result=result, commit_hash=sealed))

    def _claim(self, author: KeyPair, role: Work, number: int) -> EventId:
        return self._say(
            author,
            TaskClaimed(
                role=role,
                attempt=1,
                executor=f"worker-{number}",
                lease_until=self.at_ms + LEASE_MS,
                pin=self.version.id,
            ),
        )

    def _say(self, author: KeyPair, payload: Payload) -> EventId:
        self.at_ms += 1
        task_id = self.task_id if self.events else None
        self.events.append(event_of(self.carrier.network_id, author, payload, task_id, self.at_ms))
        return self.events[-1].event_id
