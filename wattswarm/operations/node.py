"""The node as a whole: on one page, how it is, and its end."""

import os
from pathlib import Path
from typing import Final

import attrs
import trio

from wattswarm import __version__
from wattswarm.actors.runtime.tree_control import TreeControl
from wattswarm.actors.runtime.world import Clock
from wattswarm.config.document import rows
from wattswarm.config.load import LoadedConfig
from wattswarm.kernel.ids import NodeId
from wattswarm.operations.actor_view import restarts_in
from wattswarm.operations.announcements import Announcements
from wattswarm.operations.health import Health
from wattswarm.operations.live_settings import live
from wattswarm.operations.reading import LocalSession, projected_seq
from wattswarm.operations.signing import read_signing, stop_reason
from wattswarm.store.connection import Connection
from wattswarm.store.local import DeadLetters
from wattswarm.store.local import Executors as Registry
from wattswarm.store.log_reader import LogReader
from wattswarm.store.migrate import migrations
from wattswarm.store.pool import Reads
from wattswarm.store.projection_reader import ProjectionReader
from wattswarm.surface.node import (
    ConfigView,
    DatabaseView,
    LogPosition,
    NodeView,
    Readiness,
    SettingView,
    SigningView,
    Stopping,
)
from wattswarm.surface.words import when

CAUGHT_UP_LOOK_S: Final = 0.05


@attrs.frozen(kw_only=True)
class Identity:
    """What does not change while the node runs."""

    node_id: NodeId
    network_id: str
    state_dir: Path
    api_url: str
    started_ms: int
    is_embedded: bool


@attrs.frozen(eq=False, kw_only=True)
class Node:
    """The part of `NodeOperations` that is neither the doctor nor the stream."""

    identity: Identity
    loaded: LoadedConfig
    reads: Reads
    local: LocalSession
    tree: TreeControl
    health: Health
    announcements: Announcements
    clock: Clock

    async def node(self) -> NodeView:
        """Return the node on one page."""
        identity, config = self.identity, self.loaded.config
        now_ms = self.clock.wall_ms()
        page = await self.reads.run(lambda connection: _page(connection, now_ms))
        executors, letters = await self.local.run(_counts)
        stopped = stop_reason(page.signing)
        view, readiness = self.tree.describe(), self.health.readiness()
        actors = [actor for group in view.groups for actor in group.actors]
        running = sum(actor.state in ("ready", "suspended") for actor in actors)
        done = sum(actor.state == "stopped" for actor in actors)
        return NodeView(
            node_id=identity.node_id.hex(),
            network_id=identity.network_id,
            mode=config.node.mode,
            profile=config.node.profile,
            version=__version__,
            state=readiness.state,
            started_at=when(identity.started_ms),
            uptime_ms=max(0, now_ms - identity.started_ms),
            pid=os.getpid(),
            api_url=identity.api_url,
            state_dir=str(identity.state_dir),
            log=page.log,
            database=DatabaseView(
                kind="embedded" if identity.is_embedded else "external",
                version=page.version,
                schema_version=len(migrations()),
            ),
            tasks=page.tasks,
            executors=executors,
            actors_running=running,
            actors_restarting=len(actors) - running - done,
            restarts=restarts_in(view),
            dead_letters=letters,
            faults_armed=readiness.faults_armed,
            signing=page.signing,
            warnings=(*readiness.reasons, *(() if stopped is None else (stopped,))),
        )

    async def readiness(self) -> Readiness:
        """Tell whether the node takes work; never waits for the database."""
        return self.health.readiness()

    async def stop(self) -> Stopping:
        """Begin to stop; the answer is sent before the API closes."""
        self.announcements.stop()
        self.tree.request_stop()
        return Stopping(pid=os.getpid(), stop_ms_max=self.loaded.config.node.stop_ms)

    async def config(self) -> ConfigView:
        """Return every setting with its source; secrets masked, live dials included."""
        readings = await self.tree.stats()
        dials = live(readings, self.loaded.values)
        return ConfigView(
            settings=tuple(
                SettingView(
                    path=row.path,
                    value=dials.get(row.path, row.value),
                    source="live" if dials.get(row.path, row.value) != row.value else row.source,
                    range=row.range,
                    meaning=row.meaning,
                )
                for row in rows(self.loaded)
            )
        )

    async def caught_up(self, seq: int) -> bool:
        """Wait until the projections hold `seq`; False when they do not in time."""
        wait_s = self.loaded.config.duties.projection_wait_ms / 1_000
        with trio.move_on_after(wait_s):
            while await self.reads.run(projected_seq) < seq:
                await self.announcements.wait(CAUGHT_UP_LOOK_S)
            return True
        return False


@attrs.frozen
class _Page:
    log: LogPosition
    tasks: dict[str, int]
    version: str
    signing: SigningView


def _page(connection: Connection, now_ms: int) -> _Page:
    head = LogReader(connection).head()
    position = LogPosition(
        head_seq=head.seq,
        projected_seq=projected_seq(connection),
        chain=head.chain.hex(),
        writer_term=head.term,
    )
    tasks = dict(ProjectionReader(connection).task_counts(now_ms))
    return _Page(position, tasks, server_version(connection), read_signing(connection))


def server_version(connection: Connection) -> str:
    """Return the version of the server, as people write it."""
    number = connection.info.server_version
    return f"{number // 10_000}.{number % 10_000}"


def _counts(session: Connection) -> tuple[int, int]:
    """Return how many executors and how many dead letters there are."""
    return len(Registry(session).all()), DeadLetters(session).count()
