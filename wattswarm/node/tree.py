"""The supervision tree of a node, as data, top to bottom.

Groups start in this order and stop in the reverse: the database first, then the log, then what
reads it, then what brings work in.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from wattswarm.actors.runtime.spec import (
    ROOT,
    Backoff,
    ChildSpec,
    GroupSpec,
    InboxSpec,
    Intensity,
    Overflow,
    Plain,
    Restart,
    TreeSpec,
)
from wattswarm.config.load import LoadedConfig
from wattswarm.config.settings import ActorSection, GroupSection, NodeConfig
from wattswarm.config.state_dir import StateDir
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.version import local_genesis, network_id_of
from wattswarm.store.connection import Database
from wattswarm.store.embedded import EmbeddedPostgres

SEED: Final = "seed"
"""The secret that only those who sign are given."""

MIB: Final = 1_048_576


@attrs.frozen(kw_only=True)
class Part:
    """One actor: what it is. How it is run, bounded and restarted is its section of the config."""

    name: str
    actor: str
    section: ActorSection
    args: Mapping[str, Plain] = attrs.field(factory=dict[str, Plain])
    talks_to: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    restart: Restart = Restart.PERMANENT
    drain: bool = False
    controls_tree: bool = False
    is_scalable: bool = False


@attrs.frozen(kw_only=True)
class Group:
    """Actors that share a process: the root's when they are placed there, else a worker's."""

    name: str
    parts: tuple[Part, ...]
    section: GroupSection


def database(config: NodeConfig, state: StateDir) -> Database:
    """Return where the node's tables are: the external server, or the embedded one."""
    dsn = config.store.pg_url or embedded(config, state).dsn
    return Database(dsn, config.store.pg_schema)


def embedded(config: NodeConfig, state: StateDir) -> EmbeddedPostgres:
    """Return the embedded server of a state directory."""
    return EmbeddedPostgres(state.path, fsync=config.store.fsync)


def groups(loaded: LoadedConfig, state: StateDir, key: KeyPair) -> tuple[Group, ...]:
    """Return the groups of a node in start order."""
    config = loaded.config
    actors, sections = config.actors, config.groups
    place = database(config, state)
    store: dict[str, Plain] = {"dsn": place.dsn, "schema": place.schema}
    network: dict[str, Plain] = {**store, "network_id": network_id_of(local_genesis(key.node_id))}
    quiet = attrs.evolve(actors.postgres, inbox=64, hang_after_ms=0)

    postgres = Part(
        name="postgres",
        actor="wattswarm.actors.postgres:Postgres",
        section=actors.postgres,
        args={
            **network,
            "state_dir": "" if config.store.pg_url else str(state.path),
            "fsync": config.store.fsync,
        },
    )
    dead_letters = Part(
        name="dead_letters",
        actor="wattswarm.actors.dead_letters:DeadLetters",
        section=attrs.evolve(quiet, overflow="shed_oldest", hang_after_ms=30_000),
        args={**store, "kept_max": config.limits.dead_letters_max},
    )
    genesis = Part(
        name="genesis",
        actor="wattswarm.actors.genesis:Genesis",
        section=quiet,
        args=store,
        asks=("sel_writer",),
        secrets=(SEED,),
        restart=Restart.TRANSIENT,
    )
    builder = Part(
        name="projection_builder",
        actor="wattswarm.actors.projection_builder:ProjectionBuilder",
        section=actors.projection_builder,
        args={
            **network,
            "listeners": ("http_api",),
            "audits_per_hour": config.limits.audits_per_hour,
        },
        talks_to=("http_api",),
        is_scalable=True,
    )
    rebuilder = Part(
        name="projection_rebuilder",
        actor="wattswarm.actors.projection_rebuilder:ProjectionRebuilder",
        section=attrs.evolve(quiet, placement=actors.projection_builder.placement),
        args=network,
    )
    verifier = Part(
        name="verifier",
        actor="wattswarm.actors.verifier:Verifier",
        section=actors.verifier,
        args={
            **network,
            "threads": config.ingest.threads,
            "parked_max": config.limits.parked_events_max,
        },
        asks=("sel_writer",),
    )
    dispatcher = Part(
        name="executor_dispatcher",
        actor="wattswarm.actors.executor_dispatcher:ExecutorDispatcher",
        section=actors.executor_dispatcher,
        args={
            **network,
            "artifacts": str(state.artifacts_path),
            "approves": config.duties.approve_claims,
            "scan_ms": config.duties.scan_ms,
            "timeout_ms": config.executors.execute_ms,
            "health_every_ms": config.executors.health_every_ms,
            "breaker_failures": config.executors.breaker_failures,
            "breaker_open_ms": config.executors.breaker_open_ms,
            "tries": config.executors.tries,
            "backoff_ms": config.executors.backoff_ms,
        },
        asks=("sel_writer",),
        secrets=(SEED,),
    )
    config_watcher = Part(
        name="config_watcher",
        actor="wattswarm.actors.config_watcher:ConfigWatcher",
        section=quiet,
        args={"path": str(state.config_path)},
        controls_tree=True,
    )
    verifiers = ("verifier",) if config.ingest.enabled else ()
    http_api = Part(
        name="http_api",
        actor="wattswarm.api.actor:HttpApi",
        section=actors.http_api,
        args={
            **network,
            "state_dir": str(state.path),
            "values": dict(loaded.values),
            "sources": dict(loaded.sources),
        },
        talks_to=("executor_dispatcher",),
        asks=("sel_writer", "projection_rebuilder", "postgres", *verifiers),
        secrets=(SEED,),
        controls_tree=True,
    )
    readers = ("projection_builder", "executor_dispatcher", "http_api")
    writer = Part(
        name="sel_writer",
        actor="wattswarm.actors.sel_writer:SelWriter",
        section=actors.sel_writer,
        args={
            **network,
            "own": key.node_id,
            "readers": readers,
            "disk": "" if config.store.pg_url else str(state.path),
            "disk_free_mib_min": config.store.disk_free_mib_min,
        },
        talks_to=("projection_builder", "executor_dispatcher", "http_api"),
        drain=True,
    )
    ingest = (Group(name="ingest", parts=(verifier,), section=sections.ingest),)
    return (
        Group(name="store", parts=(postgres, dead_letters), section=sections.root),
        Group(name="log", parts=(writer,), section=sections.log),
        Group(name="genesis", parts=(genesis,), section=sections.root),
        Group(name="projection", parts=(builder, rebuilder), section=sections.projection),
        *(ingest if config.ingest.enabled else ()),
        Group(name="dispatch", parts=(dispatcher,), section=sections.dispatch),
        Group(name="api", parts=(config_watcher, http_api), section=sections.root),
    )


