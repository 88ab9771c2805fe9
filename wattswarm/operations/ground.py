"""What the parts of the operations stand on: what they are given, and what is made of that once."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from wattswarm.actors.governance_tail import GovernanceTail
from wattswarm.actors.runtime.actor import Logger
from wattswarm.actors.runtime.ref import Ref
from wattswarm.actors.runtime.tree_control import TreeControl
from wattswarm.actors.runtime.world import Clock
from wattswarm.config.load import LoadedConfig
from wattswarm.config.state_dir import StateDir
from wattswarm.executors.retry import Dice
from wattswarm.kernel.signature import KeyPair
from wattswarm.operations.announcements import Announcements
from wattswarm.operations.bodies import Bodies
from wattswarm.operations.derivation import Governing
from wattswarm.operations.health import Health
from wattswarm.operations.reading import LocalSession
from wattswarm.operations.reverts import Reverts
from wattswarm.operations.speech import Pen
from wattswarm.operations.submission import Appender
from wattswarm.store.artifacts import ArtifactStore
from wattswarm.store.connection import Database
from wattswarm.store.pool import Reads

MIB: Final = 1_048_576


@attrs.frozen(kw_only=True)
class Surroundings:
    """What operations are given: the node's place, key and settings, and the tree that they run in.

    Args:
        append: Puts events into the log; `ref` leads to other actors.
        environ: Where tokens of executors that are named by variables are looked up.
    """

    database: Database
    state_dir: StateDir
    loaded: LoadedConfig
    network_id: str
    key: KeyPair = attrs.field(repr=False)
    api_url: str
    started_ms: int
    tree: TreeControl
    ref: Callable[[str], Ref[Any]]
    append: Appender
    environ: Mapping[str, str] = attrs.field(repr=False)
    clock: Clock
    dice: Dice
    log: Logger


@attrs.frozen(eq=False, kw_only=True)
class Ground:
    """What more than one part works with; whoever made it closes it."""

    given: Surroundings
    reads: Reads
    local: LocalSession
    announcements: Announcements
    health: Health
    reverts: Reverts
    store: ArtifactStore
    bodies: Bodies
    governing: Governing
    pen: Pen

    @classmethod
    def of(cls, given: Surroundings) -> "Ground":
        """Return it for these surroundings, with a session and as many readers as are set."""
        config, announcements = given.loaded.config, Announcements()
        store = ArtifactStore(given.state_dir.artifacts_path, config.limits.artifact_mib_max * MIB)
        return cls(
            given=given,
            reads=Reads(given.database, config.store.readers),
            local=LocalSession(given.database),
            announcements=announcements,
            health=Health(given.tree, announcements),
            reverts=Reverts(given.tree.tune, given.log),
            store=store,
            bodies=Bodies(store),
            governing=Governing(GovernanceTail(given.network_id)),
            pen=Pen(key=given.key, append=given.append, network_id=given.network_id),
        )

    def close(self) -> None:
        """Let followers end, and end all sessions."""
        self.announcements.stop()
        self.reads.close()
        self.local.close()
