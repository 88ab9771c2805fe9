"""The stories of examples/stories go as they say, whatever the delays, or tell what does not."""

import ast
import random
import subprocess
import sys
from pathlib import Path

import pytest

from examples.stories import __main__ as stories
from examples.stories.tale import Tale

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "stories"


@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("name", stories.STORIES)
def test_a_story_goes_as_it_says(name: str, seed: int) -> None:
    said: list[str] = []
    assert stories.perform(name, seed, said.append) is None
    assert f"{name} (seed {seed})" in said[0]
    assert "derive the same digest" in said[-1]


def test_the_same_seed_tells_the_same_story() -> None:
    once: list[str] = []
    again: list[str] = []
    stories.perform("epochs", 7, once.append)
    stories.perform("epochs", 7, again.append)
    assert once == again


def test_a_story_is_told_by_one_command() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "examples.stories", "squatter", "--seed", "5"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("squatter (seed 5): ")
    assert told.stdout.endswith("1 of 1 stories went as they say.\n")


def test_what_does_not_hold_is_told_and_ends_the_command_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def play(tale: Tale, rng: random.Random) -> None:
        tale.tell("Pigs are on the runway.")
        tale.hold(False, "pigs fly.")

    monkeypatch.setattr(stories, "STORIES", {"pigs": play, **stories.STORIES})
    assert stories.main(["pigs", "reuse"]) == 1
    told = capsys.readouterr().out
    assert "It does not hold that pigs fly." in told
    assert told.endswith("1 of 2 stories went as they say.\n")


def test_a_story_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        stories.main(["cinderella"])
    assert ended.value.code == 2
    assert "no story is called cinderella" in capsys.readouterr().err


def test_stories_know_nothing_of_ours_but_the_kernel() -> None:
    named = {
        node.module
        for path in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module is not None
    }
    ours = {name for name in named if name.startswith(("wattswarm", "tests"))}
    assert ours
    assert {name for name in ours if not name.startswith("wattswarm.kernel")} == set()
