"""Writing settings into the configuration file, which keeps its comments and its order."""

import os
import tempfile
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, cast

import tomlkit

from wattswarm.config.check import check_value
from wattswarm.config.errors import ConfigError, Problem, config_error
from wattswarm.config.load import SETTINGS, load, read_content
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
    document = tomlkit.parse(file.read_bytes() if file.exists() else b"")
    for path, value in values.items():
        _set(cast("MutableMapping[str, Any]", document), path, value)
    content = tomlkit.dumps(document).encode()  # pyright: ignore[reportUnknownMemberType]
    read_content(content, file)
    try:
        _replace(file, content)
    except OSError as error:
        reason = error.strerror or "it cannot be written"
        remedy = "make its directory writable to this user"
        raise config_error("config_unwritable", reason, path=str(file), remedy=remedy) from error


def _set(document: MutableMapping[str, Any], path: str, value: Plain) -> None:
    *tables, name = path.split(".")
    table = document
    for each in tables:
        if each not in table:
            table[each] = tomlkit.table(is_super_table=each is not tables[-1])
        table = table[each]
    table[name] = list(value) if isinstance(value, tuple) else value


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
