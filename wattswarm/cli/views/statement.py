"""Statements on a terminal."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from wattswarm.cli.views.style import cut, paged, short, table
from wattswarm.surface.statement import EffectView, Stated, StatementPage, StatementView


def statements_view(page: StatementPage) -> RenderableType:
    """Return statements, one a line."""
    if not page.items:
        return Text("nothing is revoked, nobody is penalized, and nothing waits for signatures")
    made = table("statement", "about", "says", "", "signed", "waits for", "reason")
    for row in page.items:
        made.add_row(
            short(row.statement_id),
            Text.assemble("node " if _is_of_node(row) else "event ", short(row.target)),
            _extent(row),
            Text("holds", "green") if row.state == "holds" else Text("waits", "yellow"),
            f"{len(row.signers)} of {row.needed}",
            _awaited(row),
            cut(row.reason, 60),
        )
    return paged(made, page.next)


def stated_view(answer: Stated) -> RenderableType:
    """Return what is said by a signature, what that does, and what it still lacks."""
    said = answer.statement
    if said is None:
        return Text.assemble("nothing was ever said of ", short(answer.target), ": it has effect")
    return Group(
        Text.assemble(
            ("statement ", "dim"), short(said.statement_id),
            " that node " if _is_of_node(said) else " that event ", short(said.target), " is ",
            _extent(said), _done(answer),
        ),
        *_reason(said),
        *_effect(answer.effect),
        *_missing(answer, said),
    )  # fmt: skip


def _is_of_node(said: StatementView) -> bool:
    return said.word in ("penalized", "pardoned")


def _extent(said: StatementView) -> Text:
    """Return what is said, and how far it goes."""
    told = ""
    if said.dated_from is not None and said.dated_until is not None:
        told = f" from {said.dated_from} until {said.dated_until}"
    if said.kept is not None:
        told = f", cut off but for {len(said.kept)} events" if said.kept else ", cut off"
    return Text.assemble(
        (said.word, "green" if said.word in ("restored", "pardoned") else "red"), told
    )


def _awaited(said: StatementView) -> str:
    if not said.missing:
        return ""
    return f"{said.missing} of {', '.join(node[:12] for node in said.awaited)}"


def _done(answer: Stated) -> str:
    if answer.already:
        return ": it holds already"
    if answer.is_dry_run:
        return ": it would be signed; nothing was"
    return f": it is signed as event {answer.seq}"


def _reason(said: StatementView) -> Iterator[RenderableType]:
    if said.reason:
        yield Text(f"  reason: {cut(said.reason, 100)}")


def _effect(effect: EffectView | None) -> Iterator[RenderableType]:
    if effect is None:
        return
    yield Text(
        f"  in task {effect.task_id[:12]} {effect.voided} events lose their effect and "
        f"{effect.regained} regain it; it is {effect.state_before}, and would be "
        f"{effect.state_after}"
    )


def _missing(answer: Stated, said: StatementView) -> Iterator[RenderableType]:
    if said.missing and not answer.already:
        yield Text(
            f"next: {said.missing} more of the finalizers have to sign: "
            f"`wattswarm governance sign-statement {said.statement_id[:12]}` at theirs",
            "cyan",
        )
