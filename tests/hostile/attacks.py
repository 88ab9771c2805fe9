"""Attacks: one function for each, which makes one or a few hostile events."""

from collections.abc import Callable, Mapping

from tests.hostile.attacker import Attacker
from wattswarm.kernel import governance, payloads
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.control import control_message
from wattswarm.kernel.epoch import epoch_end_message
from wattswarm.kernel.event import Draft, LaneClass
from wattswarm.kernel.finality import finality_message
from wattswarm.kernel.governance import Role
from wattswarm.kernel.governance.statement import Statement, statement_message
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.limits import EPOCH_MAX, UINT_MAX
from wattswarm.kernel.payloads import Ballot, Status, Work
from wattswarm.kernel.payloads.control import PAYLOADS, ControlWord
from wattswarm.kernel.payloads.statement import EventRevoked, NodePenalized, StatementState
from wattswarm.kernel.records import Control, Subject
from wattswarm.kernel.vote import bound_fields, commit_hash

SPAM = 8
FIELDS = ("claim", "candidate", "pin", "sigs", "vote", "seen", "attempt", "role", "control_no")


def absurd(attacker: Attacker) -> None:
    """Say something authentic that makes no sense: any fields, in any epoch, on any date."""
    rng = attacker.rng
    junk = (True, 0, UINT_MAX, "", "x" * 300, b"", bytes(32), [], [[b"", b""]], {"a": {}})
    fields = {rng.choice(FIELDS): rng.choice(junk) for _ in range(rng.randint(0, 5))}
    kind = rng.choice(("TASK_LOVED", *sorted(payloads.KINDS - {"TASK_CREATED"})))
    epoch = rng.choice((0, 1, 2, EPOCH_MAX))
    attacker.utter(kind, fields, epoch=epoch)


def squat(attacker: Attacker) -> None:
    """Claim under the executor of somebody else, with a date before his, and as early as can be."""
    event = attacker.heard("TASK_CLAIMED")
    executor = "x" if event is None else str(event.payload["executor"])
    at_ms = attacker.stage.task.created_at + 1 if attacker.rng.random() < 0.5 else None
    claim(attacker, executor, at_ms)


def claim(
    attacker: Attacker, executor: str, at_ms: int | None = None, role: Work | None = None
) -> EventId:
    """Claim a place for ever."""
    payload = payloads.TaskClaimed(
        role=attacker.rng.choice(tuple(Work)) if role is None else role,
        attempt=attacker.rng.choice((1, 1, 2, 3, 64)),
        executor=executor,
        lease_until=UINT_MAX if attacker.rng.random() < 0.5 else attacker.now_ms + 10**6,
        pin=attacker.label.pin,
    )
    return attacker.say(payload, at_ms=at_ms)


def displace(attacker: Attacker) -> None:
    """Renew, release, disapprove and fail the claims of others."""
    name = attacker.name("TASK_CLAIMED")
    attacker.say(payloads.TaskClaimRenewed(claim=name, previous=name, lease_until=UINT_MAX))
    attacker.say(payloads.TaskClaimReleased(claim=name))
    attacker.say(payloads.TaskClaimDecided(claim=name, approved=False))
    attacker.say(
        payloads.TaskError(claim=name, reason="other", reason_codes=(999,), message="broken")
    )


def propose(attacker: Attacker) -> None:
    """Propose again and again under one claim: an output of somebody else, or none that is."""
    key = attacker.key()
    taken = payloads.TaskClaimed(
        role=Work.PROPOSE,
        attempt=1,
        executor="squatter",
        lease_until=attacker.now_ms + 10**6,
        pin=attacker.label.pin,
    )
    name = attacker.say(taken, key, attacker.now_ms)
    event = attacker.heard("CANDIDATE_PROPOSED")
    for index in range(2):
        if event is not None and attacker.rng.random() < 0.5:
            fields = {**event.payload, "claim": name}
            attacker.utter(event.kind, fields, key, attacker.now_ms + 1 + index)
            continue
        junk = ArtifactRef(digest=f"blake3:{'0' * 64}", size_bytes=1, mime="text/plain")
        made = payloads.CandidateProposed(claim=name, output=junk, evidence=(junk,))
        attacker.say(made, key, attacker.now_ms + 1 + index)


def copy(attacker: Attacker) -> None:
    """Say under another name what an honest node said: votes, seals of votes, proofs, results."""
    event = attacker.heard(
        "VOTE_COMMIT", "VOTE_REVEAL", "EVIDENCE_AVAILABLE", "VERIFIER_RESULT_SUBMITTED"
    )
    if event is not None:
        attacker.utter(event.kind, event.payload, epoch=event.epoch)


