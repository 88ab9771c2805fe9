"""What the groups say of their commands."""

import re

import pytest

from wattswarm.cli.main import GROUPS, exit_code

WITH_COMMANDS = [name for name, target, _ in GROUPS if target.endswith(":app")]


@pytest.mark.parametrize("group", WITH_COMMANDS)
def test_a_group_says_what_each_of_its_commands_does(
    group: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code([group, "--help"]) == 0
    lines = capsys.readouterr().out.partition("Commands")[2].splitlines()
    told = [re.match(r"│ ([a-z-]+) +(\S?)", line) for line in lines]
    commands = {found[1]: found[2] for found in told if found is not None}
    assert commands
    assert [name for name, first in commands.items() if first in ("", "│")] == []
