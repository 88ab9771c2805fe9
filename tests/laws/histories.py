"""Histories: what honest, hostile and confused authors might put into the log about one task.

A history is a list of signed events. Most are plausible, so that much takes effect; the others name
things of the wrong kind or things that nobody has, bear dates before what they name or after the
end, come from the wrong author, scope, class or epoch, or hold fields that no kind has. Everything
is drawn from one generator of random numbers: a seed gives one history.
"""

import random
from collections.abc import Callable, Mapping, Sequence

import attrs

from tests.laws.world import START_MS, Network, keys, local_network, shared_network, task
from wattswarm.kernel import governance, payloads
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.claim import ROLE_OF
from wattswarm.kernel.contract import Contract
from wattswarm.kernel.contract import read as read_contract
from wattswarm.kernel.control import content, control_message
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.finality import finality_message
from wattswarm.kernel.governance import Role, Version
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.payloads import Ballot, Payload, Status, Work, board
from wattswarm.kernel.payloads.control import PAYLOADS, ControlWord
from wattswarm.kernel.payloads.feedback import FeedbackWord
from wattswarm.kernel.records import Control, Label, Subject
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.task import TaskMachine
from wattswarm.kernel.vote import bound_fields, commit_hash

EVERY_ROLE = frozenset(Role)
PLAUSIBLE = 0.96
"""How often a choice that could be wrong is right."""

KINDS: Mapping[str, int] = {
    "claim": 10,
    "renewal": 5,
    "release": 2,
    "claim_decision": 3,
    "candidate": 7,
    "addition": 2,
    "confirmation": 6,
    "result": 14,
    "commit": 12,
    "vote": 16,
    "decision": 8,
    "finality": 5,
    "error": 2,
    "retry": 3,
    "control": 7,
    "completion": 2,
    "settlement": 2,
    "feedback": 2,
    "reuse_rejection": 4,
    "notice": 1,
    "nonsense": 2,
}


GROUNDS: Mapping[str, Sequence[tuple[str, str]]] = {
    "renewal": [("propose", "claim"), ("verify", "claim")],
    "release": [("propose", "claim")],
    "completion": [("candidate", "candidate")],
    "settlement": [("propose", "claim"), ("verify", "claim")],
    "claim_decision": [("propose", "claim"), ("verify", "claim")],
    "candidate": [("propose", "claim")],
    "addition": [("candidate", "candidate")],
    "confirmation": [("candidate", "candidate"), ("verify", "claim")],
    "result": [("candidate", "candidate"), ("verify", "claim")],
    "commit": [("result", "result")],
    "vote": [("result", "result"), ("commit", "commit")],
    "decision": [("vote", "vote")],
    "feedback": [("candidate", "candidate")],
    "reuse_rejection": [("vote", "vote")],
    "finality": [("candidate", "candidate")],
    "error": [("propose", "claim"), ("verify", "claim")],
}
"""Kind → groups that it mostly builds on, each with the kind that makes one."""


@attrs.define
class History:
    """One network, one task in it, what was said about it, and the governance that comes late."""

    network: Network
    later: Sequence[Event]
    task: Event
    events: list[Event]
    equivocators: int
    version: Version

    @property
    def tolerated(self) -> int:
        """How many finalizers may contradict themselves without harm."""
        n, t = len(self.version.finalizers), self.version.threshold
        return 2 * t - n - 1


@attrs.define
class _Known:
    """What the generator knows about an event that it made."""

    event: Event
    payload: Payload
    key: KeyPair
    attempt: int = 1
    salt: bytes = bytes(32)
    ballot: Ballot = Ballot.APPROVE


