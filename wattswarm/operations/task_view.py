"""A derived task as people read it: its row in a list, and everything about it.

Pure: the state, the moment, and whether a body is here come in as arguments.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal, Protocol, TypeAlias, TypeVar, cast

import attrs

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import EventId, NodeId
from wattswarm.kernel.payloads.claim import Work
from wattswarm.kernel.policy import ReasonCode
from wattswarm.kernel.records import Candidate, Commit, Control, Failure, Result, Vote
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.views import (
    Place,
    allocation,
    best_subject,
    median_score_bp,
    state_word,
)
from wattswarm.operations.contract_view import contract_view
from wattswarm.operations.epoch_view import epoch_views
from wattswarm.operations.event_view import hex_or_none
from wattswarm.operations.market_view import approval_word, completion_views, settlement_views
from wattswarm.operations.merit_view import contribution_views, feedback_views, rejection_views
from wattswarm.operations.next_steps import next_steps
from wattswarm.operations.voided import voided_views
from wattswarm.surface.task import (
    ArtifactView,
    CandidateView,
    ControlView,
    ErrorView,
    FinalityView,
    PlaceView,
    ResultView,
    TaskRow,
    TaskView,
    TaskWord,
    VoteView,
)
from wattswarm.surface.words import when

IsHere: TypeAlias = Callable[[ArtifactRef], bool]

REASONS: Final[Mapping[int, ReasonCode]] = {int(code): code for code in ReasonCode}


@attrs.frozen(kw_only=True)
class Moment:
    """When a task is looked at, how far the projections are then, and which bodies are here."""

    now_ms: int
    projected_seq: int
    is_here: IsHere
    governance: Governance | None = None
    """Where the reasons of statements stand; without it none is told."""

    def artifact(self, ref: ArtifactRef) -> ArtifactView:
        """Return a reference, and whether its body is here."""
        return ArtifactView(
            digest=ref.digest,
            size_bytes=ref.size_bytes,
            mime=ref.mime,
            is_here=self.is_here(ref),
        )


def task_view(state: TaskState, moment: Moment) -> TaskView:
    """Return everything about a task."""
    contract, decision = state.contract, state.decision
    return TaskView(
        task=task_row(state, moment.now_ms),
        creator=state.creator.hex(),
        pin="" if state.pin is None else state.pin.hex(),
        contract={} if contract is None else contract_view(contract),
        places=tuple(_places(state, moment.now_ms)),
        candidates=tuple(
            candidate_view(state, item, moment) for item in _dated(state.candidates.values())
        ),
        results=tuple(_result(item) for item in _dated(state.results.values())),
        votes=tuple(_votes(state)),
        errors=tuple(_error(item, state) for item in _dated(state.errors.values())),
        finality=tuple(finality_views(state)),
        controls=control_views(state),
        completions=completion_views(state),
        settlements=settlement_views(state),
        epochs=epoch_views(state),
        voided=() if moment.governance is None else voided_views(state, moment.governance),
        decision_id=None if decision is None else decision.event_id.hex(),
        quorum=0 if contract is None else contract.quorum_threshold,
        next_steps=next_steps(state, moment.now_ms),
        projected_seq=moment.projected_seq,
        now=when(moment.now_ms),
        feedback=feedback_views(state),
        contributions=contribution_views(state, moment.now_ms),
        reuse_rejections=rejection_views(state),
    )


def task_row(state: TaskState, now_ms: int) -> TaskRow:
    """Return a task as it stands in a list."""
    contract, chosen = state.contract, chosen_candidate(state)
    found = None if chosen is None else state.candidates.get(chosen)
    subject = None if found is None else best_subject(state, found.label, found.event_id)
    return TaskRow(
        task_id=state.task_id.hex(),
        name="" if contract is None else contract.name,
        task_type="" if contract is None else contract.task_type,
        scope=state.scope or "",
        state=cast("TaskWord", state_word(state, now_ms)),
        epoch=1 if state.label is None else state.label.epoch,
        attempt=state.attempt,
        created_at=when(state.created_at),
        expires_at=when(0 if contract is None else state.ends_at),
        candidates=len(state.candidates),
        results=len(state.results),
        approvals=0 if subject is None else state.approvals(subject),
        rejections=0 if subject is None else state.rejections(subject),
        decision=hex_or_none(chosen),
        events=state.events,
    )


def chosen_candidate(state: TaskState) -> EventId | None:
    """Return the candidate that is final, else the one that is decided for, else None."""
    outcome = None if state.label is None else state.outcome(state.label)
    if outcome is not None:
        return outcome.candidate
    return None if state.decision is None else state.decision.candidate


def candidate_view(state: TaskState, candidate: Candidate, moment: Moment) -> CandidateView:
    """Return a candidate and what was found about it."""
    name = candidate.event_id
    subject = best_subject(state, candidate.label, name)
    outcome = state.outcome(candidate.label)
    return CandidateView(
        candidate_id=name.hex(),
        claim_id=candidate.claim.hex(),
        node_id=candidate.author.hex(),
        executor=candidate.executor,
        attempt=candidate.attempt,
        created_at=when(candidate.created_at),
        output=moment.artifact(candidate.output),
        evidence=evidence_views(state, candidate, moment),
        summary=candidate.summary or "",
        approvals=state.approvals(subject),
        rejections=state.rejections(subject),
        median_score_bp=median_score_bp(state, name),
        confirmations=sum(item.candidate == name for item in state.confirmations.values()),
        is_decided=any(item.candidate == name for item in state.decisions.values()),
        is_final=outcome is not None and outcome.candidate == name,
        reuse_of=hex_or_none(candidate.reuse_of),
    )


def evidence_views(
    state: TaskState, candidate: Candidate, moment: Moment
) -> tuple[ArtifactView, ...]:
    """Return a candidate's own evidence, then what was added later."""
    added = [
        ref
        for addition in _dated(state.additions.values())
        if addition.candidate == candidate.event_id
        for ref in addition.evidence
    ]
    return tuple(map(moment.artifact, (*candidate.evidence, *added)))


