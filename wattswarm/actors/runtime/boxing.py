"""Failures of asks as plain fields: what crosses a process border instead of an exception."""

from collections.abc import Callable
from typing import Any, Final, cast

import attrs
import cbor2
import msgspec

from wattswarm.actors.runtime.errors import (
    ActorError,
    BadWire,
    Down,
    Refused,
    RemoteFailure,
    TooSlow,
)

_BOXED: Final[dict[str, type[ActorError]]] = {
    cls.code: cls for cls in (Refused, Down, TooSlow, RemoteFailure)
}


def box(error: ActorError) -> bytes:
    """Return the bytes of a failure; its class must be one of the four that an ask may raise."""
    assert error.code in _BOXED, error
    fields = {field.name: getattr(error, field.name) for field in attrs.fields(type(error))}
    return cbor2.dumps([error.code, {name: _plain(value) for name, value in fields.items()}])


def unbox(body: bytes) -> ActorError:
    """Return the failure that the bytes stand for.

    Raises:
        BadWire: They stand for none.
    """
    try:
        code, fields = cast("tuple[str, dict[str, Any]]", cbor2.loads(body))
        cls = cast("Callable[..., ActorError]", _BOXED[code])
        types = {field.name: field.type for field in attrs.fields(_BOXED[code])}
        return cls(**{name: msgspec.convert(fields[name], types[name]) for name in types})
    except Exception as error:  # whatever a decoder or a constructor raises: these bytes did it
        raise BadWire(reason=f"no failure: {error}") from error


def _plain(value: object) -> object:
    return str(value) if isinstance(value, str) else value
