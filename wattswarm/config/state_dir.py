"""The state directory: everything that a node keeps on disk, and who may hold it.

Secrets are made with mode 0600 and refused when others could read them. One process holds the
directory at a time: the kernel drops the lock with the process, so that no stale lock can exist.
"""

import fcntl
import json
import os
import secrets
import stat
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from wattswarm.config.errors import config_error
from wattswarm.kernel.signature import SEED_BYTES, KeyPair

VARIABLE: Final = "WATTSWARM_STATE_DIR"
TOKEN_BYTES: Final = 32
SMALL_FILE_BYTES_MAX: Final = 4_096
LOCK_TRIES: Final = 5
LOCK_PAUSE_S: Final = 0.02


@attrs.frozen(kw_only=True)
class NodeFile:
    """Where the running node is: what `node.json` says."""

    pid: int
    api_url: str
    version: str
    started_at: str


@attrs.frozen
class StateDir:
    """A node's directory; methods make what is missing and refuse what is unsafe."""

    path: Path

    @property
    def seed_path(self) -> Path:
        """Return where the 32-byte Ed25519 seed is kept, in hex."""
        return self.path / "node_seed.hex"

    @property
    def token_path(self) -> Path:
        """Return where the API's bearer token is kept."""
        return self.path / "api_token"

    @property
    def config_path(self) -> Path:
        """Return the operator's configuration file."""
        return self.path / "config.toml"

    @property
    def node_path(self) -> Path:
        """Return where a running node says how to reach it."""
        return self.path / "node.json"

    @property
    def lock_path(self) -> Path:
        """Return the file whose lock is held by whoever uses the directory."""
        return self.path / "lock"

    @property
    def postgres_path(self) -> Path:
        """Return the data directory of the embedded PostgreSQL server."""
        return self.path / "pg"

    @property
    def artifacts_path(self) -> Path:
        """Return the root of the artifact store."""
        return self.path / "artifacts"

    @property
    def run_path(self) -> Path:
        """Return where sockets are made."""
        return self.path / "run"

    @property
    def log_path(self) -> Path:
        """Return the log file of a detached node."""
        return self.path / "logs" / "node.log"

    def prepare(self) -> None:
        """Make the directory and what it must hold; a directory that is new is private.

        Raises:
            ConfigError: It cannot be made, is not a directory, or cannot be written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in (self.artifacts_path, self.log_path.parent, self.run_path):
                part.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise config_error(
                "state_dir_unusable",
                f"the state directory cannot be used: {error.strerror}",
                path=str(self.path),
                remedy="name another with --state-dir, or mend its owner and mode",
            ) from error

    def key(self) -> KeyPair:
        """Return the node's key pair; the first call makes it.

        Raises:
            ConfigError: The seed file is readable by others, malformed or unreadable, or is gone
                while the log of its node is here.
        """
        if not self.seed_path.exists():
            if self.postgres_path.exists():
                raise config_error(
                    "seed_missing",
                    "the seed is gone, and a node's log is here",
                    path=str(self.seed_path),
                    remedy="restore the file from a backup, or begin anew in another directory",
                )
            _make_secret(self.seed_path, secrets.token_bytes(SEED_BYTES).hex())
        return self.known_key()

    def known_key(self) -> KeyPair:
        """Return the key pair of the seed file, and make none.

        Raises:
            ConfigError: The seed file is missing, readable by others, or malformed.
        """
        word = _read_secret(self.seed_path)
        if len(word) != 2 * SEED_BYTES or set(word) - set("0123456789abcdef"):
            raise config_error(
                "seed_malformed",
                f"the seed is not {2 * SEED_BYTES} lower-case hex digits",
                path=str(self.seed_path),
                remedy="restore the file from a backup; without it the node has another identity",
            )
        return KeyPair.from_seed(bytes.fromhex(word))

    def token(self) -> str:
        """Return the API's bearer token; the first call makes it.

        Raises:
            ConfigError: The token file is readable by others, empty or unreadable.
        """
        if not self.token_path.exists():
            _make_secret(self.token_path, secrets.token_urlsafe(TOKEN_BYTES))
        return self.known_token()

    def known_token(self) -> str:
        """Return the API's bearer token, and make none.

        Raises:
            ConfigError: The token file is missing, readable by others, or empty.
        """
        word = _read_secret(self.token_path)
        if not word or not word.isascii() or not word.isprintable():
            raise config_error(
                "token_malformed",
                "the API token is not one line of printable characters",
                path=str(self.token_path),
                remedy="delete the file: the next start makes a new token",
            )
        return word

    @contextmanager
    def hold(self) -> Generator[None]:
        """Hold the directory's lock; the kernel frees it when the process ends, however it ends.

        Raises:
            ConfigError: `state_dir_locked`: another process holds it.
        """
        lock = os.open(self.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not _locks(lock):
                raise self._locked(lock)
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(lock)

    def _locked(self, lock: int) -> Exception:
        pid = os.pread(lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
        return config_error(
            "state_dir_locked",
            f"process {pid} uses this state directory",
            path=str(self.path),
            remedy="stop it with `wattswarm down`, or name another with --state-dir",
        )

    def holder(self) -> int | None:
        """Return the pid of the process that holds the directory, if any does."""
        try:
            lock = os.open(self.lock_path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            word = os.pread(lock, 32, 0).strip()
            return int(word) if word.isdigit() else 0
        else:
            return None
        finally:
            os.close(lock)

    def write_node_file(self, node: NodeFile) -> None:
        """Say where the node is, in one atomic step."""
        draft = self.node_path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(json.dumps(attrs.asdict(node)) + "\n")
        draft.replace(self.node_path)

    def remove_node_file(self) -> None:
        """Say that no node runs."""
        self.node_path.unlink(missing_ok=True)

    def node_file(self) -> NodeFile | None:
        """Return where the node says it is; None when it says nothing that can be understood."""
        try:
            content = self.node_path.read_bytes()[:SMALL_FILE_BYTES_MAX]
            fields = json.loads(content)
            node = NodeFile(**{field.name: fields[field.name] for field in attrs.fields(NodeFile)})
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        is_sane = type(node.pid) is int and all(
            type(word) is str for word in (node.api_url, node.version, node.started_at)
        )
        return node if is_sane else None


def _locks(lock: int) -> bool:
    """Take the lock; a few tries, because `holder` takes it for an instant to ask."""
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_PAUSE_S)
        else:
            return True
    return False


def find_state_dir(flag: str | None, environment: Mapping[str, str]) -> StateDir:
    """Return the state directory: the flag's, else WATTSWARM_STATE_DIR's, else ~/.wattswarm."""
    chosen = flag or environment.get(VARIABLE)
    return StateDir(Path(chosen).expanduser().absolute() if chosen else Path.home() / ".wattswarm")


def _make_secret(path: Path, word: str) -> None:
    """Write a secret beside its place and link it there: whoever comes second keeps the first's."""
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.unlink(missing_ok=True)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, f"{word}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _read_secret(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(SMALL_FILE_BYTES_MAX)
    except OSError as error:
        raise config_error(
            "secret_unreadable",
            f"it cannot be read: {error.strerror}",
            path=str(path),
            remedy="start the node once with `wattswarm up`, or name its state directory",
        ) from error
    if stat.S_IMODE(mode) & 0o077:
        raise config_error(
            "secret_exposed",
            f"it can be used by others (mode {stat.S_IMODE(mode):04o})",
            path=str(path),
            remedy=f"chmod 600 {path}, and replace the secret if others may have read it",
        )
    return content.decode("ascii", "replace").strip()
