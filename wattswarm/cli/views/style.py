"""Colours, short ids, ages and bars: what all views share."""

from collections.abc import Iterable
from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from wattswarm.surface.words import moment

STYLES: Final = {
    **dict.fromkeys(("ok", "ready", "final", "done", "effective", "passed", "closed"), "green"),
    **dict.fromkeys(("approve", "revealed", "plain", "decided"), "green"),
    **dict.fromkeys(("open", "working", "starting", "restarting", "committed"), "cyan"),
    **dict.fromkeys(("warning", "waiting", "suspended", "backing_off", "half_open"), "yellow"),
    **dict.fromkeys(("inconclusive", "read_only", "pending", "lapsed", "expired"), "yellow"),
    **dict.fromkeys(("error", "failed", "degraded", "crashed", "killed", "reject"), "bold red"),
    **dict.fromkeys(("stopped", "void", "quarantined", "unsupported"), "red"),
    **dict.fromkeys(("ignored", "released", "free", "idle"), "dim"),
}
"""Style by word; colour never says what the word does not."""

MARKS: Final = {"ok": "✓", "warning": "!", "error": "✗"}
SHORT: Final = 12
BLOCKS: Final = " ▏▎▍▌▋▊▉█"

S: Final = 1_000
UNITS: Final = ((86_400 * S, "d"), (3_600 * S, "h"), (60 * S, "m"), (S, "s"))


def word(name: str) -> Text:
    """Return a word of ours in its colour."""
    return Text(name, style=STYLES.get(name, ""))


def short(name: str | None) -> Text:
    """Return the beginning of an id, which is enough to name it."""
    return Text("–", "dim") if name is None else Text(name[:SHORT], "magenta")


def table(*columns: str, title: str | None = None, numbers: Iterable[str] = ()) -> Table:
    """Return an empty table; columns of numbers stand to the right."""
    made = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold")
    right = frozenset(numbers)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def paged(made: Table, cursor: str | None) -> Table:
    """Return a table that says where the next page begins, if there is one."""
    if cursor is not None:
        made.caption = f"more with --cursor {cursor}"
    return made


def pairs(*rows: tuple[str, "Text | str"]) -> Table:
    """Return names and values, one pair a line."""
    made = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    made.add_column(style="dim", justify="right")
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(name, value)
    return made


def duration(ms: float) -> str:
    """Return a time span in its largest fitting unit."""
    for size_ms, unit in UNITS:
        if ms >= size_ms:
            return f"{ms / size_ms:.1f}{unit}" if ms < 10 * size_ms else f"{ms / size_ms:.0f}{unit}"
    return f"{ms:.0f}ms"


def micros(us: int) -> str:
    """Return microseconds as people read them."""
    if us < 1_000:
        return f"{us}µs"
    return f"{us / 1_000:.1f}ms" if us < 100_000 else duration(us / 1_000)


def size(size_bytes: int) -> str:
    """Return a size as people read it."""
    if size_bytes < 1_024:
        return f"{size_bytes} B"
    kib = size_bytes / 1_024
    return f"{kib:.1f} KiB" if kib < 1_024 else f"{kib / 1_024:.1f} MiB"


def clock(time: str) -> str:
    """Return the time of day of an RFC 3339 time."""
    return time[11:23]


def between_ms(earlier: str, later: str) -> int:
    """Return the milliseconds from one RFC 3339 time to another."""
    return moment(later) - moment(earlier)


def score(basis_points: int | None) -> str:
    """Return a score in percent."""
    return "–" if basis_points is None else f"{basis_points / 100:.0f}%"


def bar(value: float, most: float, width: int = 10) -> Text:
    """Return a bar for a share; it turns yellow at half and red at nine tenths."""
    share = min(max(value / most, 0.0), 1.0) if most else 0.0
    eighths = round(share * width * 8)
    full, rest = divmod(eighths, 8)
    drawn = "█" * full + (BLOCKS[rest] if full < width else "")
    style = "red" if share >= 0.9 else "yellow" if share >= 0.5 else "green"
    return Text(drawn.ljust(width), style)


def cut(text: str | None, chars: int = 60) -> str:
    """Return the beginning of the first line of a text."""
    line = (text or "").splitlines()[0] if text else ""
    return line if len(line) <= chars else f"{line[: chars - 1]}…"
