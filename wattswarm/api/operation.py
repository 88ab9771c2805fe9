"""One operation of the API as data: routing, reading, OpenAPI and documentation come from it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal

import attrs

from wattswarm.surface.backend import NodeApi

Method = Literal["GET", "POST", "DELETE"]
PREFIX: Final = "/api/v1"
PAGE_ITEMS_MAX: Final = 500
LONG_MS: Final = 3_600_000


@attrs.frozen(kw_only=True)
class Parameter:
    """A query parameter; its default's type is its own."""

    name: str
    meaning: str
    kind: type[int] | type[str] | type[bool]
    default: int | str | bool | None = None
    least: int = 0
    most: int = 2**53 - 1


@attrs.frozen(kw_only=True)
class Call:
    """A request that was read: what an operation is called with."""

    api: NodeApi
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    idempotency_key: str | None


@attrs.frozen(kw_only=True)
class Operation:
    """A method and a path, what comes in, what goes out, and the function between."""

    method: Method
    path: str
    name: str
    summary: str
    call: Callable[[Call], Awaitable[object]]
    answer: type
    body: type | None = None
    status: int = 200
    query: tuple[Parameter, ...] = ()
    codes: tuple[str, ...] = ()
    """Codes of refusals that a caller should know, beyond those of every operation."""
    is_projected: bool = False
    """It reads projections, so that `min_seq` may ask for one's own writes."""
    takes_key: bool = False
    deadline_ms: int | None = None
    """Longest run, when it is not `api.request_ms`."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Return the query parameters, `min_seq` among them where it means something."""
        return (*self.query, MIN_SEQ) if self.is_projected else self.query


MIN_SEQ: Final = Parameter(
    name="min_seq",
    meaning="Wait (about 2 s) until the projections hold this seq: read your own writes.",
    kind=int,
)
LIMIT: Final = Parameter(
    name="limit", meaning="Items of a page.", kind=int, least=1, most=PAGE_ITEMS_MAX
)
CURSOR: Final = Parameter(name="cursor", meaning="`next` of the page before.", kind=str)
AFTER: Final = Parameter(
    name="after", meaning="The seq that the page begins after.", kind=int, default=0
)
