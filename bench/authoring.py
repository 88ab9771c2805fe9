"""Histories of tasks by several admitted identities: what a node hears from others.

A task here is one that four nodes carried to its end: two candidates, two verifiers who looked at
both, sealed votes, a decision and its finality, 27 events in all. Every event is as its author
would have signed it, and takes effect.
"""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, zip_longest
from multiprocessing import get_context
from typing import Final

import attrs

from bench.telling import event_of
from wattswarm.kernel import contract
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.event import Event
from wattswarm.kernel.evidence import possession_proof
from wattswarm.kernel.finality import finality_message
from wattswarm.kernel.governance import Governance, draft_admission, draft_update, sign
from wattswarm.kernel.hashing import artifact_digest
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.payloads import (
    Ballot,
    CandidateProposed,
    DecisionCommitted,
    DecisionFinalized,
    EvidenceAvailable,
    Payload,
    Status,
    TaskClaimed,
    TaskCreated,
    VerifierResultSubmitted,
    VoteCommit,
    VoteReveal,
    Work,
)
from wattswarm.kernel.policy import ReasonCode
from wattswarm.kernel.records import Label, Subject
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.task import derive
from wattswarm.kernel.version import Role, Version, local_genesis, network_id_of, successor
from wattswarm.kernel.views import state_word
from wattswarm.kernel.vote import bound_fields, commit_hash, vote_salt

AUTHORS: Final = 4
EVENTS_PER_TASK: Final = 27
TASKS_AT_ONCE: Final = 32
"""Tasks of a swarm go on side by side: so many are woven together."""

TASKS_PER_CHUNK: Final = 8 * TASKS_AT_ONCE
LEASE_MS: Final = 600_000
STEP_MS: Final = 7
DOCUMENT: Final = {
    "name": "bench",
    "task_type": "summarize",
    "inputs": {"text": "What has to outlive any one of them is the record. " * 6},
    "quorum_threshold": 2,
    "da_quorum_threshold": 1,
    "commit_reveal": True,
    "independence": "node",
    "max_proposers": 2,
    "max_verifiers": 3,
    "max_concurrency": {"propose": 2, "verify": 3},
    "lease_ms": LEASE_MS,
    "time_ms": 2 * LEASE_MS,
}


@attrs.frozen
class Cast:
    """Who speaks, and by which rules: a function of the node's seed, so any process has it."""

    founder: KeyPair
    authors: tuple[KeyPair, ...]
    network_id: str
    version: Version

    @classmethod
    def of(cls, seed: bytes) -> "Cast":
        """Return the authors that the node with this seed lets in."""
        founder = KeyPair.from_seed(seed)
        authors = tuple(KeyPair.from_seed(bytes([7, index]) * 16) for index in range(AUTHORS))
        genesis = local_genesis(founder.node_id)
        members = {author.node_id: frozenset(Role) for author in authors}
        version = successor(genesis, members=members, threshold=3)
        return cls(founder, authors, network_id_of(genesis), version)

    def admissions(self, at_ms: int) -> list[Event]:
        """Return the events by which the founder admits the authors and hands the roles over."""
        sigs = {self.founder.node_id: sign(self.network_id, self.version, self.founder)}
        drafts = [draft_admission(author.node_id, at_ms) for author in self.authors]
        drafts.append(draft_update(self.version, sigs, at_ms))
        return [draft.sign(self.network_id, self.founder) for draft in drafts]

    def founding(self, at_ms: int) -> list[Event]:
        """Return the genesis record's event and the admissions: how the node's log begins."""
        genesis = draft_update(local_genesis(self.founder.node_id), {}, at_ms)
        return [genesis.sign(self.network_id, self.founder), *self.admissions(at_ms)]

    def governance(self) -> Governance:
        """Return governance as the node has it once it has heard the admissions."""
        made = Governance(self.network_id)
        for event in self.founding(1):
            made.add(event)
        return made


