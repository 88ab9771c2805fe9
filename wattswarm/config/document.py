"""The configuration written down: the default file, and rows that tell each value's source."""

import re
import textwrap
from collections.abc import Iterator
from typing import Final

import attrs

from wattswarm.config.load import SETTINGS, LoadedConfig
from wattswarm.config.setting import Plain, Setting, sections
from wattswarm.config.settings import NodeConfig

HEAD: Final = """\
# Every setting of a node with its default value. Made by `python -m wattswarm.config`: do not edit.
# Put what you want to change into config.toml in the state directory; later sources win:
#   built-in < profile < config.toml < WATTSWARM_<SECTION>__<KEY> < flag < live (`actors tune`)
"""

PASSWORD: Final = re.compile(r"(?<=:)[^:@/]*(?=@)|(?<=password=)[^\s&]+")


@attrs.frozen(kw_only=True)
class SettingRow:
    """One line of `config show`; a secret is masked."""

    path: str
    value: Plain
    source: str
    range: str
    meaning: str


def rows(loaded: LoadedConfig) -> tuple[SettingRow, ...]:
    """Return every setting with its value and where it came from, in the order of the file."""
    return tuple(
        SettingRow(
            path=path,
            value=masked(setting, loaded.values[path]),
            source=loaded.sources[path],
            range=setting.range,
            meaning=setting.note.meaning,
        )
        for path, setting in SETTINGS.items()
    )


def masked(setting: Setting, value: Plain) -> Plain:
    """Return the value without the passwords in it."""
    return (
        PASSWORD.sub("***", value) if setting.note.is_secret and isinstance(value, str) else value
    )


def default_toml() -> str:
    """Return the text of config/default.toml."""
    return HEAD + "".join(_tables())


def _tables() -> Iterator[str]:
    for path, meaning, settings in sections(NodeConfig()):
        if settings:
            lines = "".join(_lines(path, setting) for setting in settings)
            yield f"\n# {meaning}\n[{path}]\n{lines}"
        else:
            yield f"\n# --- {meaning}\n"


def _lines(table: str, setting: Setting) -> str:
    name = setting.path.removeprefix(f"{table}.")
    assignment = f"{name} = {toml_value(setting.default)}\n"
    if table.startswith(("actors.", "groups.")) and not _is_first(table):
        return assignment
    words = f"{setting.note.meaning} ({setting.range})"
    comment = textwrap.fill(words, 98, initial_indent="# ", subsequent_indent="# ")
    return f"{comment}\n{assignment}"


def _is_first(table: str) -> bool:
    """Tell whether a table is the first of its like: the others need no second explanation."""
    return table in ("actors.postgres", "groups.log")


def toml_value(value: Plain) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:_}"
    if isinstance(value, str):
        return f'"{value}"'
    return "[" + ", ".join(f'"{item}"' for item in value) + "]"
