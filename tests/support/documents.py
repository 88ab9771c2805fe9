"""The tables in docs/operating that are made from the code: `python -m tests.support.documents`."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from cyclopts import App

from wattswarm.api.openapi import documented_path
from wattswarm.api.problems import STATUS_BY_CODE, STATUS_OF_REJECTION
from wattswarm.api.routes import OPERATIONS
from wattswarm.cli.failure import EXIT_BY_CODE
from wattswarm.cli.main import app
from wattswarm.config.document import toml_value
from wattswarm.config.load import NAMED
from wattswarm.config.setting import sections
from wattswarm.config.settings import NodeConfig
from wattswarm.telemetry.metrics import METRICS

DOCS: Final = Path(__file__).parents[2] / "docs" / "operating"
TABLE: Final = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rows_of(*header: str, rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    lines = [_row(header), _row("---" for _ in header), *map(_row, rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _code(text: str) -> str:
    return f"`{text}`"


def commands() -> str:
    """Return every command with what it does."""
    return rows_of("Command", "What it does", rows=_commands(app, ()))


def _commands(group: App, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name in group:
        if name.startswith("-"):
            continue
        command = group[name]
        if command.default_command is None:
            yield from _commands(command, (*path, name))
        else:
            doc = command.default_command.__doc__ or ""
            yield _code(" ".join((*path, name))), doc.splitlines()[0]


def settings() -> str:
    """Return every setting with its default, range and meaning."""
    rows = [
        (_code(item.path), _code(toml_value(item.default)), item.range, item.note.meaning)
        for _, _, table in sections(NodeConfig())
        for item in table
        if not item.path.startswith(("actors.", "groups."))
    ]
    return rows_of("Setting", "Default", "Range", "Meaning", rows=rows)


def per_actor() -> str:
    """Return the settings that every actor has, with the defaults of each actor."""
    return _per("actors", "actors.postgres")


def per_group() -> str:
    """Return the settings that every worker process has, with the defaults of each."""
    return _per("groups", "groups.log")


def _per(of: str, first: str) -> str:
    tables = {
        path.partition(".")[2]: table
        for path, _, table in sections(NodeConfig())
        if path.startswith(f"{of}.")
    }
    one = tables[first.partition(".")[2]]
    rows = [
        (
            _code(item.path.rpartition(".")[2]),
            item.range,
            item.note.meaning,
            *(toml_value(table[index].default).strip('"') for table in tables.values()),
        )
        for index, item in enumerate(one)
    ]
    return rows_of("Setting", "Range", "Meaning", *tables, rows=rows)


def variables() -> str:
    """Return the variables of the environment that have names of their own."""
    rows = [(_code(name), _code(path)) for name, path in NAMED.items()]
    return rows_of("Variable", "Setting", rows=rows)


def exit_codes() -> str:
    """Return which problem codes end a command with which exit code."""
    by_exit: dict[int, list[str]] = {}
    for code, number in EXIT_BY_CODE.items():
        by_exit.setdefault(number, []).append(_code(code))
    rows = [(number, ", ".join(codes)) for number, codes in sorted(by_exit.items())]
    return rows_of("Exit code", "Codes", rows=rows)


def routes() -> str:
    """Return every operation of the API."""
    rows = [
        (
            _code(f"{item.method} {documented_path(item)}"),
            item.summary,
            ", ".join(_code(parameter.name) for parameter in item.parameters),
            ", ".join(map(_code, item.codes)),
        )
        for item in OPERATIONS
    ]
    return rows_of("Route", "What it does", "Query", "Refusals", rows=rows)


def statuses() -> str:
    """Return the HTTP status of every code that has one of its own."""
    by_status: dict[int, list[str]] = {}
    for code, status in STATUS_BY_CODE.items():
        by_status.setdefault(int(status), []).append(_code(code))
    rows: list[tuple[object, str]] = [
        (status, ", ".join(codes)) for status, codes in sorted(by_status.items())
    ]
    rows.append((int(STATUS_OF_REJECTION), "every other refusal by a rule"))
    return rows_of("Status", "Codes", rows=rows)


def metrics() -> str:
    """Return every metric."""
    rows = [(_code(item.name), item.kind, ", ".join(item.labels), item.meaning) for item in METRICS]
    return rows_of("Metric", "Kind", "Labels", "Meaning", rows=rows)


TABLES: Final[Mapping[str, Callable[[], str]]] = {
    made.__name__: made
    for made in (
        commands,
        settings,
        per_actor,
        per_group,
        variables,
        exit_codes,
        routes,
        statuses,
        metrics,
    )
}


def current(text: str) -> str:
    """Return a document with its tables made anew."""
    return TABLE.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}{found[3]}", text)


def main() -> None:
    """Make the tables of every document anew."""
    for path in sorted(DOCS.glob("*.md")):
        path.write_text(current(path.read_text()))
        sys.stdout.write(f"{path.name}\n")


if __name__ == "__main__":
    main()