@attrs.define
class Author:
    """Makes one history."""

    rng: random.Random
    network: Network
    version: Version
    task: Event
    cast: Sequence[KeyPair]
    contract: Contract
    honest_finalizers: Mapping[NodeId, bool]
    machine: TaskMachine
    known: dict[str, list[_Known]] = attrs.field(factory=dict)
    signed: dict[NodeId, EventId] = attrs.field(factory=dict)
    now_ms: int = START_MS

    # --- choosing -----------------------------------------------------------------------------

    def is_right(self, chance: float = PLAUSIBLE) -> bool:
        """Draw whether the next choice is the right one."""
        return self.rng.random() < chance

    def pick(self, kind: str) -> _Known | None:
        """Draw one of the events of a kind: rather one that took effect, rather a late one."""
        made = self.known.get(kind)
        if not made:
            return None
        effective = self.machine.state.effective
        good = [each for each in made if each.event.event_id in effective]
        pool = good if good and self.is_right(0.95) else made
        if kind == "candidate" and self.is_right(0.7):
            return pool[0]
        if kind in ("verify", "result", "commit"):
            return self.rng.choice(pool)
        return pool[-1 - min(int(self.rng.expovariate(0.3)), len(pool) - 1)]

    def name(self, right: _Known | None) -> EventId:
        """Return the id that the next event names: the right one, another's, or nobody's."""
        if right is not None and self.is_right(0.97):
            return right.event.event_id
        others = [each for made in self.known.values() for each in made]
        if others and self.is_right(0.7):
            return self.rng.choice(others).event.event_id
        return EventId(self.rng.randbytes(32))

    @property
    def creator(self) -> KeyPair:
        """Who made the task."""
        return next(key for key in self.cast if key.node_id == self.task.author)

    def key(self, right: KeyPair | None = None) -> KeyPair:
        """Return who says it."""
        return right if right is not None and self.is_right() else self.rng.choice(self.cast)

    def date(self, *after: _Known | None) -> int:
        """Return a date: mostly later than what is named, sometimes before it or after the end."""
        latest = max([START_MS, *(each.event.created_at for each in after if each is not None)])
        self.now_ms += self.rng.randint(0, 300)
        draw = self.rng.random()
        if draw < 0.01:
            return self.contract.expires_at + self.rng.randint(1, 10_000)
        if draw < 0.03:
            return max(0, latest - self.rng.randint(0, 2_000))
        if draw < 0.06:
            return latest + self.contract.lease_ms + self.rng.randint(0, 9_000)
        return max(self.now_ms, latest + self.rng.randint(1, 200))

    def ref(self) -> ArtifactRef:
        """Return a reference to some body."""
        name = self.rng.choice("abcdef") * 64
        return ArtifactRef(digest=f"blake3:{name}", size_bytes=5, mime="text/plain")

    # --- saying -------------------------------------------------------------------------------

    def say(
        self, group: str, payload: Payload, key: KeyPair, at_ms: int, **facts: object
    ) -> _Known:
        """Make the event, with a flaw now and then, and remember it."""
        fields = dict(payloads.write(payload))
        if not self.is_right(0.98):
            fields["surprise"] = True
        event = self.event(payload.kind, fields, key, at_ms)
        self.machine.add([event])
        known = _Known(event, payload, key, **facts)
        self.known.setdefault(group, []).append(known)
        return known

    def event(self, kind: str, fields: Mapping[str, Value], key: KeyPair, at_ms: int) -> Event:
        """Make an event about the task, in the wrong scope, class or epoch now and then."""
        draft = Draft(
            kind=kind,
            scope=self.task.scope if self.is_right(0.99) else "group:elsewhere",
            lane_class=LaneClass.WORK if self.is_right(0.99) else LaneClass.MESSAGES,
            task_id=self.task.event_id,
            epoch=1 if self.is_right(0.98) else self.rng.choice((0, 2)),
            created_at=at_ms,
            payload=fields,
        )
        return draft.sign(self.network.network_id, key)

    def say_something(self) -> None:
        """Make the next event of the history."""
        kind = self.rng.choices(list(KINDS), list(KINDS.values()))[0]
        while kind in GROUNDS and self.is_right():
            group, earlier = self.rng.choice(GROUNDS[kind])
            if self.has_effective(group):
                break
            kind = earlier
        _SAYINGS[kind](self)

    def has_effective(self, group: str) -> bool:
        """Tell whether an event of a group took effect."""
        effective = self.machine.state.effective
        return any(each.event.event_id in effective for each in self.known.get(group, ()))


