"""A task told in sentences; pure."""

from collections import Counter
from collections.abc import Iterator
from typing import cast

from wattswarm.kernel.codes import WORDS
from wattswarm.kernel.contract import Allocator
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import short
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Ignored
from wattswarm.kernel.views import finality_equivocators, state_word, vote_equivocations
from wattswarm.operations.derivation import Derived
from wattswarm.operations.epoch_view import epoch_story
from wattswarm.operations.market_view import approval_word, completion_views, settlement_views
from wattswarm.operations.merit_view import contribution_views, feedback_views, rejection_views
from wattswarm.operations.next_steps import next_steps
from wattswarm.operations.task_view import control_views, finality_views, reason_word
from wattswarm.operations.verdict_view import verdict_view
from wattswarm.operations.voided import voided_story
from wattswarm.surface.task import Explanation, TaskWord
from wattswarm.surface.words import when


def explanation(derived: Derived, now_ms: int) -> Explanation:
    """Return what a task is, what was done, what counted, and what is missing."""
    state = derived.state
    return Explanation(
        task_id=state.task_id.hex(),
        state=cast("TaskWord", state_word(state, now_ms)),
        summary=tuple(_story(state, derived.governance, now_ms)),
        next_steps=next_steps(state, now_ms),
        timeline=tuple(verdict_view(row, state) for row in derived.rows),
    )


def _story(state: TaskState, governance: Governance, now_ms: int) -> Iterator[str]:
    word = state_word(state, now_ms)
    yield from _origin(state)
    yield f"It is {word}: {WORDS[word]}"
    yield from epoch_story(state)
    yield from _work(state)
    yield from _findings(state)
    yield from _ends(state)
    yield from _controls(state)
    yield from _market(state)
    yield from _merit(state, now_ms)
    yield from voided_story(state, governance)
    yield from _trouble(state)


def _origin(state: TaskState) -> Iterator[str]:
    terms = state.contract
    if terms is None:
        yield f"Task {short(state.task_id)} is only known by what others say about it."
        return
    yield (
        f"Task {short(state.task_id)} “{terms.name}” ({terms.task_type}) was created by node "
        f"{short(state.creator)} at {when(state.created_at)}; it expires at "
        f"{when(terms.expires_at)}."
    )
    sealed = "sealed and then revealed" if terms.commit_reveal else "plain"
    yield (
        f"It takes {terms.quorum_threshold} counted approvals of one candidate; votes are {sealed}."
        f" At most {terms.max_proposers} propose and {terms.max_verifiers} verify, in up to "
        f"{terms.max_attempts} attempts."
    )


def _work(state: TaskState) -> Iterator[str]:
    if state.claims:
        renewals, released = len(state.renewals), len(state.released)
        yield (
            f"{len(state.claims)} claims were made, renewed {renewals} times; {released} were "
            "given back."
        )
    yield from _approvals(state)
    for name, candidate in sorted(state.candidates.items(), key=lambda item: item[1].created_at):
        yield (
            f"Executor {candidate.executor} of node {short(candidate.author)} proposed candidate "
            f"{short(name)} ({candidate.output.size_bytes} bytes of {candidate.output.mime})."
        )
    for failure in sorted(state.errors.values(), key=lambda item: item.created_at):
        claim = state.claims[failure.claim]
        yield f"Executor {claim.executor} failed: {failure.reason}. {failure.message}".rstrip()


def _approvals(state: TaskState) -> Iterator[str]:
    if state.terms.allocator is Allocator.CREATOR:
        words = Counter(approval_word(state, name) for name in state.claims)
        yield (
            f"Work takes its creator's approval: {words['approved']} claims have it, "
            f"{words['awaited']} wait for it, {words['declined']} were declined."
        )


