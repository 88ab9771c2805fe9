"""SQL lives in files; this reads them. A query is named by a comment: `-- name: fence`.

Queries are bytes, never text: what is built in Python does not get past the type checker.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "sql"
MARK: Final = "-- name: "


def may_match(values: Iterable[object]) -> bool:
    """Tell whether rows can have these values: the server has no text with U+0000, nor takes it."""
    return not any(isinstance(value, str) and "\0" in value for value in values)


def load(name: str, folder: Path = FOLDER / "queries") -> Mapping[str, bytes]:
    """Return the named queries of `<name>.sql`."""
    text = (folder / f"{name}.sql").read_text()
    _head, *parts = text.split(MARK)
    found: dict[str, bytes] = {}
    for part in parts:
        title, _, query = part.partition("\n")
        assert title.strip() not in found, (name, title)
        found[title.strip()] = query.strip().encode()
    return found


def script(name: str) -> bytes:
    """Return the whole of `sql/<name>.sql`."""
    return (FOLDER / f"{name}.sql").read_bytes()
