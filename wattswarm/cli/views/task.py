"""Tasks on a terminal."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from wattswarm.cli.views.epoch import epoch_lines, voided_lines
from wattswarm.cli.views.merit import contributions, feedback_line, rejection_line
from wattswarm.cli.views.style import (
    between_ms,
    clock,
    cut,
    duration,
    paged,
    pairs,
    score,
    short,
    size,
    table,
    word,
)
from wattswarm.surface.task import (
    CandidateView,
    ContractCheck,
    Controlled,
    ControlView,
    CreatorSaid,
    DecisionView,
    Explanation,
    FinalityView,
    PlaceView,
    Submitted,
    TaskPage,
    TaskView,
    VerdictView,
    VoteView,
)

OUTPUT_CHARS_MAX: Final = 4_000

_Fields = Mapping[str, object]
VERDICT_STYLES: Final[Mapping[str, str]] = {"effective": "", "waiting": "yellow", "ignored": "dim"}


def tasks_view(page: TaskPage) -> RenderableType:
    """Return tasks, one a line."""
    if not page.items:
        return Text("no task yet; `wattswarm task sample` prints a contract that works")
    made = table(
        "task", "name", "type", "state", "candidates", "votes", "decision", "created",
        numbers=("candidates",),
    )  # fmt: skip
    for row in page.items:
        made.add_row(
            short(row.task_id),
            cut(row.name, 40),
            row.task_type,
            word(row.state),
            str(row.candidates),
            f"+{row.approvals} −{row.rejections}",
            short(row.decision),
            row.created_at,
        )
    return paged(made, page.next)


def submitted_view(submitted: Submitted) -> RenderableType:
    """Return what was submitted, and how to go on."""
    verb = "was there already as" if submitted.already else "is in the log as"
    return Group(
        Text(submitted.task_id, "bold magenta"),
        Text(
            f"{verb} event {submitted.seq}; `wattswarm task watch {submitted.task_id[:12]}`", "dim"
        ),
    )


def controlled_view(answer: Controlled) -> RenderableType:
    """Return what a task is after a control word, and what its last word still lacks."""
    row = answer.task
    verb = "was already" if answer.already else "is"
    lines = [Text.assemble(("task ", "dim"), short(row.task_id), f" {verb} ", word(row.state))]
    return Group(*lines, *_controls(answer.controls))


def creator_view(answer: CreatorSaid) -> RenderableType:
    """Return what a task is after its creator's word, and what has to happen next."""
    row, verb = answer.task, "had been said already" if answer.already else "is in the log"
    seq = "" if answer.seq is None else f" as event {answer.seq}"
    head = Text.assemble(
        ("your word on ", "dim"), short(answer.about), f" {verb}{seq}; task ", short(row.task_id),
        " is ", word(row.state),
    )  # fmt: skip
    return Group(head, *(Text(f"next: {step}", "cyan") for step in answer.next_steps))


def check_view(check: ContractCheck) -> RenderableType:
    """Return whether a contract is valid, with every error or with every default."""
    if check.valid:
        contract = json.dumps(check.contract, indent=2, ensure_ascii=False)
        return Group(Text.assemble(word("ok"), "  with all defaults filled in:"), Text(contract))
    made = table("path", "code", "what is wrong")
    for error in check.errors:
        made.add_row(Text(error.path, "bold"), Text(error.code, "red"), error.message)
    return made


def task_view(view: TaskView) -> RenderableType:
    """Return everything about a task on one screen."""
    return Group(
        _head(view),
        _places(view),
        *_candidates(view),
        *_votes(view),
        *_errors(view),
        *(_finality(item) for item in view.finality),
        *epoch_lines(view.epochs),
        *_controls(view.controls),
        *_market(view),
        *map(rejection_line, view.reuse_rejections),
        *map(feedback_line, view.feedback),
        *contributions(view.contributions),
        *voided_lines(view.voided),
        *(Text(f"next: {step}", "cyan") for step in view.next_steps),
    )


def _head(view: TaskView) -> RenderableType:
    row = view.task
    age = duration(max(between_ms(row.created_at, view.now), 0))
    title = Text.assemble(("task ", "dim"), short(row.task_id), "  ", (cut(row.name, 50), "bold"))
    facts = Text.assemble(
        word(row.state),
        f"   {row.task_type}, epoch {row.epoch}, attempt {row.attempt}, "
        f"quorum {view.quorum}, {row.events} events, age {age}",
    )
    return Panel(facts, title=title, title_align="left", border_style="dim")


def _places(view: TaskView) -> RenderableType:
    made = table("role", "place", "executor", "node", "claim", "lease left")
    for place in view.places:
        made.add_row(
            place.role,
            _place_word(place),
            place.executor or "–",
            short(place.node_id),
            short(place.claim_id),
            _lease(place, view.now),
        )
    return made


def _place_word(place: PlaceView) -> Text:
    """Return what has become of a place; of one that waits for its approval, that."""
    if place.state != "waiting" or place.approval in (None, "approved"):
        return word(place.state)
    told = "approval awaited" if place.approval == "awaited" else "declined"
    return Text(told, "yellow")


def _lease(place: PlaceView, now: str) -> str:
    if place.lease_until is None or place.state != "working":
        return "–"
    left_ms = between_ms(now, place.lease_until)
    renewed = f", renewed {place.renewals}×" if place.renewals else ""
    return f"{duration(max(left_ms, 0))}{renewed}"


