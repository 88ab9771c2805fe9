"""How answers turned out, on a terminal."""

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from wattswarm.cli.views.style import cut, paged, pairs, score, short, size, table, word
from wattswarm.surface.merit import (
    FeedbackGiven,
    KnowledgePage,
    PrecedentView,
    ReputationPage,
    ReuseRejected,
    SimilarFound,
    TaskKnowledge,
)
from wattswarm.surface.task import ContributionView, FeedbackView, ReuseRejectionView

UNITS: Final = 10_000


def points(units: int) -> str:
    """Return units of reputation in points."""
    return f"{units / UNITS:+.4f}"


def knowledge_view(page: KnowledgePage) -> RenderableType:
    """Return final decisions, one a line."""
    if not page.items:
        return Text("nothing has become final yet")
    made = table("task", "type", "decided", "output", "votes", "", "summary")
    for item in page.items:
        made.add_row(
            short(item.task_id),
            item.task_type,
            item.decided_at,
            f"{size(item.output_size_bytes)} {item.output_mime}",
            f"+{item.approvals} −{item.rejections}",
            _soundness(item),
            cut(item.summary, 60),
        )
    return paged(made, page.next)


def _soundness(item: PrecedentView) -> Text:
    if item.is_bad:
        return Text("found bad", "bold red")
    return Text("rejected", "yellow") if item.is_deprecated else word("ok")


def task_knowledge_view(found: TaskKnowledge) -> RenderableType:
    """Return what a task left behind."""
    parts = [
        *map(_precedent, found.precedents),
        *map(feedback_line, found.feedback),
        *map(rejection_line, found.reuse_rejections),
        *contributions(found.contributions),
    ]
    return Group(*parts) if parts else Text("nothing yet: knowledge is what is final")


def _precedent(item: PrecedentView) -> RenderableType:
    return pairs(
        ("epoch", str(item.epoch)),
        ("decision", short(item.decision_id)),
        ("candidate", short(item.candidate_id)),
        ("repeats", short(item.reuse_of)),
        ("inputs", item.input_digest),
        ("schema", item.schema_digest),
        ("policy", f"{item.policy_id} {item.policy_hash[:12]}"),
        ("output", f"{item.output_digest} ({size(item.output_size_bytes)})"),
        ("votes", f"+{item.approvals} −{item.rejections} of {item.quorum}"),
        ("state", _soundness(item)),
        ("summary", cut(item.summary, 200)),
    )


def feedback_line(said: FeedbackView) -> RenderableType:
    """Return what the authority said in a line."""
    late = "" if said.in_time else " (after the window: without effect)"
    reason = f": {cut(said.reason, 80)}" if said.reason else ""
    return Text(f"✗ epoch {said.epoch} was found {said.outcome}{late}{reason}", "bold red")


def rejection_line(said: ReuseRejectionView) -> RenderableType:
    """Return a rejected repetition in a line."""
    return Text(
        f"{said.rejections} rejected {said.candidate_id[:12]}, "
        f"which repeats decision {said.decision_id[:12]}",
        "yellow",
    )


def contributions(found: tuple[ContributionView, ...]) -> Iterator[RenderableType]:
    """Yield what votes come to, if there are any."""
    if not found:
        return
    made = table(
        "node", "epoch", "with", "vote", "stability", "quality", "due",
        numbers=("stability", "quality"),
    )  # fmt: skip
    for item in found:
        made.add_row(
            short(item.node_id),
            str(item.epoch),
            f"{item.provider}/{item.model}",
            word("approve" if item.agrees else "reject"),
            points(item.stability_units),
            points(item.quality_units),
            "yes" if item.is_due else item.due_at,
        )
    yield made


def similar_view(found: SimilarFound) -> RenderableType:
    """Return what was decided before."""
    if not found.exact and not found.similar:
        return Text("nothing like it has been decided here")
    made = table("task", "decision", "like", "decided", "", "summary", numbers=("like",))
    for item in found.exact:
        made.add_row(*_hit(item, "exact"))
    for hit in found.similar:
        made.add_row(*_hit(hit.precedent, score(hit.resemblance_bp)))
    told = "may be repeated" if found.may_reuse else "is not to be repeated now"
    lines = [Text(f"the exact answer {told}", "dim")] if found.exact else []
    avoided = [Text(f"rejected: {digest}", "yellow") for digest in found.rejected_outputs]
    return Group(made, *lines, *avoided)


def _hit(item: PrecedentView, like: str) -> tuple[RenderableType, ...]:
    return (
        short(item.task_id),
        short(item.decision_id),
        like,
        item.decided_at,
        _soundness(item),
        cut(item.summary, 60),
    )


def reputation_view(page: ReputationPage) -> RenderableType:
    """Return what the votes of nodes came to."""
    if not page.items:
        return Text("no vote on a final answer has come to anything yet")
    made = table(
        "node", "scope", "with", "settled", "stability", "quality", "pending", "to come", "agreed",
        "found bad",
        numbers=("settled", "stability", "quality", "pending", "to come", "agreed", "found bad"),
    )  # fmt: skip
    for item in page.items:
        coming = item.pending_stability_units + item.pending_quality_units
        made.add_row(
            short(item.node_id),
            item.scope,
            f"{item.provider}/{item.model}",
            str(item.settled),
            points(item.stability_units),
            points(item.quality_units),
            str(item.pending),
            points(coming),
            str(item.agreed),
            str(item.bad),
        )
    return paged(made, page.next)


def feedback_given_view(answer: FeedbackGiven) -> RenderableType:
    """Return what has been said about a task's answers."""
    lines = map(feedback_line, answer.feedback)
    return Group(_task_line(answer.task.task_id, answer.already), *lines)


def reuse_rejected_view(answer: ReuseRejected) -> RenderableType:
    """Return which repetitions of a task were rejected."""
    lines = map(rejection_line, answer.reuse_rejections)
    return Group(_task_line(answer.task.task_id, answer.already), *lines)


def _task_line(task_id: str, already: bool) -> RenderableType:
    said = " was said before" if already else ""
    return Text.assemble(("task ", "dim"), short(task_id), said)
