"""Reading a JSON document member by member, each with its type, its bounds and its path."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias, cast

import attrs

from wattswarm.kernel import json_text
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import ID_CHARS_MAX

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


def parse(text: bytes | bytearray, *, bytes_max: int) -> Json:
    """Return the JSON value that `text` is.

    Raises:
        Malformed: `too_large` or `bad_json`.
    """
    return cast("Json", json_text.parse(bytes(text), bytes_max=bytes_max))


def write(value: Json) -> bytes:
    """Return the one canonical text of `value`, in UTF-8.

    Raises:
        Malformed: `bad_json`: a number that JSON cannot hold, or that a double cannot hold exactly.
    """
    return json_text.write(value).encode()


@attrs.frozen
class Fields:
    """A JSON object under a path. Members that nobody asks for are ignored: contracts grow."""

    members: Mapping[str, Json]
    path: str

    @classmethod
    def of(cls, value: Json, path: str = "$") -> "Fields":
        """Return the members of `value`.

        Raises:
            Malformed: `bad_field` when `value` is not an object.
        """
        if not isinstance(value, Mapping):
            raise Malformed(code="bad_field", path=path, message="an object is expected here")
        return cls(value, path)

    def wrong(self, name: str, message: str, *, code: str = "bad_field") -> Malformed:
        """Return the error that says what is wrong with a member."""
        return Malformed(code=code, path=f"{self.path}.{name}", message=message)

    def has(self, name: str) -> bool:
        """Tell whether the member is there and not null."""
        return self.members.get(name) is not None

    def value(self, name: str) -> Json:
        """Return a member of any type, null included; it must be there.

        Raises:
            Malformed: `missing_field`.
        """
        if name not in self.members:
            raise self.wrong(name, f"`{name}` is missing", code="missing_field")
        return self.members[name]

    def text(self, name: str, *, chars_max: int, chars_min: int = 0) -> str:
        """Return a member that is text of a bounded length."""
        value = self.value(name)
        if type(value) is not str:
            raise self.wrong(name, f"`{name}` is text")
        if not chars_min <= len(value) <= chars_max:
            raise self.wrong(name, f"`{name}` has {chars_min} to {chars_max} characters")
        return value

    def text_or(self, name: str, default: str, *, chars_max: int) -> str:
        """Return a member that is text, or `default` when it is absent or null."""
        return self.text(name, chars_max=chars_max) if self.has(name) else default

    def name(self, name: str) -> str:
        """Return a member that names something: what may stand in an event, and on a terminal."""
        value = self.text(name, chars_min=1, chars_max=ID_CHARS_MAX)
        if not value.isprintable() or len(value.encode()) > ID_CHARS_MAX:
            raise self.wrong(name, f"`{name}` is printable text of at most {ID_CHARS_MAX} bytes")
        return value

    def name_or(self, name: str, default: str) -> str:
        """Return a member that names something, or `default` when it is absent, null or empty."""
        return self.name(name) if self.members.get(name) else default

    def uint(self, name: str, *, most: int, least: int = 0) -> int:
        """Return a member that is an integer from `least` to `most`."""
        value = self.value(name)
        if type(value) is not int or not least <= value <= most:
            raise self.wrong(name, f"`{name}` is an integer of {least} to {most}")
        return value

    def uint_or(self, name: str, default: int, *, most: int, least: int = 0) -> int:
        """Return a member that is an integer, or `default` when it is absent or null."""
        return self.uint(name, most=most, least=least) if self.has(name) else default

    def fraction(self, name: str) -> float:
        """Return a member that is a number from 0 to 1."""
        value = self.value(name)
        if type(value) not in (int, float) or not 0 <= cast("float", value) <= 1:
            raise self.wrong(name, f"`{name}` is a number of 0 to 1")
        return float(cast("float", value))

    def flag(self, name: str) -> bool:
        """Return a member that is true or false."""
        value = self.value(name)
        if type(value) is not bool:
            raise self.wrong(name, f"`{name}` is true or false")
        return value

    def items(self, name: str, *, items_max: int) -> Iterator[tuple[Json, str]]:
        """Return the items of a member that is an array, each with its path."""
        value = self.value(name)
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise self.wrong(name, f"`{name}` is an array")
        if len(value) > items_max:
            raise self.wrong(name, f"`{name}` has at most {items_max} items", code="too_many")
        return ((item, f"{self.path}.{name}[{index}]") for index, item in enumerate(value))

    def items_or_none(self, name: str, *, items_max: int) -> Iterator[tuple[Json, str]]:
        """Return the items of an array, or nothing when it is absent or null."""
        return self.items(name, items_max=items_max) if self.has(name) else iter(())

    def texts(self, name: str, *, items_max: int, chars_max: int) -> tuple[str, ...]:
        """Return a member that is an array of non-empty text."""
        found: list[str] = []
        for item, path in self.items(name, items_max=items_max):
            if type(item) is not str or not 1 <= len(item) <= chars_max:
                raise Malformed(
                    code="bad_field", path=path, message=f"text of 1 to {chars_max} characters"
                )
            found.append(item)
        return tuple(found)

    def at(self, name: str) -> "Fields":
        """Return a member that is an object, to be read in its turn."""
        return Fields.of(self.value(name), f"{self.path}.{name}")

    def object(self, name: str) -> Mapping[str, Json]:
        """Return a member that is an object."""
        return self.at(name).members

    def object_or_empty(self, name: str) -> Mapping[str, Json]:
        """Return a member that is an object, or an empty one when it is absent or null."""
        return self.object(name) if self.has(name) else {}
