"""Announcing a task on a feed, to whoever may want to work on it."""

from typing import ClassVar, Final

import attrs

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.ids import TaskId
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form


@attrs.frozen(kw_only=True)
class TaskAnnounced:
    """There is a task; its creation may come later, or never.

    The author chooses `announcement_key`; the highest revision of its own under that key stands.
    """

    kind: ClassVar[str] = "TASK_ANNOUNCED"

    announcement_key: str
    feed_key: str
    task: TaskId
    revision: int
    summary: str | None = None
    detail: ArtifactRef | None = None


FORMS: Final = (
    Form(
        TaskAnnounced.kind,
        TaskAnnounced,
        {
            "announcement_key": form.name,
            "feed_key": form.name,
            "task": form.id32,
            "revision": form.number,
        },
        {"summary": form.summary, "detail": form.artifact_ref},
    ),
)
