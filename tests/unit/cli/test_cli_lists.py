"""The lists of commands tell of each what its own help begins with."""

import inspect
from collections.abc import Mapping
from types import ModuleType

import pytest
from cyclopts import App

from wattswarm.cli import market, statement
from wattswarm.cli.governance import STATEMENT_WORDS
from wattswarm.cli.governance import app as governance
from wattswarm.cli.task import CREATORS_WORDS
from wattswarm.cli.task import app as task


@pytest.mark.parametrize(
    ("words", "home"), [(STATEMENT_WORDS, statement), (CREATORS_WORDS, market)]
)
def test_commands_of_other_files_are_listed_with_their_own_first_line(
    words: Mapping[str, str], home: ModuleType
) -> None:
    for name, line in words.items():
        told = inspect.getdoc(getattr(home, name))
        assert told is not None
        assert told.partition("\n")[0] == line


@pytest.mark.parametrize(
    ("words", "group"),
    [(STATEMENT_WORDS, governance), (CREATORS_WORDS, task)],
    ids=["governance", "task"],
)
def test_the_list_of_commands_shows_these_lines(
    words: Mapping[str, str], group: App, capsys: pytest.CaptureFixture[str]
) -> None:
    group.help_print([])
    listed = capsys.readouterr().out
    for line in words.values():
        assert " ".join(line.split()[:4]) in listed
