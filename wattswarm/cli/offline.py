"""The log of a node that does not run: the directory is held and its database opened for a while.

Nobody else can use the directory meanwhile, and the embedded server is stopped again afterwards.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TypeAlias

from wattswarm.actors.governance_tail import GovernanceTail
from wattswarm.actors.importing import Importer
from wattswarm.actors.rebuilding import Rebuilder
from wattswarm.cli.bringing import Bring
from wattswarm.cli.failure import Failure
from wattswarm.config.load import LoadedConfig
from wattswarm.config.state_dir import StateDir
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.event import Event
from wattswarm.kernel.version import local_genesis, network_id_of
from wattswarm.operations.exporting import chunks_of, log_part
from wattswarm.operations.ingestion import Ingestion
from wattswarm.operations.log import foreign_archive
from wattswarm.operations.signing import signing_view
from wattswarm.store.connection import Connection, Database, Purpose
from wattswarm.store.embedded import running
from wattswarm.store.event_log import LogWriter
from wattswarm.store.log_reader import LogReader
from wattswarm.store.log_verify import Flaw, verify_log
from wattswarm.store.migrate import migrate, require_current
from wattswarm.store.projection_reader import ProjectionReader
from wattswarm.store.signing import Signing, Standing
from wattswarm.surface.log import Ingested, LogFault, Part, Replayed, Verified
from wattswarm.surface.node import SigningView

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how far the work is, and how much there is."""


@contextmanager
def database(loaded: LoadedConfig, state: StateDir, *, make: bool = False) -> Generator[Database]:
    """Hold a state directory and give its database.

    Args:
        make: Have a database where there is only the node's seed yet.

    Raises:
        ConfigError: A node uses the directory.
        Failure: There is no log in it yet.
        StoreError: The database cannot be opened, or is of another version.
    """
    store = loaded.config.store
    has_log = store.pg_url or state.postgres_path.exists() or make
    if not state.seed_path.exists() or not has_log:
        raise Failure(
            code="not_found",
            message=f"there is no log in {state.path} yet",
            remedy="wattswarm up --detach, or name another directory with --state-dir",
        )
    ready = migrate if make else require_current
    with state.hold():
        if store.pg_url:
            found = Database(store.pg_url, store.pg_schema)
            ready(found)
            yield found
            return
        state.prepare()
        with running(state.path, fsync=store.fsync) as server:
            found = Database(server.dsn, store.pg_schema)
            ready(found)
            yield found


def _network_id(state: StateDir) -> str:
    return network_id_of(local_genesis(state.known_key().node_id))


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
    with database(loaded, state) as place:
        rebuilder = Rebuilder(place, _network_id(state), progress)
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


@contextmanager
def exporting(loaded: LoadedConfig, state: StateDir, part: Part) -> Generator[Iterator[bytes]]:
    """Give an archive of a part of the log, piece by piece.

    Raises:
        Failure: There is no log here, or no such task in it.
    """
    with (
        database(loaded, state) as place,
        place.connect(Purpose.READER, name="wattswarm:export") as connection,
    ):
        found = log_part(connection, part)
        if isinstance(found, Rejection):
            raise Failure(code=found.code, message=found.message)
        yield chunks_of(connection, _network_id(state), found)


@contextmanager
def importing(
    loaded: LoadedConfig,
    state: StateDir,
    alarm: Callable[[Event], None],
    *,
    is_restore: bool = False,
) -> Generator[Bring]:
    """Give what puts events into the log; a database is made where there is none yet.

    Args:
        alarm: Is told of the event that stops signing: this node's key signed it, and this log did
            not hold it.
        is_restore: The log is being restored: events of this node's own key are expected, and
            nothing is signed later for what was opened before now.
    """
    with (
        database(loaded, state, make=True) as place,
        place.connect(Purpose.READER, name="wattswarm:import") as connection,
        closing(LogWriter(place, own=state.known_key().node_id, alarm=alarm)) as writer,
    ):
        if is_restore:
            _say(place, Signing.restored)
        writer.open()
        reader, network_id = LogReader(connection), _network_id(state)
        importer = Importer(writer, reader, GovernanceTail(network_id), _wall_ms)

        def bring(named: str, events: Sequence[bytes]) -> Ingested:
            if named != network_id:
                refusal = foreign_archive(named, network_id)
                raise Failure(code=refusal.code, message=refusal.message)
            made = Ingestion()
            made.count(events, importer.take(events))
            return made.view(reader.head().seq, intact=True)

        yield bring


def say_signing(
    loaded: LoadedConfig, state: StateDir, say: Callable[[Signing, int], Standing]
) -> SigningView:
    """Take the operator's word on who signs with this node's key."""
    with database(loaded, state) as place:
        return signing_view(_say(place, say))


def _say(place: Database, say: Callable[[Signing, int], Standing]) -> Standing:
    with place.connect(Purpose.LOCAL) as connection:
        return say(Signing(connection), _wall_ms())


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _since(began_s: float) -> int:
    return int((time.monotonic() - began_s) * 1_000)