def _findings(state: TaskState) -> Iterator[str]:
    for result in sorted(state.results.values(), key=lambda item: item.created_at):
        reasons = ", ".join(map(reason_word, result.reason_codes))
        yield (
            f"Verifier {result.executor} of node {short(result.author)} found candidate "
            f"{short(result.candidate)} {result.status.value} with {result.score_bp} of 10000 "
            f"points ({reasons})."
        )
    if state.commits or state.votes:
        said = Counter(vote.ballot.value for vote in state.votes.values())
        yield (
            f"{len(state.commits)} sealed votes; {said['approve']} approvals and {said['reject']} "
            f"rejections are known, {len(state.counted)} votes count."
        )


def _ends(state: TaskState) -> Iterator[str]:
    for decision in sorted(state.decisions.values(), key=lambda item: item.created_at):
        yield (
            f"Node {short(decision.author)} decided for candidate {short(decision.candidate)} at "
            f"{when(decision.created_at)}, by {decision.approvals} approvals to "
            f"{decision.rejections} rejections."
        )
    for final in finality_views(state):
        disputed = ", and finalizers contradicted each other" if final.is_disputed else ""
        yield (
            f"{len(final.signers)} of {final.threshold} needed finalizers signed candidate "
            f"{final.candidate_id[:12]}{disputed}."
        )


def _controls(state: TaskState) -> Iterator[str]:
    for said in control_views(state):
        who = "its creator" if said.is_creators else "finalizers"
        reason = f": {said.reason}" if said.reason else ""
        counted = f"{len(said.signers)} of {said.threshold} needed finalizers signed it"
        stands = ", and it stands" if said.stands else ""
        yield f"By word {said.control_no} of {who} it is {said.word}{reason}. {counted}{stands}."


def _market(state: TaskState) -> Iterator[str]:
    for said in completion_views(state):
        word = "accepted" if said.is_accepted else "did not accept"
        more = " and asked for another" if said.is_retry_requested else ""
        reason = f": {said.reason}" if said.reason else "."
        yield f"Its creator {word} candidate {said.candidate_id[:12]}{more}{reason}"
    for paid in settlement_views(state):
        yield (
            f"The work of executor {paid.executor} of node {paid.node_id[:12]} under claim "
            f"{paid.claim_id[:12]} was settled at {paid.created_at}."
        )


def _merit(state: TaskState, now_ms: int) -> Iterator[str]:
    for name, candidate in sorted(state.candidates.items()):
        if candidate.reuse_of is not None:
            yield f"Candidate {short(name)} repeats decision {short(candidate.reuse_of)}."
    for rejected in rejection_views(state):
        yield (
            f"{rejected.rejections} verifiers rejected candidate {rejected.candidate_id[:12]} as a "
            f"repetition of decision {rejected.decision_id[:12]}."
        )
    for said in feedback_views(state):
        late = "" if said.in_time else ", too late to count"
        reason = f": {said.reason}" if said.reason else ""
        yield (
            f"The settlement authority found candidate {said.candidate_id[:12]} "
            f"{said.outcome}{late}{reason}."
        )
    found = contribution_views(state, now_ms)
    if found:
        agreed = sum(each.agrees for each in found)
        when_due = "since" if found[0].is_due else "from"
        yield (
            f"{len(found)} verifiers' votes count for their reputation, {agreed} of which agreed "
            f"with the outcome, {when_due} {found[0].due_at}."
        )


def _trouble(state: TaskState) -> Iterator[str]:
    verdicts = state.verdicts.values()
    ignored = sum(isinstance(verdict, Ignored) for verdict in verdicts)
    waiting = len(state.verdicts) - ignored
    if ignored:
        yield f"{ignored} events have no effect; the timeline says why."
    if waiting:
        yield f"{waiting} events wait for others."
    for voter in sorted({item.voter for item in vote_equivocations(state)}):
        yield f"Node {short(voter)} voted more than once on one candidate."
    for _, signer in finality_equivocators(state):
        yield f"Node {short(signer)} signed several candidates of one epoch."