def _claim(author: Author) -> None:
    role = author.rng.choices(tuple(Work), (1, 2))[0]
    at_ms = author.date()
    payload = payloads.TaskClaimed(
        role=role,
        attempt=1 if author.is_right(0.85) else author.rng.randint(1, 3),
        executor=author.rng.choice("xyz"),
        lease_until=at_ms + author.rng.choice((0, 3_000, 20_000, 20_000, 90_000, 90_000)),
        pin=author.version.id if author.is_right(0.97) else Digest(author.rng.randbytes(32)),
    )
    able = [key for key in author.cast if author.version.holds(key.node_id, ROLE_OF[role])]
    key = author.key(author.rng.choice(able or author.cast))
    author.say(role.value, payload, key, at_ms, attempt=payload.attempt)


def _renewal(author: Author) -> None:
    claim = author.pick(author.rng.choice(tuple(Work)).value)
    before = author.pick("renewal")
    if claim is None:
        return
    if before is not None and author.is_right(0.6):
        assert isinstance(before.payload, payloads.TaskClaimRenewed)
        at_ms = before.event.created_at + author.rng.randint(1, author.contract.lease_ms)
        name, previous, key = before.payload.claim, before.event.event_id, before.key
    else:
        at_ms = claim.event.created_at + author.rng.randint(1, author.contract.lease_ms)
        name, previous, key = claim.event.event_id, claim.event.event_id, claim.key
    until = at_ms + author.rng.choice((0, 5_000, 60_000))
    payload = payloads.TaskClaimRenewed(claim=name, previous=previous, lease_until=until)
    author.say("renewal", payload, author.key(key), at_ms)


def _release(author: Author) -> None:
    claim = author.pick(author.rng.choice(tuple(Work)).value)
    payload = payloads.TaskClaimReleased(claim=author.name(claim))
    key = author.key(claim.key if claim else None)
    author.say("release", payload, key, author.date(claim))


def _claim_decision(author: Author) -> None:
    claim = author.pick(author.rng.choice(tuple(Work)).value)
    payload = payloads.TaskClaimDecided(claim=author.name(claim), approved=author.is_right(0.8))
    author.say("claim_decision", payload, author.key(author.creator), author.date(claim))


def _candidate(author: Author) -> None:
    claim = author.pick(Work.PROPOSE.value)
    evidence = tuple(author.ref() for _ in range(author.rng.choice((0, 0, 0, 0, 1, 2))))
    payload = payloads.CandidateProposed(
        claim=author.name(claim),
        output=author.ref(),
        evidence=evidence,
        summary="a summary",
        reuse_of=EventId(author.rng.randbytes(32)) if author.is_right(0.5) else None,
    )
    key = author.key(claim.key if claim else None)
    author.say("candidate", payload, key, author.date(claim), attempt=_attempt(claim))


def _addition(author: Author) -> None:
    candidate = author.pick("candidate")
    payload = payloads.EvidenceAdded(
        candidate=author.name(candidate),
        evidence=tuple(author.ref() for _ in range(author.rng.choice((0, 1, 1)))),
    )
    key = author.key(candidate.key if candidate else None)
    author.say("addition", payload, key, author.date(candidate))


def _confirmation(author: Author) -> None:
    claim, candidate = author.pick(Work.VERIFY.value), author.pick("candidate")
    digest = author.ref().digest
    if candidate is not None and author.is_right():
        assert isinstance(candidate.payload, payloads.CandidateProposed)
        digest = next((ref.digest for ref in candidate.payload.evidence), digest)
    payload = payloads.EvidenceAvailable(
        claim=author.name(claim),
        candidate=author.name(candidate),
        digest=digest,
        proof=Digest(author.rng.randbytes(32)),
    )
    key = author.key(claim.key if claim else None)
    author.say("confirmation", payload, key, author.date(claim, candidate))


