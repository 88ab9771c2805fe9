"""What makes a value right for its setting, and settings right beside each other."""

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Final, cast

import attrs

from wattswarm.config.errors import Problem
from wattswarm.config.setting import Plain, Setting, type_names
from wattswarm.config.settings import NodeConfig

TEXT_CHARS_MAX: Final = 1_024
PORT_MAX: Final = 65_535
PATH_CHARS_MAX: Final = 100


@attrs.frozen
class Address:
    """Where to listen: a host and a port (0: any free one)."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can reach it."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Tell whether a host name or literal address means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_address(value: str) -> Address | None:
    """Return the address of HOST:PORT, with IPv6 hosts in brackets; None when it is not one."""
    host, colon, port = value.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not colon or not host or not (port.isascii() and port.isdigit()) or len(port) > 5:
        return None
    return Address(host, int(port)) if int(port) <= PORT_MAX else None


def check_value(setting: Setting, value: object) -> Plain | Problem:
    """Return the value as the setting keeps it, or what is wrong with it; types are exact."""
    kept = _frozen(value)
    if type(kept) is not setting.kind:
        return _wrong(setting, f"{shown(value)} is not {type_names[setting.kind]}")
    fault = CHECKS[setting.kind](setting, kept)
    return _wrong(setting, fault) if fault else cast("Plain", kept)


def _frozen(value: object) -> object:
    return tuple(cast("list[object]", value)) if isinstance(value, list) else value


def _check_int(setting: Setting, value: object) -> str:
    number = cast("int", value)
    is_inside = setting.note.least <= number <= setting.note.most
    return "" if is_inside else f"{shown(value)} is outside {setting.range}"


def _check_text(setting: Setting, value: object) -> str:
    word = cast("str", value)
    if len(word) > TEXT_CHARS_MAX or not word.isprintable():
        return f"a text of at most {TEXT_CHARS_MAX} printable characters is expected"
    if setting.note.choices and word not in setting.note.choices:
        return f"{shown(value)} is none of {', '.join(setting.note.choices)}"
    return ""


def _check_texts(setting: Setting, value: object) -> str:
    items = cast("tuple[object, ...]", value)
    if all(type(item) is str and not _check_text(setting, item) for item in items):
        return ""
    return "a list of texts is expected"


CHECKS: Final[Mapping[type, Callable[[Setting, object], str]]] = {
    bool: lambda _setting, _value: "",
    int: _check_int,
    str: _check_text,
    tuple: _check_texts,
}


def _wrong(setting: Setting, message: str) -> Problem:
    remedy = f"give {setting.range}: {setting.note.meaning}"
    return Problem(code="bad_value", path=setting.path, message=message, remedy=remedy)


def shown(value: object) -> str:
    """Return a value as an error may quote it: short, and never a very long number."""
    if type(value) is int and abs(value) >= 2**63:
        return "a number beyond 64 bits"
    if type(value) in (dict, list):
        return "a table" if type(value) is dict else "a list"
    quoted = repr(value)
    return quoted if len(quoted) <= 60 else f"{quoted[:57]}…"


def unknown(path: str, known: Mapping[str, object]) -> Problem:
    """Return the problem of a key that does not exist, with the nearest that does."""
    path = path[:PATH_CHARS_MAX]
    near = get_close_matches(path, known, n=1, cutoff=0.6) or _by_last_part(path, known)
    remedy = f"did you mean {near[0]}?" if near else "`wattswarm config default` lists all settings"
    return Problem(
        code="unknown_setting", path=path, message="there is no such setting", remedy=remedy
    )


def _by_last_part(path: str, known: Mapping[str, object]) -> list[str]:
    ends = {name.rpartition(".")[2]: name for name in known}
    return [ends[end] for end in get_close_matches(path.rpartition(".")[2], ends, n=1, cutoff=0.8)]


def check_together(config: NodeConfig) -> Iterator[Problem]:
    """Yield what is wrong with a configuration whose values are each right."""
    if config.node.mode != "local":
        yield Problem(
            code="mode_unavailable",
            path="node.mode",
            message=f"mode {config.node.mode} needs peers, and this version runs local only",
            remedy="set node.mode to local",
        )
    for name in ("sel_writer", "postgres", "http_api", "executor_dispatcher"):
        if getattr(config.actors, name).instances != 1:
            yield Problem(
                code="bad_value",
                path=f"actors.{name}.instances",
                message="there is one of it",
                remedy="set 1",
            )
    for name in ("postgres", "http_api"):
        if getattr(config.actors, name).placement != "root":
            yield Problem(
                code="bad_value",
                path=f"actors.{name}.placement",
                message="it runs in the node's own process",
                remedy="set root",
            )
    yield from _check_api(config)


def _check_api(config: NodeConfig) -> Iterator[Problem]:
    address = read_address(config.api.listen)
    if address is None:
        yield Problem(
            code="bad_value",
            path="api.listen",
            message=f"{shown(config.api.listen)} is not HOST:PORT",
            remedy="give for example 127.0.0.1:7788",
        )
    elif config.chaos.enabled and not address.is_loopback:
        yield Problem(
            code="chaos_exposed",
            path="chaos.enabled",
            message=f"faults may not be armed while the API listens on {address}",
            remedy="let api.listen be a loopback address, or set chaos.enabled to false",
        )