def _candidates(view: TaskView) -> Iterator[RenderableType]:
    if not view.candidates:
        return
    made = table(
        "candidate",
        "by",
        "output",
        "evidence",
        "findings",
        "score",
        "votes",
        "",
        numbers=("score",),
    )
    for item in view.candidates:
        found = [result for result in view.results if result.candidate_id == item.candidate_id]
        findings = Text(", ").join(
            Text.assemble(f"{result.executor} ", word(result.status)) for result in found
        )
        made.add_row(
            short(item.candidate_id),
            item.executor,
            f"{size(item.output.size_bytes)} {item.output.mime}",
            str(len(item.evidence)),
            findings,
            score(item.median_score_bp),
            f"+{item.approvals} −{item.rejections}",
            _standing(item),
        )
    yield made


def _standing(item: CandidateView) -> Text:
    repeats = f", repeats {item.reuse_of[:12]}" if item.reuse_of else ""
    if item.is_final:
        return Text(f"★ final{repeats}", "bold green")
    return Text(f"decided{repeats}", "green") if item.is_decided else Text(repeats.lstrip(", "))


def _votes(view: TaskView) -> Iterator[RenderableType]:
    if view.votes:
        made = table("vote", "on", "by", "says", "state", "counts")
        for vote in view.votes:
            made.add_row(*_vote(vote))
        yield made


def _vote(vote: VoteView) -> tuple[RenderableType, ...]:
    return (
        short(vote.vote_id),
        short(vote.candidate_id),
        vote.executor,
        word(vote.vote or "sealed"),
        word(vote.state),
        Text("yes", "green") if vote.counts else Text("no", "dim"),
    )


def _errors(view: TaskView) -> Iterator[RenderableType]:
    for error in view.errors:
        where = f"{error.executor}, attempt {error.attempt}"
        yield Text(f"✗ {where}: {error.reason}: {cut(error.message, 100)}", "red")


def _controls(controls: Sequence[ControlView]) -> Iterator[RenderableType]:
    """Yield the word that stands, and those that lack signatures."""
    for said in controls:
        is_short = not said.is_creators and len(said.signers) < said.threshold
        if said.stands or is_short:
            signed = f"signed by {len(said.signers)} of {said.threshold} needed finalizers"
            by = "the creator, " if said.is_creators else ""
            reason = f": {cut(said.reason, 80)}" if said.reason else ""
            yield Text.assemble(
                word(said.word), f" (word {said.control_no} of {by}{signed}){reason}"
            )


def _market(view: TaskView) -> Iterator[RenderableType]:
    """Yield what the creator said about candidates and payments."""
    for said in view.completions:
        more = " and asks for another" if said.is_retry_requested else ""
        reason = f": {cut(said.reason, 80)}" if said.reason else ""
        style, verb = ("green", "accepts") if said.is_accepted else ("yellow", "does not accept")
        yield Text(f"the creator {verb} candidate {said.candidate_id[:12]}{more}{reason}", style)
    for paid in view.settlements:
        receipt = "" if paid.receipt is None else f", receipt {cut(json.dumps(paid.receipt), 80)}"
        yield Text(f"settled: claim {paid.claim_id[:12]} of {paid.executor}{receipt}", "green")


def _finality(finality: FinalityView) -> RenderableType:
    have, need = len(finality.signers), finality.threshold
    told = (
        f"epoch {finality.epoch}: {have} of {need} finalizers signed {finality.candidate_id[:12]}"
    )
    if finality.is_disputed:
        return Text(f"{told}; DISPUTED: finalizers signed several candidates", "bold red")
    return Text(told, "bold green" if finality.is_final else "cyan")


def explanation_view(explanation: Explanation) -> RenderableType:
    """Return a task told in sentences."""
    story = [Text(line) for line in explanation.summary]
    steps = [Text(f"next: {step}", "cyan") for step in explanation.next_steps]
    return Group(*story, timeline_view(explanation.timeline), *steps)


def timeline_view(verdicts: tuple[VerdictView, ...]) -> RenderableType:
    """Return what each event did, and if nothing, why."""
    made = table("seq", "at", "verdict", "what became of it", numbers=("seq",))
    for item in verdicts:
        style = VERDICT_STYLES[item.verdict]
        told = Text(item.sentence, style)
        made.add_row(str(item.seq), clock(item.created_at), word(item.verdict), told)
    return made


def decision_view(decision: DecisionView) -> RenderableType:
    """Return what was decided, on what grounds, and how final it is."""
    head = pairs(
        ("task", decision.task_id),
        ("state", word(decision.state)),
        ("candidate", f"{decision.candidate_id} by {decision.executor}"),
        ("votes", f"+{decision.approvals} −{decision.rejections}"),
        ("score", score(decision.median_score_bp)),
        ("output", f"{decision.output.digest} ({size(decision.output.size_bytes)})"),
        ("decided", decision.decided_at or "–"),
    )
    finality = [_finality(decision.finality)] if decision.finality else []
    return Group(head, *finality, output_view(decision.output_json))


def output_view(output: object) -> RenderableType:
    """Return an output: its answer as a text and the rest in brief, or all of it as JSON."""
    if output is None:
        return Text("(the output is not JSON, not here, or large)", "dim")
    match output:
        case {"answer": str(answer)}:
            shown: RenderableType = Group(Text(answer), Text(), _brief(cast("_Fields", output)))
        case _:
            shown = Text(json.dumps(output, indent=2, ensure_ascii=False)[:OUTPUT_CHARS_MAX])
    return Panel(shown, title="output", title_align="left", border_style="green")


def _brief(fields: "_Fields") -> RenderableType:
    return pairs(
        *((name, _briefly(value)) for name, value in fields.items() if name != "answer"),
        ("all of it", "`wattswarm --json task decision`"),
    )


def _briefly(value: object) -> Text:
    match value:
        case list():
            return Text(f"{len(cast('list[object]', value))} items", "dim")
        case dict():
            return Text(f"{len(cast('_Fields', value))} fields", "dim")
        case _:
            return Text(cut(str(value), 160))