def finality_views(state: TaskState) -> Iterator[FinalityView]:
    """Yield every candidate that a finalizer signed, with its signers."""
    for label, candidate in sorted(state.sealed):
        version, outcome = state.version_of(label), state.outcome(label)
        signers = {
            seal.signer
            for seal in state.seals
            if (seal.label, seal.candidate) == (label, candidate)
        }
        yield FinalityView(
            epoch=label.epoch,
            candidate_id=candidate.hex(),
            signers=tuple(sorted(signer.hex() for signer in signers)),
            threshold=0 if version is None else version.threshold,
            is_final=outcome is not None and outcome.candidate == candidate,
            is_disputed=outcome is not None and outcome.is_disputed,
        )


def control_views(state: TaskState) -> tuple[ControlView, ...]:
    """Return the control words on a task, by their numbers."""
    version = None if state.label is None else state.version_of(state.label)
    signers: dict[Control, list[NodeId]] = {}
    for said, signer in sorted(state.backing):
        signers.setdefault(said, []).append(signer)
    known = sorted(
        state.commanded.keys() | signers.keys(), key=lambda each: (each.control_no, each)
    )
    return tuple(
        ControlView(
            word=said.word.value,
            control_no=said.control_no,
            reason=said.reason,
            is_creators=said in state.commanded,
            signers=tuple(signer.hex() for signer in signers.get(said, ())),
            threshold=0 if version is None else version.threshold,
            stands=said == state.control,
        )
        for said in known
    )


class Dated(Protocol):
    """A record of an event."""

    @property
    def created_at(self) -> int: ...
    @property
    def event_id(self) -> EventId: ...


D = TypeVar("D", bound=Dated)


def _dated(records: Iterable[D]) -> list[D]:
    """Return records by their date, and by name where that is the same."""
    return sorted(records, key=lambda record: (record.created_at, record.event_id))


def _places(state: TaskState, now_ms: int) -> Iterator[PlaceView]:
    view = allocation(state, now_ms)
    for role in Work:
        yield from (_place(place, state) for place in view.of(role))
        for _ in range(view.free[role]):
            yield PlaceView(role=role.value, state="free", attempt=state.attempt)


def _place(place: Place, state: TaskState) -> PlaceView:
    return PlaceView(
        role=place.role.value,
        state=place.state.value,
        claim_id=place.claim.event_id.hex(),
        node_id=place.node.hex(),
        executor=place.executor,
        attempt=place.attempt,
        lease_until=when(place.lease_end),
        renewals=state.leases[place.claim.event_id].renewals,
        approval=approval_word(state, place.claim.event_id),
    )


def _result(result: Result) -> ResultView:
    return ResultView(
        result_id=result.event_id.hex(),
        candidate_id=result.candidate.hex(),
        node_id=result.author.hex(),
        executor=result.executor,
        status=result.status.value,
        score_bp=result.score_bp,
        reason_codes=result.reason_codes,
        reasons=tuple(map(reason_word, result.reason_codes)),
        provider=result.provider,
        model=result.model,
        created_at=when(result.created_at),
    )


def reason_word(code: int) -> str:
    """Return the word for a numeric reason code; a number that means nothing here stays one."""
    known = REASONS.get(code)
    return str(code) if known is None else known.name.lower()


def _votes(state: TaskState) -> Iterator[VoteView]:
    """Yield every sealed vote, revealed or not, and every plain one."""
    revealed = {vote.commit: vote for vote in state.votes.values() if vote.commit is not None}
    for commit in _dated(state.commits.values()):
        vote = revealed.get(commit.event_id)
        word = "committed" if vote is None else "revealed"
        yield _vote(commit, vote, word, state)
    for vote in _dated(item for item in state.votes.values() if item.commit is None):
        yield _vote(vote, vote, "plain", state)


def _vote(
    said: Commit | Vote,
    vote: Vote | None,
    word: Literal["committed", "revealed", "plain"],
    state: TaskState,
) -> VoteView:
    return VoteView(
        vote_id=said.event_id.hex(),
        candidate_id=said.subject.candidate.hex(),
        node_id=said.author.hex(),
        executor=state.results[said.result].executor if said.result in state.results else "",
        state=word,
        vote=None if vote is None else vote.ballot.value,
        counts=said.event_id in state.counted,
    )


def _error(failure: Failure, state: TaskState) -> ErrorView:
    claim = state.claims[failure.claim]
    return ErrorView(
        event_id=failure.event_id.hex(),
        claim_id=failure.claim.hex(),
        node_id=failure.author.hex(),
        executor=claim.executor,
        attempt=claim.attempt,
        reason=failure.reason,
        reason_codes=failure.reason_codes,
        message=failure.message,
        created_at=when(failure.created_at),
    )
