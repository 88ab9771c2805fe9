"""Built-in values, profile, file, environment and flags, joined into one valid configuration."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

import attrs
import cattrs

from wattswarm.config.check import check_together, check_value, unknown
from wattswarm.config.errors import ConfigError, Problem, config_error
from wattswarm.config.profiles import SETTINGS_BY_PROFILE
from wattswarm.config.setting import Plain, Setting, sections
from wattswarm.config.settings import NodeConfig

FILE_BYTES_MAX: Final = 262_144
LINE_BYTES_MAX: Final = 4_096
PROBLEMS_MAX: Final = 50
PREFIX: Final = "WATTSWARM_"

NAMED: Final[Mapping[str, str]] = {
    "WATTSWARM_PG_URL": "store.pg_url",
    "WATTSWARM_PG_SCHEMA": "store.pg_schema",
    "WATTSWARM_P2P_ENABLED": "node.p2p_enabled",
    "WATTSWARM_NODE_MODE": "node.mode",
}
"""Environment names that do not follow WATTSWARM_<SECTION>__<KEY>."""

SETTINGS: Final[Mapping[str, Setting]] = {
    setting.path: setting for _, _, table in sections(NodeConfig()) for setting in table
}

SWITCH_WORDS: Final = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}


@attrs.frozen
class LoadedConfig:
    """A configuration and where each of its values came from."""

    config: NodeConfig
    values: Mapping[str, Plain]
    sources: Mapping[str, str]

    def is_set(self, path: str) -> bool:
        """Tell whether somebody chose this value, rather than the program."""
        return self.sources[path] != "built-in"


@attrs.frozen
class Layer:
    """Values of one source, by path; unchecked."""

    source: str
    values: Mapping[str, object]


def load(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> LoadedConfig:
    """Return the configuration; later sources win: built-in, profile, file, environment, flag.

    Args:
        file: A TOML file; one that does not exist is empty.
        environment: Usually `os.environ`; only names that begin with WATTSWARM_ are read.
        flags: Values by path (`{"node.mode": "local"}`); texts are read as the environment's are.

    Raises:
        ConfigError: With every problem that was found, each with its path and remedy.
    """
    chosen = [read_file(file), *read_environment(environment or {}), *_flag_layers(flags or {})]
    return merge([*_profile(chosen), *chosen])


def merge(layers: list[Layer]) -> LoadedConfig:
    """Return the configuration of some layers over the built-in values; the last wins.

    Raises:
        ConfigError: With every problem that was found.
    """
    values: dict[str, Plain] = {path: setting.default for path, setting in SETTINGS.items()}
    sources = dict.fromkeys(SETTINGS, "built-in")
    problems: list[Problem] = []
    assigned = ((layer.source, *item) for layer in layers for item in layer.values.items())
    for source, path, value in assigned:
        checked = _checked(path, value)
        if not isinstance(checked, Problem):
            values[path], sources[path] = checked, source
            continue
        problems.append(attrs.evolve(checked, message=f"{checked.message} ({source})"))
        if len(problems) == PROBLEMS_MAX:
            break
    if not values["node.p2p_enabled"]:
        values["node.mode"], sources["node.mode"] = "local", sources["node.p2p_enabled"]
    config = _built(values)
    problems += check_together(config)
    if problems:
        raise ConfigError(code=problems[0].code, problems=problems)
    return LoadedConfig(config, values, sources)


def _checked(path: str, value: object) -> Plain | Problem:
    setting = SETTINGS.get(path)
    return unknown(path, SETTINGS) if setting is None else check_value(setting, value)


def _built(values: Mapping[str, Plain]) -> NodeConfig:
    tree: dict[str, Any] = {}
    for path, value in values.items():
        *tables, name = path.split(".")
        table = tree
        for part in tables:
            table = table.setdefault(part, {})
        table[name] = value
    return cattrs.Converter(forbid_extra_keys=True).structure(tree, NodeConfig)


def _profile(chosen: list[Layer]) -> Iterator[Layer]:
    name = "default"
    for layer in chosen:
        name = layer.values.get("node.profile", name)
    if isinstance(name, str) and name in SETTINGS_BY_PROFILE:
        yield Layer(f"profile {name}", SETTINGS_BY_PROFILE[name])


def read_file(file: Path | None) -> Layer:
    """Return the layer of a TOML file; one that does not exist is empty.

    Raises:
        ConfigError: It cannot be read, is too large, or is not TOML.
    """
    if file is None:
        return Layer("no file", {})
    try:
        with file.open("rb") as stream:
            content = stream.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        content = b""
    except OSError as error:
        remedy = "make it a file that this user can read"
        raise config_error(
            "config_unreadable", error.strerror or "unreadable", path=str(file), remedy=remedy
        ) from error
    return read_content(content, file)


def read_content(content: bytes, file: Path) -> Layer:
    """Return the layer that the content of a file is; raises as `read_file`."""
    try:
        values = dict(flat(tomllib.loads(_bounded(content, file).decode())))
    except (ValueError, RecursionError) as error:
        remedy = "compare it with `wattswarm config default`"
        raise config_error(
            "config_not_toml", f"it is not valid TOML: {error}", path=str(file), remedy=remedy
        ) from error
    return Layer(f"file {file}", values)


def _bounded(content: bytes, file: Path) -> bytes:
    """Return the content if parsing it is cheap: a dotted key costs the square of its length."""
    line_bytes = max(map(len, content.split(b"\n")))
    if len(content) <= FILE_BYTES_MAX and line_bytes <= LINE_BYTES_MAX:
        return content
    raise config_error(
        "config_too_large",
        f"it exceeds {FILE_BYTES_MAX} bytes, or a line of it {LINE_BYTES_MAX}",
        path=str(file),
        remedy="keep only the settings that differ from `wattswarm config default`",
    )


TABLES: Final = frozenset(
    path.rsplit(".", depth)[0] for path in SETTINGS for depth in range(1, path.count(".") + 1)
)


def flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield (path, value) of every value in nested tables."""
    for key, value in table.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and (path in TABLES or (value and path not in SETTINGS)):
            yield from flat(cast("dict[str, object]", value), f"{path}.")
        else:
            yield path, value


def read_environment(environment: Mapping[str, str]) -> Iterator[Layer]:
    """Yield one layer for each variable that sets something, so that its name can be told."""
    for name in sorted(environment):
        path = NAMED.get(name) or _variable_path(name)
        if path:
            yield Layer(f"environment {name}", {path: from_text(path, environment[name])})


def _variable_path(name: str) -> str:
    rest = name.removeprefix(PREFIX)
    return rest.lower().replace("__", ".") if rest != name and "__" in rest else ""


def _flag_layers(flags: Mapping[str, object]) -> Iterator[Layer]:
    for path, value in flags.items():
        read = from_text(path, value) if isinstance(value, str) else value
        yield Layer(f"flag {path}", {path: read})


def from_text(path: str, word: str) -> object:
    """Return a text as a value of the setting's kind; unchanged when it cannot be one."""
    setting = SETTINGS.get(path)
    kind = str if setting is None else setting.kind
    if kind is bool:
        return SWITCH_WORDS.get(word.strip().lower(), word)
    if kind is int:
        digits = word.strip().replace("_", "")
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else word
    if kind is tuple:
        return tuple(item.strip() for item in word.split(",") if item.strip())
    return word
