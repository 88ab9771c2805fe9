"""`wattswarm knowledge …`: what was decided, to be found, compared and taken along."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cyclopts import App

from wattswarm.cli.failure import Failure, usage
from wattswarm.cli.segment import segment
from wattswarm.cli.session import Here

if TYPE_CHECKING:
    from wattswarm.cli.client import Client
    from wattswarm.surface.merit import PrecedentView, TaskKnowledge

app = App(name="knowledge", help="What was decided: find, compare, export.")

FORMAT: Final = "wattswarm-knowledge/1"
PAGE: Final = 200


@app.command
def find(
    *,
    task_type: str | None = None,
    scope: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
    session: Here,
) -> None:
    """List final decisions with what was asked, newest first.

    Args:
        task_type: Only tasks of this type.
        scope: Only this scope.
        cursor: Where the page begins, as the page before said.
        limit: Decisions of a page.
    """
    from wattswarm.cli.views.merit import knowledge_view
    from wattswarm.surface.merit import KnowledgePage

    query = {"task_type": task_type, "scope": scope, "cursor": cursor, "limit": limit}
    with session.client() as client:
        session.out.show(client.get(KnowledgePage, "/knowledge", **query), knowledge_view)


@app.command
def show(task: str, /, *, session: Here) -> None:
    """Show what a task left behind, and how that turned out.

    Args:
        task: Its id, or a unique prefix.
    """
    from wattswarm.cli.views.merit import task_knowledge_view

    with session.client() as client:
        session.out.show(_of_task(client, task), task_knowledge_view)


@app.command
def similar(task: str, /, *, session: Here) -> None:
    """Show what was decided before on a task's question, and on like ones.

    Args:
        task: Its id, or a unique prefix.
    """
    from wattswarm.cli.views.merit import similar_view
    from wattswarm.surface.merit import SimilarFound

    with session.client() as client:
        session.out.show(client.get(SimilarFound, f"/tasks/{segment(task)}/similar"), similar_view)


@app.command
def export(
    *, task_type: str | None = None, task: str | None = None, out: Path, session: Here
) -> None:
    """Write what was decided to a file, as JSON lines below a line that says what they are.

    Args:
        task_type: What tasks of this type left behind.
        task: What this task left behind, with feedback and contributions; id or unique prefix.
        out: The file; one that is there is overwritten once all has been read.
    """
    if (task_type is None) == (task is None):
        raise usage("give either --task-type or --task", "wattswarm knowledge export --task-type T")
    with session.client() as client:
        lines = list(_lines(client, task_type, task))
    header = {"format": FORMAT, "task_type": task_type, "task": task, "lines": len(lines)}
    _write(out, [header, *lines])
    session.out.show({"file": str(out), "lines": len(lines)}, lambda _: f"{len(lines)} → {out}")


def _of_task(client: "Client", task: str) -> "TaskKnowledge":
    from wattswarm.surface.merit import TaskKnowledge

    return client.get(TaskKnowledge, f"/tasks/{segment(task)}/knowledge")


def _lines(client: "Client", task_type: str | None, task: str | None) -> Iterator[object]:
    """Yield the lines of an export, each with the word for what it is."""
    if task is None:
        for item in _precedents(client, task_type):
            yield {"kind": "precedent", "value": item}
        return
    found = _of_task(client, task)
    for kind, items in (
        ("precedent", found.precedents),
        ("feedback", found.feedback),
        ("contribution", found.contributions),
        ("reuse_rejection", found.reuse_rejections),
    ):
        for item in items:
            yield {"kind": kind, "value": item}


def _precedents(client: "Client", task_type: str | None) -> "Iterator[PrecedentView]":
    from wattswarm.surface.merit import KnowledgePage

    cursor: str | None = None
    while True:
        page = client.get(
            KnowledgePage, "/knowledge", task_type=task_type, cursor=cursor, limit=PAGE
        )
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


def _write(out: Path, lines: list[object]) -> None:
    import msgspec

    content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise Failure(code="file_not_written", message=f"{out}: {error.strerror}") from error