def _result(author: Author) -> None:
    claim, candidate = author.pick(Work.VERIFY.value), author.pick("candidate")
    status = author.rng.choices(tuple(Status), (7, 2, 1))[0]
    payload = payloads.VerifierResultSubmitted(
        claim=author.name(claim),
        candidate=author.name(candidate),
        status=status,
        score_bp=author.rng.randint(0, 10_000),
        reason_codes=(author.rng.choice((100, 100, 101, 200, 300, 999, 4_000)),),
        provider="a provider",
        model="a model",
    )
    key = author.key(claim.key if claim else None)
    ballot = Ballot.REJECT if status is Status.FAILED else Ballot.APPROVE
    author.say(
        "result",
        payload,
        key,
        author.date(claim, candidate),
        attempt=_attempt(claim),
        ballot=ballot,
    )


def _commit(author: Author) -> None:
    result = author.pick("result")
    if result is None:
        return
    assert isinstance(result.payload, payloads.VerifierResultSubmitted)
    key, salt = author.key(result.key), author.rng.randbytes(32)
    subject = Subject(Label(1, author.version.id), result.attempt, result.payload.candidate)
    bound = bound_fields(
        author.network.network_id,
        author.task.event_id,
        subject,
        key.node_id,
        result.event.event_id,
    )
    ballot = result.ballot if author.is_right() else author.rng.choice(tuple(Ballot))
    payload = payloads.VoteCommit(
        result=author.name(result), commit_hash=commit_hash(bound, ballot, salt)
    )
    author.say("commit", payload, key, author.date(result), salt=salt, ballot=ballot)


def _vote(author: Author) -> None:
    commit = _unrevealed(author)
    if commit is not None and (author.contract.commit_reveal or author.is_right(0.1)):
        listed = author.known["commit"]
        share = len(listed) if author.is_right(0.6) else author.rng.randint(0, len(listed))
        seen = [author.name(each) for each in author.rng.sample(listed, share)]
        payload = payloads.VoteReveal(
            commit=author.name(commit),
            vote=commit.ballot if author.is_right() else Ballot.REJECT,
            salt=commit.salt if author.is_right() else author.rng.randbytes(32),
            seen=tuple(seen),
        )
        at_ms = author.date(commit, *author.known["commit"][-2:])
        if not author.is_right(0.85):  # dated before some of the commits that it lists
            at_ms = commit.event.created_at + author.rng.randint(1, 50)
        author.say("vote", payload, author.key(commit.key), at_ms)
        return
    result = author.pick("result")
    if result is None:
        return
    plain = payloads.PlainVote(result=author.name(result), vote=result.ballot)
    author.say("vote", plain, author.key(result.key), author.date(result))


def _unrevealed(author: Author) -> _Known | None:
    """Draw a commit, rather one that has not been revealed."""
    state = author.machine.state
    waiting = [
        each
        for each in author.known.get("commit", [])
        if each.event.event_id in state.commits and each.event.event_id not in state.revealed
    ]
    return author.rng.choice(waiting) if waiting and author.is_right(0.8) else author.pick("commit")


def _decision(author: Author) -> None:
    votes = author.known.get("vote", [])
    confirmations = author.known.get("confirmation", [])
    candidate = _voted_on(author)
    if candidate is None or not votes:
        return
    about = _effective_votes(author, candidate)
    held = [
        each
        for each in confirmations
        if isinstance(each.payload, payloads.EvidenceAvailable)
        and (each.event.event_id in author.machine.state.effective or not author.is_right())
        and each.payload.candidate == candidate.event.event_id
    ]
    chosen = about if author.is_right(0.8) else author.rng.sample(votes, 1)
    if not author.is_right(0.8):
        chosen = chosen[: author.rng.randint(0, len(chosen))]
    payload = payloads.DecisionCommitted(
        candidate=author.name(candidate),
        reveals=tuple(author.name(each) for each in chosen),
        confirmations=tuple(author.name(each) for each in held),
    )
    able = [key for key in author.cast if author.version.holds(key.node_id, Role.COMMITTER)]
    key = author.key(author.rng.choice(able))
    author.say("decision", payload, key, author.date(candidate, *chosen, *held))


