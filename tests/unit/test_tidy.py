"""House rules that no linter knows: names, SQL, documents, and what a public tree may not say."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from wattswarm.cli.main import app

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "wattswarm"

BANNED_NAMES = {"manager", "helper", "helpers", "util", "utils", "common", "misc"}
SQL = re.compile(r"^\s*(select\s.+\sfrom|insert\s+into|update\s+\S+\s+set|delete\s+from)\s", re.I)
MACHINE = re.compile(r"(?<![\w.])/(?:wor[k]|roo[t]|home)/")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE_PATH = re.compile(r"`((?:docs|wattswarm|tests|bench|scripts|examples|config)/[\w./-]*[a-z/])`")


def sources() -> Iterator[Path]:
    yield from PACKAGE.rglob("*.py")


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False
    ).stdout.decode()
    found = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in found if path.is_file()] or [
        path for path in ROOT.rglob("*.md") if ".venv" not in path.parts
    ]


def test_no_module_is_named_for_what_it_is_not() -> None:
    assert [path for path in sources() if path.stem in BANNED_NAMES] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in sources() if ast.get_docstring(ast.parse(path.read_text())) is None]
    assert silent == []


def test_sql_is_written_in_sql_files_only() -> None:
    found = [
        (path.relative_to(ROOT), node.value[:60])
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if SQL.match(node.value)
    ]
    assert found == []


def test_bugs_are_caught_at_the_boundary_of_an_actor_and_nowhere_else() -> None:
    """`except Exception` belongs to the actor runtime."""
    found = [
        path.relative_to(ROOT)
        for path in sources()
        if not path.is_relative_to(PACKAGE / "actors" / "runtime")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
        if node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception")
    ]
    assert found == []


def test_every_limit_is_used() -> None:
    limits = PACKAGE / "kernel" / "limits.py"
    names = {
        node.target.id
        for node in ast.walk(ast.parse(limits.read_text()))
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    used = {
        word
        for path in (*sources(), *(ROOT / "tests").rglob("*.py"))
        if path != limits
        for word in re.findall(r"\b[A-Z][A-Z0-9_]+\b", path.read_text())
    }
    inside = re.findall(r"\b[A-Z][A-Z0-9_]+\b", limits.read_text())
    assert {name for name in names if name not in used and inside.count(name) < 2} == set()


DOCUMENTS = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS]
)
def test_links_and_paths_of_documents_lead_somewhere(document: Path) -> None:
    text = document.read_text()
    links = [link for link in LINK.findall(text) if "://" not in link]
    broken = [link for link in links if not (document.parent / link).exists()]
    missing = [path for path in CODE_PATH.findall(text) if not list(ROOT.glob(path.rstrip("/.")))]
    assert broken + missing == []


def test_every_file_on_the_map_of_the_architecture_is_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    known = {path.relative_to(PACKAGE).as_posix() for path in sources()}
    named = set(re.findall(r"[a-z_/]+\.py\b", text))
    assert named
    assert [
        name for name in named if not any(f"/{path}".endswith(f"/{name}") for path in known)
    ] == []


def test_every_command_that_is_spoken_of_exists() -> None:
    words = re.compile(r"`wattswarm(?: --json)? ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?")
    spoken: set[tuple[str, str]] = set()
    for path in [*sources(), *(each for each in tracked() if each.suffix == ".md")]:
        spoken |= set(words.findall(path.read_text()))
    unknown = [words for words in spoken if not _is_command(*words)]
    assert ("log", "verify") in spoken
    assert unknown == []


def _is_command(group: str, command: str) -> bool:
    if group not in app:
        return False
    names = [name for name in app[group] if not name.startswith("-")]
    return not command or not names or command in names


def test_no_file_speaks_of_the_machine_it_was_written_on() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        if MACHINE.search(text):
            found.append(path.relative_to(ROOT))
    assert found == []


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[<>=~!,]", each)[0].lower().replace("_", "-") for each in wanted}
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    assert names - pinned == set()
    assert "://" not in (ROOT / "constraints.txt").read_text()
