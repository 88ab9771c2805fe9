"""What authors say about a task: one function for each kind of event.

Most of it is plausible, so that much takes effect; the rest names things of the wrong kind or that
nobody has, bears dates before what it names or after the end, or comes from the wrong author.
"""

from collections.abc import Callable, Mapping, Sequence

from tests.laws.author import Author, Made
from wattswarm.kernel import payloads
from wattswarm.kernel.claim import ROLE_OF
from wattswarm.kernel.control import content, control_message
from wattswarm.kernel.epoch import epoch_end_message
from wattswarm.kernel.finality import finality_message
from wattswarm.kernel.governance import Role
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.payloads import Ballot, Status, Work, board
from wattswarm.kernel.payloads.control import PAYLOADS, ControlWord
from wattswarm.kernel.payloads.feedback import FeedbackWord
from wattswarm.kernel.records import Control, Subject
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.vote import bound_fields, commit_hash

HOUR_MS = 3_600_000

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
    "epoch_end": 7,
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


def _claim(author: Author) -> None:
    role = author.rng.choices(tuple(Work), (1, 2))[0]
    at_ms = author.date()
    payload = payloads.TaskClaimed(
        role=role,
        attempt=1 if author.is_right(0.85) else author.rng.randint(1, 3),
        executor=author.rng.choice("xyz"),
        lease_until=at_ms + author.rng.choice((0, 3_000, 20_000, 20_000, 90_000, 90_000)),
        pin=author.here.pin if author.is_right(0.97) else Digest(author.rng.randbytes(32)),
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
    subject = Subject(result.label, result.attempt, result.payload.candidate)
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
        listed = author.made["commit"]
        share = len(listed) if author.is_right(0.6) else author.rng.randint(0, len(listed))
        seen = [author.name(each) for each in author.rng.sample(listed, share)]
        payload = payloads.VoteReveal(
            commit=author.name(commit),
            vote=commit.ballot if author.is_right() else Ballot.REJECT,
            salt=commit.salt if author.is_right() else author.rng.randbytes(32),
            seen=tuple(seen),
        )
        at_ms = author.date(commit, *author.made["commit"][-2:])
        if not author.is_right(0.85):  # dated before some of the commits that it lists
            at_ms = commit.event.created_at + author.rng.randint(1, 50)
        author.say("vote", payload, author.key(commit.key), at_ms)
        return
    result = author.pick("result")
    if result is None:
        return
    plain = payloads.PlainVote(result=author.name(result), vote=result.ballot)
    author.say("vote", plain, author.key(result.key), author.date(result))


def _unrevealed(author: Author) -> Made | None:
    """Draw a commit, rather one that has not been revealed."""
    state = author.machine.state
    waiting = [
        each
        for each in author.made.get("commit", [])
        if each.event.event_id in state.commits and each.event.event_id not in state.revealed
    ]
    return author.rng.choice(waiting) if waiting and author.is_right(0.8) else author.pick("commit")


def _decision(author: Author) -> None:
    votes = author.made.get("vote", [])
    confirmations = author.made.get("confirmation", [])
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
    able = author.among(author.version.holders(Role.COMMITTER))
    key = author.key(author.rng.choice(able or author.cast))
    author.say("decision", payload, key, author.date(candidate, *chosen, *held))


def _voted_on(author: Author) -> Made | None:
    """Draw a candidate, rather one that somebody approved of."""
    state = author.machine.state
    approved = [v.subject.candidate for v in state.votes.values() if v.ballot is Ballot.APPROVE]
    made = {each.event.event_id: each for each in author.made.get("candidate", [])}
    if approved and author.is_right():
        return made[author.rng.choice(approved)]
    return author.pick("candidate")


def _effective_votes(author: Author, candidate: Made) -> list[Made]:
    """Return the votes on a candidate that took effect, mostly those of one attempt."""
    votes = author.machine.state.votes
    about = [
        each
        for each in author.made["vote"]
        if each.event.event_id in votes
        and votes[each.event.event_id].subject.candidate == candidate.event.event_id
    ]
    if not about or not author.is_right():
        return about
    first = votes[author.rng.choice(about).event.event_id].subject
    return [each for each in about if votes[each.event.event_id].subject == first]


def _finality(author: Author) -> None:
    decision = author.pick("decision")
    candidates = author.made.get("candidate", [])
    if not candidates:
        return
    chosen = author.rng.choice(candidates).event.event_id
    if decision is not None and author.is_right(0.8):
        assert isinstance(decision.payload, payloads.DecisionCommitted)
        chosen = decision.payload.candidate
    name = author.name(decision)
    signers = author.rng.sample(author.cast, author.rng.randint(1, len(author.cast)))
    if author.is_right(0.4):
        signers = author.among(author.version.finalizers)
    sigs = sorted(
        (key.node_id, _signature(author, key, chosen, name))
        for key in signers
        if _may_sign(author, key.node_id, chosen)
    )
    payload = payloads.DecisionFinalized(
        pin=author.here.pin, candidate=chosen, decision=name, sigs=tuple(sigs)
    )
    author.say("finality", payload, author.key(), author.date(decision))


def _may_sign(author: Author, node: NodeId, candidate: EventId) -> bool:
    """Tell whether this signer signs: an honest finalizer signs one candidate per epoch, ever."""
    if node in author.liars or node not in author.version.finalizers:
        return True
    return author.signed.setdefault((author.here, node), candidate) == candidate


def _signature(author: Author, key: KeyPair, candidate: EventId, decision: EventId) -> bytes:
    signed = finality_message(
        author.network.network_id, author.task.event_id, author.here, candidate, decision
    )
    return key.sign(signed) if author.is_right(0.95) else author.rng.randbytes(64)


def _epoch_end(author: Author) -> None:
    """The end of an epoch, which opens the next: with a quorum or without, or another's again."""
    if not author.is_continuous and author.is_right(0.95):
        return
    before = author.pick("epoch_end")
    next_pin = author.rng.choice(sorted(author.versions))
    if before is not None and author.is_right(0.5):
        assert isinstance(before.payload, payloads.EpochEnded)
        next_pin = before.payload.next_pin
    if not author.is_right():
        next_pin = Digest(author.rng.randbytes(32))
    signers = author.among(author.version.finalizers)
    if not author.is_right(0.4):
        signers = author.rng.sample(author.cast, author.rng.randint(0, 2))
    payload = payloads.EpochEnded(
        pin=author.here.pin,
        next_pin=next_pin,
        reason=author.rng.choice(("", "over")),
        sigs=_end_signatures(author, signers, next_pin),
    )
    later_ms = 0 if author.is_right(0.8) else author.rng.randint(0, 3 * HOUR_MS)
    key = author.rng.choice(author.cast) if not signers else author.key(signers[0])
    author.say("epoch_end", payload, key, author.date() + later_ms)


def _end_signatures(
    author: Author, signers: Sequence[KeyPair], next_pin: Digest
) -> tuple[tuple[NodeId, bytes], ...]:
    signed = epoch_end_message(
        author.network.network_id, author.task.event_id, author.here, next_pin
    )
    return tuple(
        sorted(
            (key.node_id, key.sign(signed) if author.is_right() else author.rng.randbytes(64))
            for key in signers
        )
    )


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
        pin=author.here.pin if author.is_right() else Digest(author.rng.randbytes(32)),
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
    signers = author.rng.sample(author.cast, author.rng.choice((0, 1, 1, 2, 3)))
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


def _rejected(author: Author) -> Made | None:
    """Draw a candidate that somebody voted on, rather one that was rejected."""
    votes = author.machine.state.votes.values()
    about = {
        vote.subject.candidate
        for vote in votes
        if vote.ballot is Ballot.REJECT or not author.is_right(0.9)
    }
    found = [each for each in author.made.get("candidate", ()) if each.event.event_id in about]
    return author.rng.choice(found) if found else None


def _notice(author: Author) -> None:
    """A notice that the task expired, some of them too early."""
    at_ms = author.contract.expires_at + author.rng.choice((-5, 0, 1, 99, HOUR_MS))
    author.say("notice", payloads.TaskExpired(), author.key(), at_ms)


def _nonsense(author: Author) -> None:
    """An event of an unknown kind or of the board, or one of a known kind with another's fields."""
    known_kinds = sorted(payloads.KINDS - {"TASK_CREATED"})
    kind = author.rng.choice(("TASK_LOVED", *sorted(board.KINDS), *known_kinds))
    fields = author.rng.choice(({}, {"claim": bytes(32)}, {"why": "not"}, {"sigs": [[b"", b""]]}))
    event = author.event(kind, fields, author.key(), author.date())
    known = Made(
        event, payloads.TaskClaimReleased(claim=EventId(bytes(32))), author.cast[0], author.here
    )
    author.made.setdefault("nonsense", []).append(known)


def _attempt(claim: Made | None) -> int:
    return 1 if claim is None else claim.attempt


def say_something(author: Author) -> None:
    """Make the next event of a history."""
    author.enter()
    kind = author.rng.choices(list(KINDS), list(KINDS.values()))[0]
    while kind in GROUNDS and author.is_right():
        group, earlier = author.rng.choice(GROUNDS[kind])
        if author.has_effective(group):
            break
        kind = earlier
    SAYINGS[kind](author)


SAYINGS: Mapping[str, Callable[[Author], None]] = {
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
    "epoch_end": _epoch_end,
}
