"""The log of a node that does not run: the directory is held and its database opened for a while.

Nobody else can use the directory meanwhile, and the embedded server is stopped again afterwards.
"""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeAlias

from wattswarm.actors.rebuilding import Rebuilder
from wattswarm.cli.failure import Failure
from wattswarm.config.load import LoadedConfig
from wattswarm.config.state_dir import StateDir
from wattswarm.kernel.version import local_genesis, network_id_of
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.embedded import running
from wattswarm.store.log_reader import LogReader
from wattswarm.store.log_verify import Flaw, verify_log
from wattswarm.store.migrate import require_current
from wattswarm.store.projection_reader import ProjectionReader
from wattswarm.surface.log import LogFault, Replayed, Verified

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how far the work is, and how much there is."""


@contextmanager
def database(loaded: LoadedConfig, state: StateDir) -> Generator[Database]:
    """Hold a state directory and give its database.

    Raises:
        ConfigError: A node uses the directory.
        Failure: There is no log in it yet.
        StoreError: The database cannot be opened, or is of another version.
    """
    store = loaded.config.store
    if not state.seed_path.exists() or not (store.pg_url or state.postgres_path.exists()):
        raise Failure(
            code="not_found",
            message=f"there is no log in {state.path} yet",
            remedy="wattswarm up --detach, or name another directory with --state-dir",
        )
    with state.hold():
        if store.pg_url:
            yield _checked(Database(store.pg_url, store.pg_schema))
            return
        with running(state.path, fsync=store.fsync) as server:
            yield _checked(Database(server.dsn, store.pg_schema))


def _checked(found: Database) -> Database:
    require_current(found)
    return found


def verify(loaded: LoadedConfig, state: StateDir, progress: Progress) -> Verified:
    """Check every signature and every link of the chain."""
    began_s = time.monotonic()
    with (
        database(loaded, state) as place,
        place.connect(Purpose.READER, name="wattswarm:verify") as connection,
    ):
        found = verify_log(connection, progress)
        fault = None if found.flaw is None else _fault(connection, found.flaw)
    return Verified(
        ok=found.is_sound,
        events=found.checked,
        head_seq=found.head.seq,
        chain=found.head.chain.hex(),
        duration_ms=_since(began_s),
        fault=fault,
    )


def _fault(connection: Connection, flaw: Flaw) -> LogFault:
    row = None if flaw.seq is None else LogReader(connection).at(flaw.seq)
    event_id = "" if row is None else row.event_id.hex()
    return LogFault(seq=flaw.seq or 0, event_id=event_id, code=flaw.code, message=flaw.message)


def replay(
    loaded: LoadedConfig, state: StateDir, progress: Progress, *, is_verify_only: bool
) -> Replayed:
    """Rebuild the projections; compare them with those that stand there, or put them in force."""
    began_s = time.monotonic()
    network_id = network_id_of(local_genesis(state.known_key().node_id))
    with database(loaded, state) as place:
        rebuilder = Rebuilder(place, network_id, progress)
        rebuilt = rebuilder.run(is_verify_only=is_verify_only)
        with place.connect(Purpose.READER) as connection:
            quarantined = ProjectionReader(connection).derived().quarantined
    is_compared = rebuilt.compared is not None
    return Replayed(
        events=rebuilt.seq,
        groups=rebuilt.groups,
        duration_ms=_since(began_s),
        digest=rebuilt.digest.hex(),
        verified=is_compared,
        equal=not rebuilt.differing if is_compared else None,
        differing_scopes=rebuilt.differing,
        quarantined=tuple(item.group_id.hex() for item in quarantined),
    )


def _since(began_s: float) -> int:
    return int((time.monotonic() - began_s) * 1_000)
