"""What one setting is: its kind, its range, what it is for; everything else is made from this."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

type_names: Final[Mapping[type, str]] = {
    bool: "true or false",
    int: "an integer",
    str: "a text",
    tuple: "a list of texts",
}

Plain = bool | int | str | tuple[str, ...]
"""A value of a setting."""

NOTE: Final = "wattswarm.setting"


@attrs.frozen(kw_only=True)
class Note:
    """What a field's metadata says about its setting."""

    meaning: str
    least: int = 0
    most: int = 0
    choices: tuple[str, ...] = ()
    is_secret: bool = False


@attrs.frozen(kw_only=True)
class Setting:
    """One setting of the tree, by its path (`actors.sel_writer.batch`)."""

    path: str
    default: Plain
    note: Note

    @property
    def kind(self) -> type:
        """Return bool, int, str or tuple."""
        return type(self.default)

    @property
    def range(self) -> str:
        """Return in words which values are allowed."""
        if self.kind is int:
            return f"{self.note.least} to {self.note.most}"
        return " | ".join(self.note.choices) or type_names[self.kind]


def whole(default: int, meaning: str, least: int, most: int) -> int:
    """Return the field of an integer setting that lies in least..most."""
    return _field(default, Note(meaning=meaning, least=least, most=most))


def switch(default: bool, meaning: str) -> bool:
    """Return the field of a setting that is true or false."""
    return _field(default, Note(meaning=meaning))


def text(default: str, meaning: str, *, is_secret: bool = False) -> str:
    """Return the field of a setting that is a text."""
    return _field(default, Note(meaning=meaning, is_secret=is_secret))


def choice(default: str, meaning: str, choices: tuple[str, ...]) -> str:
    """Return the field of a setting that is one of a few words."""
    return _field(default, Note(meaning=meaning, choices=choices))


def texts(default: tuple[str, ...], meaning: str) -> tuple[str, ...]:
    """Return the field of a setting that is a list of texts."""
    return _field(default, Note(meaning=meaning))


def about(meaning: str) -> dict[str, Note]:
    """Return the metadata of a table of settings."""
    return {NOTE: Note(meaning=meaning)}


def _field(default: Any, note: Note) -> Any:
    return attrs.field(default=default, metadata={NOTE: note})


def sections(tree: Any, prefix: str = "") -> Iterator[tuple[str, str, tuple[Setting, ...]]]:
    """Yield (path, meaning, settings) of every table below the tree, top to bottom."""
    for name, value, note in _fields(tree):
        if attrs.has(_class(value)):
            yield f"{prefix}{name}", note.meaning, tuple(_settings(value, f"{prefix}{name}."))
            yield from sections(value, f"{prefix}{name}.")


def _settings(table: Any, prefix: str) -> Iterator[Setting]:
    for name, value, note in _fields(table):
        if not attrs.has(_class(value)):
            yield Setting(path=f"{prefix}{name}", default=value, note=note)


def _fields(table: Any) -> Iterator[tuple[str, Any, Note]]:
    for field in attrs.fields(_class(table)):
        yield field.name, getattr(table, field.name), field.metadata[NOTE]


def _class(value: object) -> type:
    return type(value)
