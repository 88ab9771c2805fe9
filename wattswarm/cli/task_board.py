"""`wattswarm task announce … execution-sets`: what is said of tasks on the board."""

from wattswarm.cli.segment import segment
from wattswarm.cli.session import Here


def announce(
    task: str,
    feed: str,
    /,
    *,
    scope: str | None = None,
    key: str | None = None,
    summary: str | None = None,
    detail: str | None = None,
    session: Here,
) -> None:
    """Announce a task on a feed; with the same key again, the announcement is revised.

    Args:
        task: Its id, or a unique prefix; by its whole id also one that is not here yet.
        feed: The feed's key.
        scope: Who it concerns; the task's own scope by default.
        key: What the announcement is revised under; the task's id by default.
        summary: A few words for whoever may want to work on it.
        detail: An artifact that says more, by its digest.
    """
    from wattswarm.cli.views.board import uttered_view
    from wattswarm.surface.board import Uttered

    order = {
        "feed_key": feed,
        "scope": scope,
        "announcement_key": key,
        "summary": summary,
        "detail": detail,
    }
    with session.client() as client:
        answer = client.post(Uttered, f"/tasks/{segment(task)}/announcements", order)
        session.out.show(answer, uttered_view)


def announcements(
    *,
    feed: str | None = None,
    scope: str | None = None,
    task: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
    session: Here,
) -> None:
    """List tasks that were announced, newest first.

    Args:
        feed: Only on this feed.
        scope: Only of this scope.
        task: Only of this task.
        cursor: Where the page begins, as the page before said.
        limit: Announcements of a page.
    """
    from wattswarm.cli.views.board import announcements_view
    from wattswarm.surface.board import AnnouncementPage

    query = {"feed_key": feed, "scope": scope, "task": task, "cursor": cursor, "limit": limit}
    with session.client() as client:
        page = client.get(AnnouncementPage, "/announcements", **query)
        session.out.show(page, announcements_view)


def execution_sets(task: str, /, *, session: Here) -> None:
    """Show who means to work on a task together, and who was confirmed.

    Args:
        task: Its id, or a unique prefix.
    """
    from wattswarm.cli.views.board import execution_sets_view
    from wattswarm.surface.board import ExecutionSets

    with session.client() as client:
        found = client.get(ExecutionSets, f"/tasks/{segment(task)}/execution-sets")
        session.out.show(found, execution_sets_view)