def verify(attacker: Attacker) -> None:
    """Have a claim, and farm: the same findings again and again, both ballots, junk proofs."""
    key, rng = attacker.rng.choice(attacker.stage.traitors), attacker.rng
    candidate = attacker.heard("CANDIDATE_PROPOSED")
    if candidate is None:
        return
    at_ms = max(attacker.now_ms, candidate.created_at + 1)
    taken = payloads.TaskClaimed(
        role=Work.VERIFY,
        attempt=1,
        executor=rng.choice("xyz"),
        lease_until=at_ms + 10**6,
        pin=attacker.label.pin,
    )
    name = attacker.say(taken, key, at_ms, candidate.epoch)
    proof = payloads.EvidenceAvailable(
        claim=name,
        candidate=candidate.event_id,
        digest=f"blake3:{'0' * 64}",
        proof=Digest(rng.randbytes(32)),
    )
    attacker.say(proof, key, at_ms + 1, candidate.epoch)
    for index in range(rng.randint(1, 4)):
        status = rng.choice((Status.PASSED, Status.FAILED))
        found = payloads.VerifierResultSubmitted(
            claim=name,
            candidate=candidate.event_id,
            status=status,
            score_bp=rng.choice((0, 10_000)),
            reason_codes=(100,),
            provider="p",
            model="m",
        )
        result = attacker.say(found, key, at_ms + 1 + index, candidate.epoch)
        vote(attacker, result, candidate.event_id, at_ms + 10 * index + 2, key.node_id)


def vote(
    attacker: Attacker, result: EventId, candidate: EventId, at_ms: int, voter: NodeId
) -> None:
    """Seal both ballots on one result, reveal both, list what is not there, and vote plainly."""
    key = next(each for each in attacker.everybody if each.node_id == voter)
    subject = Subject(attacker.state.here, 1, candidate)
    bound = bound_fields(attacker.network_id, attacker.stage.task.event_id, subject, voter, result)
    epoch, salt = subject.label.epoch, bytes(32)
    for ballot in Ballot:
        sealed = payloads.VoteCommit(result=result, commit_hash=commit_hash(bound, ballot, salt))
        commit = attacker.say(sealed, key, at_ms, epoch)
        seen = [attacker.name("VOTE_COMMIT") for _ in range(3)]
        opened = payloads.VoteReveal(commit=commit, vote=ballot, salt=salt, seen=tuple(seen))
        attacker.say(opened, key, at_ms + 1, epoch)
        attacker.say(payloads.PlainVote(result=result, vote=ballot), key, at_ms + 2, epoch)


def decide(attacker: Attacker) -> None:
    """Decide for something as a committer, with the votes that there are, and open attempts."""
    key = attacker.rng.choice(attacker.stage.traitors)
    votes = [each.event_id for each in attacker.said if each.kind == "VOTE_REVEAL"]
    held = [each.event_id for each in attacker.said if each.kind == "EVIDENCE_AVAILABLE"]
    payload = payloads.DecisionCommitted(
        candidate=attacker.name("CANDIDATE_PROPOSED"),
        reveals=tuple(votes[:64]),
        confirmations=tuple(held[:64]),
    )
    attacker.say(payload, key)
    retry = payloads.TaskRetryScheduled(
        pin=attacker.label.pin, from_attempt=attacker.rng.choice((1, 2, 3)), run_at=UINT_MAX
    )
    attacker.say(retry, key, attacker.now_ms)


def finalize(attacker: Attacker) -> None:
    """Seal another candidate, with signatures of traitors and forged ones of the rest."""
    candidate, decision = attacker.name("CANDIDATE_PROPOSED"), attacker.name("DECISION_COMMITTED")
    label = attacker.label
    signed = finality_message(
        attacker.network_id, attacker.stage.task.event_id, label, candidate, decision
    )
    sigs = dict(attacker.sigs(signed))
    event = attacker.heard("DECISION_FINALIZED")
    if event is not None:  # genuine signatures, over something else
        sigs |= dict(event.payload["sigs"])
    payload = payloads.DecisionFinalized(
        pin=label.pin, candidate=candidate, decision=decision, sigs=tuple(sorted(sigs.items()))
    )
    attacker.say(payload, epoch=label.epoch)


def end_epoch(attacker: Attacker) -> None:
    """End an epoch without a quorum, under any pin to follow."""
    label = attacker.label
    pins = (label.pin, Digest(attacker.rng.randbytes(32)))
    next_pin = attacker.rng.choice(pins)
    signed = epoch_end_message(attacker.network_id, attacker.stage.task.event_id, label, next_pin)
    payload = payloads.EpochEnded(
        pin=label.pin, next_pin=next_pin, reason="", sigs=attacker.sigs(signed)
    )
    attacker.say(payload, epoch=label.epoch)


