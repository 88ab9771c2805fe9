"""Messages and the bytes they become between processes.

A message is a frozen attrs class with a tag of its own. On a wire it is a positional CBOR array
`[tag, version, field, …]` (RFC 8949); fields that are plain attrs classes are maps by field name,
and a message inside a message or inside an answer is CBOR tag 39 around such an array. Nothing is
ever unpickled, and what arrives is checked against the declared types: garbage raises `BadWire`
and nothing else.

A field may be any type that msgspec converts (ints, text, bytes, bools, None, floats, enums,
tuples, lists, mappings, plain attrs classes, unions of them), or a message class or a union of
message classes.
"""

from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from io import BytesIO
from types import UnionType
from typing import (
    Any,
    Final,
    Generic,
    TypeVar,
    Union,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs
import cbor2
import msgspec

from wattswarm.actors.runtime.errors import BadWire

R_co = TypeVar("R_co", covariant=True)
C = TypeVar("C")

NESTED_TAG: Final = 39
"""CBOR tag 39 means "identifier": here, of the message class that the array belongs to."""
TAG_MAX: Final = 0xFFFF


class Request(Generic[R_co]):
    """Base of a message that is answered: `class Append(Request[Appended])` makes `ask` return
    `Appended`.

    The answer is converted to that type after it has crossed a process border, so that tuples
    stay tuples.
    """

    __slots__ = ()


@attrs.define
class _Registered:
    """A message class; `codec` is made at its first use, since annotations may name later
    classes."""

    cls: type
    tag: int
    version: int
    codec: "_Codec | None" = None


@attrs.frozen
class _Codec:
    cls: type
    head: tuple[int, int]
    names: tuple[str, ...]
    fields: Any
    """One `tuple[…]` type with an entry per field."""
    members: tuple[tuple[int, tuple[type, ...]], ...]
    """Position and classes of the fields that hold messages: msgspec has no unions of attrs
    classes."""
    answer: Any


_BY_TAG: Final[dict[int, _Registered]] = {}
_BY_CLASS: Final[dict[type, _Registered]] = {}


@dataclass_transform(frozen_default=True, field_specifiers=(attrs.field,))
def message(*, tag: int, version: int = 1) -> Callable[[type[C]], type[C]]:
    """Make a class a frozen message that can cross a process border under `tag`.

    Args:
        tag: 1 … 65 535, unique in the program; tags from 0xFF00 on are the actor runtime's own.
        version: Raised when the fields change; another version of a class is refused, never
        guessed at.
    """
    assert 0 < tag <= TAG_MAX, tag

    def register(cls: type[C]) -> type[C]:
        frozen = attrs.frozen(cls)
        before = _BY_TAG.get(tag)
        assert before is None or _name(before.cls) == _name(cls), (tag, before, cls)
        _BY_TAG[tag] = _BY_CLASS[frozen] = _Registered(frozen, tag, version)
        return frozen

    return register


def is_message(cls: type) -> bool:
    """Tell whether `cls` was made by `@message`."""
    return cls in _BY_CLASS


def encode(value: object) -> bytes:
    """Return the bytes of a message.

    Raises:
        TypeError: The class is no message, or a field holds what CBOR has no form for. Our own bug.
    """
    return _dumps(_array(value))


def decode(body: bytes) -> object:
    """Return the message that `body` holds.

    Raises:
        BadWire: It holds none.
    """
    return build(decode_plain(body))


def encode_answer(value: object) -> bytes:
    """Return the bytes of an answer: any CBOR value, with messages and plain attrs classes inside.

    Raises:
        TypeError: CBOR has no form for it. Our own bug.
    """
    return _dumps(value)


def decode_answer(body: bytes, request: type) -> object:
    """Return an answer, converted to what the request's class says it is.

    Raises:
        BadWire: It is something else.
    """
    expected = _codec_of(request).answer
    value = decode_plain(body)
    members = _messages_in(expected)
    return _member(value, members) if members else _convert(value, expected)


def copy_by_wire(value: object) -> object:
    """Return what a process on the other side of a link would have received."""
    return decode(encode(value))


def copy_answer(value: object, request: type) -> object:
    """Return what the asker on the other side of a link would have received."""
    return decode_answer(encode_answer(value), request)


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _dumps(value: object) -> bytes:
    try:
        return cbor2.dumps(value, default=_encode_other)
    except cbor2.CBOREncodeError as error:
        raise TypeError(f"not for a wire: {error}") from error


def _array(value: object) -> list[object]:
    codec = _codec_of(type(value))
    return [*codec.head, *(getattr(value, name) for name in codec.names)]


def _encode_other(encoder: cbor2.CBOREncoder, value: object) -> None:
    """Give the encoder a form for what is no CBOR value by itself."""
    cls = type(value)
    if cls in _BY_CLASS:
        encoder.encode(cbor2.CBORTag(NESTED_TAG, _array(value)))
    elif attrs.has(cls):
        encoder.encode({field.name: getattr(value, field.name) for field in attrs.fields(cls)})
    elif isinstance(value, Enum):
        encoder.encode(value.value)
    else:
        raise TypeError(f"a {_name(cls)} cannot be sent")


def decode_plain(body: bytes) -> object:
    """Return the CBOR value that `body` is, with nested messages built.

    Raises:
        BadWire: It is none, or something is left over after it.
    """
    source = BytesIO(body)
    try:
        value: object = cbor2.CBORDecoder(source, tag_hook=_nested).decode()
    except BadWire:
        raise
    except Exception as error:
        # The decoder lets through whatever the types it builds raise; these bytes did it.
        raise BadWire(reason=f"not CBOR: {error}") from error
    if source.tell() != len(body):
        raise BadWire(reason="bytes are left over after the value")
    return value


def _nested(tag: cbor2.CBORTag, _immutable: bool) -> object:
    if tag.tag != NESTED_TAG:
        raise BadWire(reason=f"CBOR tag {tag.tag} has no meaning here")
    return build(cast("object", tag.value))


def build(array: object) -> object:
    """Return the message that a decoded array stands for.

    Raises:
        BadWire: It stands for none.
    """
    items = cast("list[object]", array) if isinstance(array, list | tuple) else []
    if len(items) < 2 or type(items[0]) is not int or type(items[1]) is not int:
        raise BadWire(reason="a message is an array that begins with its tag and version")
    return _from_fields(_codec_for(items[0], items[1]), list(items[2:]))


def _from_fields(codec: _Codec, fields: list[object]) -> object:
    for at, members in codec.members:
        if at < len(fields):
            fields[at] = _member(fields[at], members)
    values: tuple[object, ...] = _convert(fields, codec.fields)
    return codec.cls(*values)


def _member(value: object, members: tuple[type, ...]) -> object:
    if type(value) not in members:
        raise BadWire(
            reason=f"a {type(value).__name__} where {[m.__name__ for m in members]} belong"
        )
    return value


def _convert(value: object, to: Any) -> Any:
    try:
        return msgspec.convert(value, to, builtin_types=(bytes,))
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        raise BadWire(reason=str(error)) from error


def _codec_for(tag: int, version: int) -> _Codec:
    registered = _BY_TAG.get(tag)
    if registered is None:
        raise BadWire(reason=f"no message has the tag {tag}")
    if registered.version != version:
        raise BadWire(reason=f"version {version} of message {tag}: ours is {registered.version}")
    return registered.codec or _compile(registered)


def _codec_of(cls: type) -> _Codec:
    registered = _BY_CLASS.get(cls)
    if registered is None:
        raise TypeError(f"{_name(cls)} is no message: it lacks @message(tag=…)")
    return registered.codec or _compile(registered)


def _compile(registered: _Registered) -> _Codec:
    cls = registered.cls
    hints = get_type_hints(cls)
    names = tuple(field.name for field in attrs.fields(cls))
    types = [hints[name] for name in names]
    members = tuple((at, inside) for at, of in enumerate(types) if (inside := _messages_in(of)))
    for at, _ in members:
        types[at] = Any
    fields = cast("Any", tuple)[tuple(types)]
    with suppress(msgspec.ValidationError):
        msgspec.convert(
            None, fields
        )  # a TypeError now, not a BadWire later, for types it cannot do
    head = (registered.tag, registered.version)
    registered.codec = _Codec(cls, head, names, fields, members, _answer_of(cls))
    return registered.codec


def _messages_in(of: Any) -> tuple[type, ...]:
    """Return the classes of a field that is a message or a union with messages in it, else
    nothing."""
    options = get_args(of) if get_origin(of) in (Union, UnionType) else (of,)
    classes = tuple(option for option in options if isinstance(option, type))
    return classes if any(cls in _BY_CLASS for cls in classes) else ()


def _answer_of(cls: type) -> Any:
    for base in cast("tuple[Any, ...]", getattr(cls, "__orig_bases__", ())):
        if get_origin(base) is Request:
            (answer,) = get_args(base)
            return None if answer is type(None) else answer
    return Any