@attrs.define
class Story:
    """One task as it is told: each event is dated after the one before it."""

    cast: Cast
    at_ms: int
    events: list[Event] = attrs.field(factory=list[Event])

    def tell(self, number: int) -> Sequence[Event]:
        """Return the events of the task, in order."""
        one, two, three, four = self.cast.authors
        self._create(one, number)
        claims = [self._claim(author, Work.PROPOSE) for author in (one, two)]
        found = [
            self._propose(author, claim, f"{number}:{index}".encode())
            for index, (author, claim) in enumerate(zip((one, two), claims, strict=True))
        ]
        verifying = [(author, self._claim(author, Work.VERIFY)) for author in (three, four)]
        results = [
            (author, candidate, *self._verify(author, claim, candidate, body))
            for author, claim in verifying
            for candidate, body in found
        ]
        commits = [
            (author, candidate, self._commit(author, candidate, result), result)
            for author, candidate, result, _ in results
        ]
        reveals = [
            (each[1], self._reveal(*each, [c[2] for c in commits if c[1] == each[1]]))
            for each in commits
        ]
        chosen = found[0][0]
        decision = DecisionCommitted(
            candidate=chosen,
            reveals=tuple(sorted(name for candidate, name in reveals if candidate == chosen)),
            confirmations=tuple(sorted(held for _, each, _, held in results if each == chosen)),
        )
        decided = self._say(one, decision)
        for author in (one, two, three):
            self._finalize(author, chosen, decided)
        return self.events

    @property
    def task_id(self) -> EventId:
        """The task's name."""
        return self.events[0].event_id

    @property
    def label(self) -> Label:
        """The task's only epoch."""
        return Label(1, self.cast.version.id)

    def _say(self, author: KeyPair, payload: Payload) -> EventId:
        self.at_ms += STEP_MS
        task_id = self.task_id if self.events else None
        self.events.append(event_of(self.cast.network_id, author, payload, task_id, self.at_ms))
        return self.events[-1].event_id

    def _create(self, author: KeyPair, number: int) -> None:
        terms = contract.resolve(
            {**contract.sample(), **DOCUMENT, "name": f"bench {number}"},
            network_id=self.cast.network_id,
            pin=self.cast.version,
            created_at=self.at_ms + STEP_MS,
            creator=author.node_id,
        )
        assert not isinstance(terms, Rejection), terms.details
        self._say(author, TaskCreated(pin=self.cast.version.id, contract=terms))

    def _claim(self, author: KeyPair, role: Work) -> EventId:
        return self._say(
            author,
            TaskClaimed(
                role=role,
                attempt=1,
                executor="worker",
                lease_until=self.at_ms + LEASE_MS,
                pin=self.cast.version.id,
            ),
        )

    def _propose(self, author: KeyPair, claim: EventId, body: bytes) -> tuple[EventId, bytes]:
        ref = ArtifactRef(
            digest=artifact_digest(body), size_bytes=len(body), mime="application/json"
        )
        proposed = CandidateProposed(
            claim=claim, output=ref, evidence=(ref,), summary="The record outlives the agents."
        )
        return self._say(author, proposed), body

    def _verify(
        self, author: KeyPair, claim: EventId, candidate: EventId, body: bytes
    ) -> tuple[EventId, EventId]:
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
        proof = possession_proof(author.node_id, candidate, (body,))
        held = EvidenceAvailable(
            claim=claim, candidate=candidate, digest=artifact_digest(body), proof=proof
        )
        return result, self._say(author, held)

    def _bound(self, author: NodeId, candidate: EventId, result: EventId) -> list[Value]:
        subject = Subject(self.label, 1, candidate)
        return bound_fields(self.cast.network_id, self.task_id, subject, author, result)

    def _commit(self, author: KeyPair, candidate: EventId, result: EventId) -> EventId:
        bound = self._bound(author.node_id, candidate, result)
        salt = vote_salt(author.seed, bound, Ballot.APPROVE)
        sealed = commit_hash(bound, Ballot.APPROVE, salt)
        return self._say(author, VoteCommit(result=result, commit_hash=sealed))

    def _reveal(
        self,
        author: KeyPair,
        candidate: EventId,
        commit: EventId,
        result: EventId,
        seen: Sequence[EventId],
    ) -> EventId:
        salt = vote_salt(
            author.seed, self._bound(author.node_id, candidate, result), Ballot.APPROVE
        )
        reveal = VoteReveal(commit=commit, vote=Ballot.APPROVE, salt=salt, seen=tuple(sorted(seen)))
        return self._say(author, reveal)

    def _finalize(self, author: KeyPair, candidate: EventId, decision: EventId) -> None:
        signed = finality_message(
            self.cast.network_id, self.task_id, self.label, candidate, decision
        )
        payload = DecisionFinalized(
            pin=self.cast.version.id,
            candidate=candidate,
            decision=decision,
            sigs=((author.node_id, author.sign(signed)),),
        )
        self._say(author, payload)


def check(cast: Cast, now_ms: int) -> None:
    """Assert that a story is what it claims to be: every event takes effect, the task is final."""
    events = Story(cast, now_ms).tell(0)
    state = derive(events[0].event_id, events, cast.governance())
    assert len(events) == EVENTS_PER_TASK, len(events)
    assert not state.pending, [hold for _, hold in state.pending.values()]
    assert state_word(state, now_ms) == "final", state_word(state, now_ms)


def author_events(seed: bytes, count: int, *, now_ms: int, processes: int) -> list[bytes]:
    """Return at least `count` events as they travel, tasks side by side, dated up to `now_ms`."""
    check(Cast.of(seed), now_ms)
    tasks = math.ceil(count / EVENTS_PER_TASK)
    chunks = [
        (seed, first, min(TASKS_PER_CHUNK, tasks - first), now_ms - (tasks - first) * STEP_MS)
        for first in range(0, tasks, TASKS_PER_CHUNK)
    ]
    if processes == 1 or len(chunks) == 1:
        return [*chain.from_iterable(_chunk(*each) for each in chunks)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return [*chain.from_iterable(pool.map(_chunk, *zip(*chunks, strict=True)))]


def _chunk(seed: bytes, first: int, tasks: int, end_ms: int) -> list[bytes]:
    cast = Cast.of(seed)
    begin_ms = end_ms - EVENTS_PER_TASK * STEP_MS
    stories = [
        Story(cast, begin_ms + index * STEP_MS).tell(first + index) for index in range(tasks)
    ]
    return [*_woven(stories)]


def _woven(stories: Sequence[Sequence[Event]]) -> Iterator[bytes]:
    for at in range(0, len(stories), TASKS_AT_ONCE):
        for step in zip_longest(*stories[at : at + TASKS_AT_ONCE]):
            yield from (event.to_wire() for event in step if event is not None)
