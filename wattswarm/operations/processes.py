"""What each process of the node takes from the machine, measured when asked for."""

from typing import Final

import attrs
import psutil

from wattswarm.actors.runtime.spec import ROOT, TreeSpec
from wattswarm.actors.runtime.view import GroupView, TreeView
from wattswarm.operations.actor_view import state_of
from wattswarm.surface.actor import WorkerStats

MIB: Final = 1_048_576


@attrs.define(eq=False)
class Processes:
    """Reads the machine's counts of our processes; shares of the processor are since the last."""

    spec: TreeSpec
    _known: dict[int, psutil.Process] = attrs.field(factory=dict[int, psutil.Process], init=False)

    def stats(self, view: TreeView, now_ms: int, loop_lag_ms: float) -> tuple[WorkerStats, ...]:
        """Return one reading for the root process and for each worker."""
        root = GroupView(ROOT, ROOT, view.pid, 1, view.state, ())
        workers = [group for group in view.groups if group.placement != ROOT]
        pids = {group.pid for group in (root, *workers)}
        self._known = {pid: self._known[pid] for pid in pids & self._known.keys()}
        return (
            self._stats(root, now_ms, loop_lag_ms),
            *(self._stats(group, now_ms, float(group.lag_ms)) for group in workers),
        )

    def _stats(self, group: GroupView, now_ms: int, loop_lag_ms: float) -> WorkerStats:
        limits = {each.name: each.rss_soft_bytes or 0 for each in self.spec.groups}
        rss_mib, cpu_percent, uptime_ms = self._measure(group.pid, now_ms)
        return WorkerStats(
            group=group.name,
            pid=group.pid or None,
            state=state_of(group.state),
            incarnation=group.incarnation,
            restarts=max(group.incarnation - 1, 0),
            rss_mib=rss_mib,
            rss_soft_mib=limits.get(group.name, 0) // MIB,
            cpu_percent=cpu_percent,
            loop_lag_ms=loop_lag_ms,
            uptime_ms=uptime_ms,
        )

    def _measure(self, pid: int, now_ms: int) -> tuple[float, float, int | None]:
        """Return resident MiB, percent of one processor, and age in ms; zeros once it ended."""
        if not pid:
            return 0.0, 0.0, None
        try:
            process = self._known.setdefault(pid, psutil.Process(pid))
            with process.oneshot():
                rss_mib = round(process.memory_info().rss / MIB, 1)
                return rss_mib, process.cpu_percent(), _age_ms(process, now_ms)
        except psutil.Error:
            return 0.0, 0.0, None


def _age_ms(process: psutil.Process, now_ms: int) -> int:
    return max(0, now_ms - int(process.create_time() * 1_000))
