"""What became of each event of a task, in words."""

from collections.abc import Iterator, Sequence

from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Effective, Ignored, Verdict, Waiting, explain
from wattswarm.store.log_record import LogRow
from wattswarm.surface.task import VerdictPage, VerdictView
from wattswarm.surface.words import Hex, VerdictWord, when


def verdict_page(
    rows: Sequence[LogRow], state: TaskState, *, after: int, limit: int
) -> VerdictPage:
    """Return the verdicts on the events after a position."""
    later = [row for row in rows if row.seq > after]
    shown = later[:limit]
    return VerdictPage(
        items=tuple(verdict_view(row, state) for row in shown),
        next_after=shown[-1].seq if len(later) > limit else None,
    )


def verdict_view(row: LogRow, state: TaskState) -> VerdictView:
    """Return the verdict on one event of a task."""
    verdict = state.verdict(row.event_id) or Effective()
    word, code = verdict_word(verdict)
    return VerdictView(
        seq=row.seq,
        event_id=row.event_id.hex(),
        event_kind=row.kind,
        author=row.author.hex(),
        created_at=when(row.created_at),
        verdict=word,
        code=code,
        names=tuple(_names(verdict)),
        sentence=explain(verdict, row.event()),
    )


def verdict_word(verdict: Verdict) -> tuple[VerdictWord, str | None]:
    """Return the word for a verdict, and the code of why an event is ignored."""
    match verdict:
        case Effective():
            return "effective", None
        case Waiting():
            return "waiting", None
        case Ignored(code=code):
            return "ignored", code


def _names(verdict: Verdict) -> Iterator[Hex]:
    match verdict:
        case Effective():
            return
        case Waiting(for_=needs):
            yield from (need.name.hex() for need in needs if need.name)
        case Ignored(of=of):
            if of is not None:
                yield of.hex()