def _voted_on(author: Author) -> _Known | None:
    """Draw a candidate, rather one that somebody approved of."""
    state = author.machine.state
    approved = [v.subject.candidate for v in state.votes.values() if v.ballot is Ballot.APPROVE]
    made = {each.event.event_id: each for each in author.known.get("candidate", [])}
    if approved and author.is_right():
        return made[author.rng.choice(approved)]
    return author.pick("candidate")


def _effective_votes(author: Author, candidate: _Known) -> list[_Known]:
    """Return the votes on a candidate that took effect, mostly those of one attempt."""
    votes = author.machine.state.votes
    about = [
        each
        for each in author.known["vote"]
        if each.event.event_id in votes
        and votes[each.event.event_id].subject.candidate == candidate.event.event_id
    ]
    if not about or not author.is_right():
        return about
    first = votes[author.rng.choice(about).event.event_id].subject
    return [each for each in about if votes[each.event.event_id].subject == first]


def _finality(author: Author) -> None:
    decision = author.pick("decision")
    candidates = author.known.get("candidate", [])
    if not candidates:
        return
    chosen = author.rng.choice(candidates).event.event_id
    if decision is not None and author.is_right(0.8):
        assert isinstance(decision.payload, payloads.DecisionCommitted)
        chosen = decision.payload.candidate
    name = author.name(decision)
    signers = author.rng.sample(author.cast, author.rng.randint(1, len(author.cast)))
    sigs = sorted(
        (key.node_id, _signature(author, key, chosen, name))
        for key in signers
        if _may_sign(author, key.node_id, chosen)
    )
    payload = payloads.DecisionFinalized(
        pin=author.version.id, candidate=chosen, decision=name, sigs=tuple(sigs)
    )
    author.say("finality", payload, author.key(), author.date(decision))


def _may_sign(author: Author, node: NodeId, candidate: EventId) -> bool:
    """Tell whether this signer signs: an honest finalizer signs one candidate, ever."""
    if not author.honest_finalizers.get(node, False):
        return True
    return author.signed.setdefault(node, candidate) == candidate


def _signature(author: Author, key: KeyPair, candidate: EventId, decision: EventId) -> bytes:
    label = Label(1, author.version.id)
    signed = finality_message(
        author.network.network_id, author.task.event_id, label, candidate, decision
    )
    return key.sign(signed) if author.is_right(0.95) else author.rng.randbytes(64)


def _error(author: Author) -> None:
    claim = author.pick(author.rng.choice(tuple(Work)).value)
    payload = payloads.TaskError(
        claim=author.name(claim), reason="timeout", reason_codes=(300,), message="too slow"
    )
    key = author.key(claim.key if claim else None)
    author.say("error", payload, key, author.date(claim))


def _retry(author: Author) -> None:
    at_ms = author.date()
    payload = payloads.TaskRetryScheduled(
        pin=author.version.id if author.is_right() else Digest(author.rng.randbytes(32)),
        from_attempt=author.rng.choice((1, 1, 1, 2, 2, 3)),
        run_at=at_ms + 1_000,
    )
    author.say("retry", payload, author.key(), at_ms)


def _control(author: Author) -> None:
    """A control word: of the creator, of finalizers, of nobody; or a copy under another number."""
    before = author.pick("control")
    made = PAYLOADS[author.rng.choice(tuple(ControlWord))]
    said = Control(made.word, author.rng.randint(1, 4), author.rng.choice(("", "why")))
    if before is not None and author.is_right(0.7):
        assert isinstance(before.payload, tuple(PAYLOADS.values()))
        made, said = type(before.payload), content(before.payload)
    signed = control_message(author.network.network_id, author.task.event_id, said)
    sigs = _control_signatures(author, signed)
    if not author.is_right(0.9):  # what was signed stands under another number
        said = said._replace(control_no=said.control_no + 1)
    payload = made(control_no=said.control_no, reason=said.reason, sigs=sigs or None)
    key = author.creator if author.is_right(0.3) else author.rng.choice(author.cast)
    author.say("control", payload, key, author.date())


