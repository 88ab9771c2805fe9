"""The board: events that belong to no task, such as topic messages and subscriptions.

Each is judged by itself: by its form, class and scope, and by whether a statement voids it. What it
names (a task, another message) may be unknown and stays a weak reference, so that neither the order
of arrival nor the presence of other events decides anything. Each is a group of its own in the
projections; which of several revisions stands is a view over their rows, never an overwrite: when
the newest is voided, the one before it stands again.
"""

from wattswarm.kernel.board.judging import NOTHING_VOIDED, Statements, judge, judge_form
from wattswarm.kernel.board.kinds import CHECKS, KINDS, BoardKind
from wattswarm.kernel.board.rows import TABLES, rows

__all__ = [
    "CHECKS",
    "KINDS",
    "NOTHING_VOIDED",
    "TABLES",
    "BoardKind",
    "Statements",
    "judge",
    "judge_form",
    "rows",
]
