"""What became of any event of the log: of a task's, of governance, or of the board."""

from wattswarm.actors.runtime.boundary import Crash, attempt
from wattswarm.kernel.board.judging import judge
from wattswarm.kernel.board.kinds import KINDS
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import TaskId
from wattswarm.kernel.verdict import Effective, Ignored, Verdict
from wattswarm.operations.derivation import Governing, derive_task
from wattswarm.store.connection import Connection
from wattswarm.store.log_record import LogRow


def judged(connection: Connection, row: LogRow, governing: Governing) -> Verdict | None:
    """Return the verdict on an event, derived as the log is now.

    None for an event of a task that cannot be derived, by a bug of this program.
    """
    if row.task_id is not None:
        return _of_task(connection, row, row.task_id, governing)
    event = row.event()
    return governing.decide(connection, lambda governance: _of_no_task(event, governance))


def _of_task(
    connection: Connection, row: LogRow, task_id: TaskId, governing: Governing
) -> Verdict | None:
    derived = attempt(lambda: derive_task(connection, task_id, governing))
    if isinstance(derived, Crash):
        return None
    return derived.state.verdict(row.event_id) or Effective()


def _of_no_task(event: Event, governance: Governance) -> Verdict:
    if event.kind in KINDS:
        found = judge(event, governance)
        return found if isinstance(found, Ignored) else Effective()
    standing = governance.standing(event.event_id)
    return Ignored("unknown_kind") if standing is None else standing.verdict