def _control_signatures(author: Author, signed: bytes) -> tuple[tuple[NodeId, bytes], ...]:
    """Return signatures of a few, some of them forged, and not all of them finalizers."""
    signers = author.rng.sample(author.cast, author.rng.choice((0, 1, 1, 2)))
    return tuple(
        sorted(
            (key.node_id, key.sign(signed) if author.is_right() else author.rng.randbytes(64))
            for key in signers
        )
    )


def _completion(author: Author) -> None:
    candidate = author.pick("candidate")
    payload = payloads.TaskCompletionDecided(
        candidate=author.name(candidate), approved=author.is_right(0.5), retry_requested=True
    )
    author.say("completion", payload, author.key(author.creator), author.date(candidate))


def _settlement(author: Author) -> None:
    claim = author.pick(author.rng.choice(tuple(Work)).value)
    payload = payloads.TaskSettled(claim=author.name(claim), receipt="{}")
    author.say("settlement", payload, author.key(author.creator), author.date(claim))


def _feedback(author: Author) -> None:
    candidate = author.pick("candidate")
    payload = payloads.TaskFeedbackReported(
        candidate=author.name(candidate), outcome=FeedbackWord.BAD, reason=""
    )
    at_ms = author.date(candidate)
    if author.is_right(0.3):
        at_ms = author.contract.expires_at + author.rng.randint(1, 99)
    author.say("feedback", payload, author.key(author.creator), at_ms)


def _reuse_rejection(author: Author) -> None:
    candidate = _rejected(author)
    if candidate is None:
        return
    assert isinstance(candidate.payload, payloads.CandidateProposed)
    votes = _effective_votes(author, candidate)
    digest = candidate.payload.output.digest if author.is_right() else author.ref().digest
    payload = payloads.ReuseRejectRecorded(
        candidate=author.name(candidate),
        output_digest=digest,
        reveals=tuple(author.name(each) for each in votes),
        reason_codes=(101,),
    )
    author.say("reuse_rejection", payload, author.key(), author.date(candidate, *votes))


def _rejected(author: Author) -> _Known | None:
    """Draw a candidate that somebody voted on, rather one that was rejected."""
    votes = author.machine.state.votes.values()
    about = {
        vote.subject.candidate
        for vote in votes
        if vote.ballot is Ballot.REJECT or not author.is_right(0.9)
    }
    found = [each for each in author.known.get("candidate", ()) if each.event.event_id in about]
    return author.rng.choice(found) if found else None


def _notice(author: Author) -> None:
    """A notice that the task expired, some of them too early."""
    at_ms = author.contract.expires_at + author.rng.choice((-5, 0, 1, 99))
    author.say("notice", payloads.TaskExpired(), author.key(), at_ms)


def _nonsense(author: Author) -> None:
    """An event of an unknown kind or of the board, or one of a known kind with another's fields."""
    known_kinds = sorted(payloads.KINDS - {"TASK_CREATED"})
    kind = author.rng.choice(("TASK_LOVED", *sorted(board.KINDS), *known_kinds))
    fields = author.rng.choice(({}, {"claim": bytes(32)}, {"why": "not"}, {"sigs": [[b"", b""]]}))
    event = author.event(kind, fields, author.key(), author.date())
    known = _Known(event, payloads.TaskClaimReleased(claim=EventId(bytes(32))), author.cast[0])
    author.known.setdefault("nonsense", []).append(known)


def _attempt(claim: _Known | None) -> int:
    return 1 if claim is None else claim.attempt


