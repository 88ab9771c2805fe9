"""Notices: what is said for others to hear, and changes nothing."""

from typing import ClassVar, Final

import attrs

from wattswarm.kernel.payloads.form import Form


@attrs.frozen(kw_only=True)
class TaskExpired:
    """The author has seen the task's time run out."""

    kind: ClassVar[str] = "TASK_EXPIRED"


FORMS: Final = (Form(TaskExpired.kind, TaskExpired, {}),)