def lengthen(attacker: Attacker) -> None:
    """As a finalizer, carry again what opened an epoch, so that it would last longer."""
    event = attacker.heard("EPOCH_ENDED")
    if event is not None:
        key = attacker.rng.choice(attacker.stage.traitors)
        attacker.utter(event.kind, event.payload, key, epoch=event.epoch)


def command(attacker: Attacker) -> None:
    """Stop, suspend or kill the task without a quorum, under the highest number there is."""
    word = attacker.rng.choice((ControlWord.STOPPED, ControlWord.SUSPENDED, ControlWord.KILLED))
    said = Control(word, attacker.rng.choice((1, UINT_MAX)), "")
    signed = control_message(attacker.network_id, attacker.stage.task.event_id, said)
    sigs = attacker.sigs(signed) if attacker.rng.random() < 0.7 else None
    attacker.say(PAYLOADS[word](control_no=said.control_no, reason="", sigs=sigs))


def rewrap(attacker: Attacker) -> None:
    """Carry again what others carried: on another date, in another epoch, scope or class."""
    event = attacker.heard(*payloads.KINDS)
    if event is None or event.kind == "TASK_CREATED":
        return
    rng = attacker.rng
    attacker.utter(
        event.kind,
        event.payload,
        epoch=rng.choice((event.epoch, event.epoch, 0, event.epoch + 1)),
        scope=rng.choice((None, None, "group:elsewhere")),
        lane_class=rng.choice((LaneClass.WORK, LaneClass.WORK, LaneClass.MESSAGES)),
    )


def accuse(attacker: Attacker) -> None:
    """Revoke what honest nodes said, or penalize them, without a quorum."""
    rng, stage = attacker.rng, attacker.stage
    is_penalty = rng.random() < 0.5
    target = rng.choice(stage.honest).node_id if is_penalty else rng.choice(attacker.said).event_id
    said = Statement(
        kind=NodePenalized.kind if is_penalty else EventRevoked.kind,
        target=target,
        serial=rng.choice((1, UINT_MAX)),
        state=StatementState.REVOKED,
        governance=stage.network.genesis.id,
        reason="",
        keep=frozenset() if is_penalty else None,
    )
    sigs = dict(attacker.sigs(statement_message(attacker.network_id, said)))
    attacker.publish(governance.draft_statement(said, sigs, attacker.date()))


def usurp(attacker: Attacker) -> None:
    """Sign a governance version in which nobody but the attackers is left."""
    genesis = attacker.stage.network.genesis
    members = {key.node_id: frozenset(Role) for key in attacker.everybody}
    version = governance.successor(
        genesis, members=members, threshold=len(members), effective_at=attacker.rng.randint(0, 9)
    )
    sigs = dict(attacker.sigs(governance.signed_message(attacker.network_id, version)))
    attacker.publish(governance.draft_update(version, sigs, attacker.date()))


def settle(attacker: Attacker) -> None:
    """Pay, complete and declare expired what is not one\'s own."""
    attacker.say(payloads.TaskExpired())
    attacker.say(payloads.TaskSettled(claim=attacker.name("TASK_CLAIMED"), receipt="{}"))
    attacker.say(
        payloads.TaskCompletionDecided(
            candidate=attacker.name("CANDIDATE_PROPOSED"), approved=False, retry_requested=True
        )
    )


def spam(attacker: Attacker) -> None:
    """Say many things of one kind, all of them empty, or in the way."""
    for index in range(SPAM):
        if attacker.rng.random() < 0.5:
            claim(attacker, f"spam-{index}", attacker.now_ms)
        else:
            attacker.utter("TASK_LOVED", {"n": index})


def admit(attacker: Attacker) -> None:
    """Admit oneself, in the lane where that is said and in another."""
    key = attacker.key()
    lane_class = attacker.rng.choice((LaneClass.CONTROL, LaneClass.WORK))
    draft = Draft(
        kind=governance.NODE_ADMITTED,
        scope=governance.SCOPE,
        lane_class=lane_class,
        task_id=None,
        epoch=0,
        created_at=attacker.date(),
        payload={"node": key.node_id},
    )
    attacker.publish(draft, key)


ATTACKS: Mapping[str, Callable[[Attacker], None]] = {
    each.__name__: each
    for each in (
        absurd,
        squat,
        displace,
        propose,
        copy,
        verify,
        decide,
        finalize,
        end_epoch,
        lengthen,
        command,
        rewrap,
        accuse,
        usurp,
        settle,
        spam,
        admit,
    )
}


def attack(attacker: Attacker, count: int) -> None:
    """Make about as many hostile events, of all kinds."""
    while len(attacker.made) < count:
        attacker.rng.choice(list(ATTACKS.values()))(attacker)
