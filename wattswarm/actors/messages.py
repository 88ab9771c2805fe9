"""Messages that cross between actors, one closed union for each inbox.

An event travels as its wire bytes: whoever receives them decodes them for itself.
"""

from typing import TypeAlias

import attrs

from wattswarm.actors.runtime.message import Request, message
from wattswarm.kernel.lock import Lock

# What sel_writer takes.


@message(tag=1)
class Appended:
    """The events are durable. `seqs[i]` and `already[i]` belong to `events[i]` of the request."""

    seqs: tuple[int, ...]
    already: tuple[bool, ...]
    head: int
    term: int


@message(tag=2)
class AppendRefused:
    """Nothing of the request was written.

    `code` is `lock_held` (this node has signed another value), `signing_stopped` or
    `restored_since` (it may have, and its log does not know), `log_read_only` (the disk is full) or
    `malformed`; `retry_after_ms` is given where trying again may help.
    """

    code: str
    message: str
    retry_after_ms: int | None = None


@message(tag=3, version=2)
class Append(Request[Appended | AppendRefused]):
    """Put genuine events into the log, all of them or none; a known id keeps its place.

    `locks` are taken in the same transaction. `is_own` events are signed by this node now; they go
    before those of others. `opened_at`: see `Signing`.
    """

    events: tuple[bytes, ...]
    locks: tuple[Lock, ...] = ()
    is_own: bool = False
    opened_at: int | None = None


# What is announced. An announcement is a hint: whoever misses it finds the same in the log.


@message(tag=10)
class HeadMoved:
    """The log reaches to `seq`."""

    seq: int


@message(tag=11)
class TasksChanged:
    """The derived tables of these tasks changed, as of `seq`."""

    task_ids: tuple[bytes, ...]
    seq: int


@message(tag=12)
class ExecutorsChanged:
    """The registry of executors changed."""


# What verifier takes.


@attrs.frozen
class Refusal:
    """Why the event at `index` of a request did not get into the log; `code` is public."""

    index: int
    code: str


@message(tag=20)
class Ingested:
    """What became of foreign events: new in the log, known before, parked, or refused."""

    accepted: int
    already: int
    parked: int
    refused: tuple[Refusal, ...]


@message(tag=21)
class Ingest(Request[Ingested]):
    """Check events of other nodes, and append those that are authentic."""

    events: tuple[bytes, ...]


# What the others take.


@message(tag=30)
class RestartServer(Request[None]):
    """Restart the embedded PostgreSQL at once, without waiting for its sessions."""


@message(tag=40)
class Rebuilt:
    """A rebuild of the derived tables from the log ended.

    `digest` is that of the rebuilt tables at `seq`; `differing` names the scopes in which the live
    tables were others, where the two were compared.
    """

    seq: int
    digest: bytes
    is_compared: bool
    differing: tuple[str, ...]
    groups: int
    is_swapped: bool


@message(tag=41)
class Rebuild(Request[Rebuilt]):
    """Derive everything anew beside the live tables; compare, and swap unless only verifying."""

    is_verify_only: bool


@message(tag=50)
class Keep:
    """A dead letter: a message that crashed its actor too often; `body` is its wire form."""

    actor: str
    message_id: int
    sender: str
    message: str
    body: bytes
    crashes: int
    error: str
    traceback: str
    at_ms: int


@message(tag=60)
class Reload:
    """Read the configuration file again."""


SelWriterMessage: TypeAlias = Append
ProjectionBuilderMessage: TypeAlias = HeadMoved
ProjectionRebuilderMessage: TypeAlias = Rebuild
ExecutorDispatcherMessage: TypeAlias = HeadMoved | ExecutorsChanged
VerifierMessage: TypeAlias = Ingest
HttpApiMessage: TypeAlias = HeadMoved | TasksChanged
PostgresMessage: TypeAlias = RestartServer
DeadLettersMessage: TypeAlias = Keep
ConfigWatcherMessage: TypeAlias = Reload
