"""Tasks that a rule failed for by a bug of ours: set aside, and tried again less and less often.

News of such a task has it tried at once: the bug may need the very events that were there. Pure:
time comes in as `now_ms`.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

import attrs

from wattswarm.kernel.ids import TaskId

PAUSE_MS_MIN: Final = 1_000
PAUSE_MS_MAX: Final = 300_000
KEPT_MAX: Final = 4_096
SHOWN_MAX: Final = 16


@attrs.frozen
class Case:
    """How a task failed last, and until when it is left alone if nothing new comes of it."""

    sentence: str
    failures: int
    until_ms: int


@attrs.define
class Quarantine:
    """The tasks that are set aside, at most `KEPT_MAX` of them.

    Attributes:
        failures: How often a task failed, in all.
    """

    failures: int = 0
    _cases: OrderedDict[TaskId, Case] = attrs.field(factory=OrderedDict[TaskId, Case])

    def admit(self, task_id: TaskId, sentence: str, now_ms: int) -> bool:
        """Set a task aside; tell whether it had not failed in this way before."""
        before = self._cases.pop(task_id, None)
        times = before.failures if before else 0
        pause_ms = min(PAUSE_MS_MIN << min(times, 16), PAUSE_MS_MAX)
        self._cases[task_id] = Case(sentence, times + 1, now_ms + pause_ms)
        self.failures += 1
        if len(self._cases) > KEPT_MAX:
            self._cases.popitem(last=False)
        return before is None or before.sentence != sentence

    def dismiss(self, task_id: TaskId) -> None:
        """Let a task go that has been got on with."""
        self._cases.pop(task_id, None)

    def until_ms(self, task_id: TaskId) -> int:
        """Return until when a task is left alone; 0 when it is not set aside."""
        case = self._cases.get(task_id)
        return case.until_ms if case else 0

    def __len__(self) -> int:
        return len(self._cases)

    def snapshot(self) -> Mapping[str, object]:
        """Return how many tasks are set aside and why, the last ones by name."""
        last = list(self._cases.items())[-SHOWN_MAX:]
        return {
            "count": len(self._cases),
            "failures": self.failures,
            "tasks": {task_id.hex(): case.sentence for task_id, case in last},
        }
