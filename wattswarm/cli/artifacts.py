"""`wattswarm artifacts …`: bodies outside the log, who names them, and what may go."""

from typing import Annotated, Final

from cyclopts import App, Parameter

from wattswarm.cli.failure import FAILED
from wattswarm.cli.segment import segment
from wattswarm.cli.session import Here
from wattswarm.surface.artifact import (
    ArtifactPage,
    ArtifactRecord,
    ArtifactsCollected,
    ArtifactsVerified,
)

app = App(name="artifacts", help="Bodies outside the log: list, show, verify, collect.")

LONG_S: Final = 3_600.0


@app.command(name="list")
def list_artifacts(*, cursor: str | None = None, limit: int | None = None, session: Here) -> None:
    """List stored artifacts, and whether anything names them.

    Args:
        cursor: Where the page begins, as the page before said.
        limit: Artifacts of a page.
    """
    from wattswarm.cli.views.artifacts import artifacts_view

    with session.client() as client:
        page = client.get(ArtifactPage, "/artifacts", cursor=cursor, limit=limit)
    session.out.show(page, artifacts_view)


@app.command
def show(artifact: str, /, *, session: Here) -> None:
    """Show what is known of an artifact, and the tasks that name it.

    Args:
        artifact: Its digest, or a unique prefix of it.
    """
    from wattswarm.cli.views.artifacts import artifact_view

    with session.client() as client:
        record = client.get(ArtifactRecord, f"/artifacts/{segment(artifact)}/record")
    session.out.show(record, artifact_view)


@app.command
def verify(*, session: Here) -> int:
    """Compare every stored body with its name; exit code 1 when one is damaged."""
    from wattswarm.cli.views.artifacts import verified_view

    with session.client() as client, session.out.busy("the node reads its artifacts …"):
        verified = client.post(ArtifactsVerified, "/artifacts/verify", timeout_s=LONG_S)
    session.out.show(verified, verified_view)
    return 0 if verified.ok else FAILED


@app.command
def collect(*, dry_run: Annotated[bool, Parameter(negative="")] = False, session: Here) -> None:
    """Remove artifacts that nothing names, and what was kept long enough; see `artifacts.*`.

    Args:
        dry_run: Only tell what would be removed.
    """
    from wattswarm.cli.views.artifacts import collected_view

    with session.client() as client, session.out.busy("the node collects …"):
        collected = client.post(
            ArtifactsCollected, "/artifacts/collect", {"dry_run": dry_run}, timeout_s=LONG_S
        )
    session.out.show(collected, collected_view)
