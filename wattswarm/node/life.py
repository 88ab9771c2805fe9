"""The life of a node: hold the directory, run the tree, listen to signals, stop.

First TERM or INT: stop in order. Second, at least half a second later: stop at once. HUP: read the
configuration again. USR1: write down what every task of this process is doing.
"""

import faulthandler
import signal
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import attrs
import structlog
import trio

from wattswarm.actors.messages import Keep, Reload
from wattswarm.actors.runtime.errors import Down, RestartLimit
from wattswarm.actors.runtime.exit import DeadLetter
from wattswarm.actors.runtime.opening import open_tree
from wattswarm.actors.runtime.rule import FaultRule
from wattswarm.actors.runtime.tasks import task_tree
from wattswarm.actors.runtime.tree import Tree
from wattswarm.config.load import LoadedConfig
from wattswarm.config.state_dir import StateDir
from wattswarm.node.database_check import check_database
from wattswarm.node.tree import SEED, embedded, tree
from wattswarm.store.artifacts import ArtifactStore
from wattswarm.telemetry.log import forward

RESTART_LIMIT: Final = 70
"""Exit code: the tree gave up. A service manager starts the node again."""

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)

SECOND_SIGNAL_S: Final = 0.5
"""Signals that come closer together are one: terminals and service managers repeat themselves."""


def run(loaded: LoadedConfig, state: StateDir, armed: Sequence[FaultRule] = ()) -> int:
    """Run a node until it is told to stop, and return its exit code: 0, or 70 when it gave up.

    Args:
        armed: Faults that are armed from the first moment, before there is an API to arm them by.

    Raises:
        ConfigError: The directory, the seed or the token cannot be used, or another node holds it;
            or the store's settings name no database.
    """
    check_database(loaded.config.store)
    faulthandler.enable()
    if hasattr(signal, "SIGQUIT"):
        faulthandler.register(signal.SIGQUIT, all_threads=True, chain=False)
    state.prepare()
    with state.hold():
        ArtifactStore(state.artifacts_path).sweep()
        try:
            return trio.run(_live, loaded, state, armed)
        finally:
            state.remove_node_file()
            if not loaded.config.store.pg_url:
                embedded(loaded.config, state).stop()


async def _live(loaded: LoadedConfig, state: StateDir, armed: Sequence[FaultRule]) -> int:
    log: Any = structlog.get_logger()
    key = state.key()
    state.token()
    log.info("starting", node=key.node_id.hex(), state_dir=str(state.path))
    letters = LetterBox()
    # From before the tree to after it: a signal that nobody takes ends the process where it is.
    with trio.open_signal_receiver(*SIGNALS) as received:
        async with trio.open_nursery() as nursery:
            try:
                async with open_tree(
                    tree(loaded, state, key),
                    secrets={SEED: key.seed},
                    chaos_enabled=loaded.config.chaos.enabled,
                    logger=log,
                    on_dead_letter=letters.put,
                    on_log_line=lambda group, line: forward(line.encode(), group=group),
                ) as running:
                    letters.open(running)
                    nursery.start_soon(_listen, received, running)
                    for rule in armed:
                        await running.arm(rule)
                    await _serve(running, loaded)
            except RestartLimit as error:
                log.error("the node gave up", reason=str(error))
                return RESTART_LIMIT
            finally:
                nursery.cancel_scope.cancel()
    log.info("stopped")
    return 0


async def _serve(running: Tree, loaded: LoadedConfig) -> None:
    """Return when the node is told to stop."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_tell_readiness, running, loaded)
        await running.wait_stop_requested()
        structlog.get_logger().info("stopping")
        nursery.cancel_scope.cancel()


@attrs.define
class LetterBox:
    """Takes dead letters from the runtime to the actor that keeps them."""

    _tree: Tree | None = None

    def open(self, running: Tree) -> None:
        """Begin to deliver."""
        self._tree = running

    def put(self, letter: DeadLetter) -> None:
        """Deliver a letter; one that cannot be kept is at least logged."""
        log: Any = structlog.get_logger()
        log.error("dead letter", actor=letter.actor, reason=letter.error, message=letter.message)
        try:
            if self._tree is not None:
                fields = {field.name: getattr(letter, field.name) for field in attrs.fields(Keep)}
                self._tree.ref("dead_letters").offer(Keep(**fields))
        except Down as error:
            log.error("dead letter lost", actor=letter.actor, reason=str(error))


async def _tell_readiness(running: Tree, loaded: LoadedConfig) -> None:
    """Log when the node is ready, or that it is not after the longest start."""
    with trio.move_on_after(loaded.config.node.start_ms / 1_000) as patience:
        await running.wait_ready()
        structlog.get_logger().info("ready")
    if patience.cancelled_caught:
        structlog.get_logger().warning("not ready yet", state=running.describe().state)


async def _listen(received: AsyncIterator[int], running: Tree) -> None:
    """Do what signals ask for, until the tree has ended."""
    stops: list[float] = []
    async for number in received:
        if number == signal.SIGHUP:
            _reload(running)
        elif number == signal.SIGUSR1:
            structlog.get_logger().info("tasks", tree=task_tree())
        elif not stops or trio.current_time() - stops[0] < SECOND_SIGNAL_S:
            stops.append(trio.current_time())
            running.request_stop()
        else:
            structlog.get_logger().warning("stopping at once")
            running.kill_all()


def _reload(running: Tree) -> None:
    try:
        running.ref("config_watcher").offer(Reload())
    except Down as error:
        structlog.get_logger().warning("configuration not read again", reason=str(error))