_SAYINGS: Mapping[str, Callable[[Author], None]] = {
    "claim": _claim,
    "renewal": _renewal,
    "release": _release,
    "claim_decision": _claim_decision,
    "candidate": _candidate,
    "addition": _addition,
    "confirmation": _confirmation,
    "result": _result,
    "commit": _commit,
    "vote": _vote,
    "decision": _decision,
    "finality": _finality,
    "error": _error,
    "retry": _retry,
    "control": _control,
    "completion": _completion,
    "settlement": _settlement,
    "feedback": _feedback,
    "reuse_rejection": _reuse_rejection,
    "notice": _notice,
    "nonsense": _nonsense,
}


# --- whole histories ------------------------------------------------------------------------------


def history(rng: random.Random, size: int) -> History:
    """Draw a history of about `size` events."""
    cast = keys(rng.randint(3, 6), rng.randint(0, 3))
    network = _network(rng, cast)
    later, version = _later(rng, network, cast)
    created = _task(rng, network, version, cast)
    equivocators = rng.randint(0, max(0, 2 * version.threshold - len(version.finalizers) - 1))
    liars = rng.sample(sorted(version.finalizers), equivocators)
    known = network.governance()
    for event in later:
        known.add(event)
    machine = TaskMachine(created.event_id, known)
    machine.add([created])
    author = Author(
        rng=rng,
        network=network,
        version=version,
        task=created,
        cast=cast,
        contract=read_contract(created.payload["contract"]),
        honest_finalizers={node: node not in liars for node in version.finalizers},
        machine=machine,
    )
    for _ in range(size):
        author.say_something()
    events = [created, *(each.event for made in author.known.values() for each in made)]
    return History(network, later, created, events, len(liars), version)


def _network(rng: random.Random, cast: Sequence[KeyPair]) -> Network:
    if rng.random() < 0.1:
        return local_network(cast[0])
    finalizers = rng.randint(1, len(cast))
    members = {key.node_id: _roles(rng) for key in cast[1:-1]}
    for key in cast[:finalizers]:
        members[key.node_id] = members.get(key.node_id, frozenset()) | {Role.FINALIZER}
    open_roles = frozenset({Role.PROPOSER, Role.VERIFIER}) if rng.random() < 0.4 else frozenset()
    return shared_network(members, cast[0], open_roles=open_roles)


def _roles(rng: random.Random) -> frozenset[Role]:
    return EVERY_ROLE if rng.random() < 0.7 else frozenset(rng.sample(sorted(EVERY_ROLE), 2))


def _later(
    rng: random.Random, network: Network, cast: Sequence[KeyPair]
) -> tuple[list[Event], Version]:
    """Draw a later version of governance, signed by all, and the version the task names."""
    if rng.random() < 0.5:
        return [], network.genesis
    members = {**network.genesis.members, cast[-1].node_id: EVERY_ROLE}
    version = governance.successor(network.genesis, members=members, effective_at=START_MS - 500)
    signers = [key for key in cast if key.node_id in network.genesis.finalizers]
    carriers = [
        governance.draft_update(
            version,
            {key.node_id: governance.sign(network.network_id, version, key)},
            START_MS - 400 + index,
        ).sign(network.network_id, key)
        for index, key in enumerate(signers)
    ]
    return carriers, rng.choice((version, network.genesis))


def _task(rng: random.Random, network: Network, version: Version, cast: Sequence[KeyPair]) -> Event:
    able = [key for key in cast if version.holds(key.node_id, Role.PROPOSER)]
    terms: dict[str, object] = {
        "quorum_threshold": 1,
        "independence": rng.choice(("none", "none", "none", "executor", "node")),
        "commit_reveal": rng.random() < 0.7,
        "allocator": "creator" if rng.random() < 0.15 else "open",
        "lease_ms": 20_000,
        "time_ms": 60_000,
        "max_verifiers": 9,
    }
    creator = rng.choice(able)
    for quorum in rng.sample((1, 2, 2, 3), 4):
        try:
            return task(network, creator, {**terms, "quorum_threshold": quorum}, pin=version)
        except AssertionError:
            continue
    return task(network, creator, {**terms, "independence": "none"}, pin=version)
