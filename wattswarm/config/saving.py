"""Writing settings into the configuration file, which keeps its comments and its order."""

import os
import tempfile
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, cast

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import DottedKey, InlineTable, SingleKey, Table

from wattswarm.config.check import check_value
from wattswarm.config.errors import ConfigError, Problem, config_error
from wattswarm.config.load import SETTINGS, load, merge, read_content, read_file
from wattswarm.config.setting import Plain


def save(file: Path, values: Mapping[str, Plain]) -> None:
    """Have the file say these values, by path of their setting, and otherwise what it said.

    The new file takes the place of the old one at once, or not at all.

    Raises:
        ConfigError: A value is none for its setting; the file cannot be read or written, or is no
            configuration now.
    """
    problems = [
        checked
        for path, value in values.items()
        if isinstance(checked := check_value(SETTINGS[path], value), Problem)
    ]
    if problems:
        raise ConfigError(code=problems[0].code, problems=problems)
    load(file)
    content = _checked(file, values)
    try:
        _replace(file.resolve(), content)
    except OSError as error:
        reason = error.strerror or "it cannot be written"
        remedy = "make its directory writable to this user"
        raise config_error("config_unwritable", reason, path=str(file), remedy=remedy) from error


def _checked(file: Path, values: Mapping[str, Plain]) -> bytes:
    """Return the new content of the file; a node can start with it, and it says no more."""
    expected = {**read_file(file).values, **values}
    try:
        content = _with(file.read_bytes() if file.exists() else b"", values)
        made = read_content(content, file)
        merge([made])
    except (TOMLKitError, ValueError) as error:
        raise _unkeepable(file, values) from error
    if made.values != expected:
        raise _unkeepable(file, values)
    return content


def _unkeepable(file: Path, values: Mapping[str, Plain]) -> ConfigError:
    remedy = f"write {', '.join(values)} into it by hand"
    reason = "its tables are written in a way that cannot be kept to"
    return config_error("config_unwritable", reason, path=str(file), remedy=remedy)


def _with(content: bytes, values: Mapping[str, Plain]) -> bytes:
    """Return the content of a file with these values in it."""
    document = tomlkit.parse(content)
    for path, value in values.items():
        plain = list(value) if isinstance(value, tuple) else value
        _set(cast("MutableMapping[str, Any]", document), path.split("."), plain)
    return tomlkit.dumps(document).encode()  # pyright: ignore[reportUnknownMemberType]


def _set(table: MutableMapping[str, Any], path: Sequence[str], value: object) -> None:
    """Set a value in a table or in one below it; new ones are written as those beside them are."""
    name, *rest = path
    if not rest:
        table[name] = value
    elif name in table:
        _set(table[name], rest, value)
    elif isinstance(table, Table) and _is_dotted(table):
        table.append(DottedKey([SingleKey(part) for part in path]), value)
    else:
        is_inline = isinstance(table, InlineTable)
        table[name] = tomlkit.inline_table() if is_inline else tomlkit.table(len(rest) > 1)
        _set(table[name], rest, value)


def _is_dotted(table: Table) -> bool:
    """Tell whether the tables in this one are written as `name.setting = …`, without headers."""
    return any(key is not None and key.is_dotted() for key, _ in table.value.body)


def _replace(file: Path, content: bytes) -> None:
    """Put a new file in the place of the old one, with its rights."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if file.exists():
            new.chmod(file.stat().st_mode & 0o777)
        new.replace(file)
    except OSError:
        new.unlink(missing_ok=True)
        raise