def tree(loaded: LoadedConfig, state: StateDir, key: KeyPair) -> TreeSpec:
    """Return the whole tree of a node."""
    node = loaded.config.node
    return TreeSpec(
        groups=tuple(_group(group) for group in groups(loaded, state, key)),
        intensity=Intensity(node.restarts_max, node.restarts_window_ms / 1_000),
        shutdown_s=node.stop_ms / 1_000,
        worker_setup="wattswarm.node.process:set_up_worker",
        worker_setup_args={"level": loaded.config.log.level},
        preload=tuple(_preloaded(loaded, state, key)),
    )


def _group(group: Group) -> GroupSpec:
    section = group.section
    is_root = all(part.section.placement == ROOT for part in group.parts)
    return GroupSpec(
        name=group.name,
        children=tuple(_child(part) for part in group.parts),
        placement="root" if is_root else "worker",
        intensity=Intensity(section.actor_restarts_max, section.actor_restarts_window_ms / 1_000),
        restarts=Intensity(section.restarts_max, section.restarts_window_ms / 1_000),
        backoff=_backoff(section),
        nice=section.nice,
        rss_soft_bytes=section.rss_soft_mib * MIB or None,
    )


def _child(part: Part) -> ChildSpec:
    section = part.section
    return ChildSpec(
        id=part.name,
        actor=part.actor,
        args=part.args,
        restart=part.restart,
        backoff=_backoff(section),
        intensity=Intensity(section.restarts_max, section.restarts_window_ms / 1_000),
        start_timeout_s=section.start_ms / 1_000,
        shutdown_s=section.stop_ms / 1_000,
        inbox=InboxSpec(capacity=section.inbox, overflow=Overflow(section.overflow)),
        concurrency=section.concurrency,
        batch=section.batch,
        instances=section.instances,
        hang_after_s=section.hang_after_ms / 1_000 or None,
        drain=part.drain,
        talks_to=part.talks_to,
        asks=part.asks,
        secrets=part.secrets,
        controls_tree=part.controls_tree,
        is_scalable=part.is_scalable,
    )


def _backoff(section: ActorSection | GroupSection) -> Backoff:
    return Backoff(
        base_s=section.backoff_ms / 1_000,
        cap_s=section.backoff_ms_max / 1_000,
        reset_after_s=section.backoff_reset_ms / 1_000,
    )


def _preloaded(loaded: LoadedConfig, state: StateDir, key: KeyPair) -> Iterator[str]:
    """Yield the modules of actors that live in workers: the spare imports them while it waits."""
    for group in groups(loaded, state, key):
        for part in group.parts:
            if part.section.placement != ROOT:
                yield part.actor.partition(":")[0]
