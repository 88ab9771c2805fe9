"""What hostile authors cannot bring about; `python -m tests.hostile` tries many more."""

import random

import pytest

from tests.hostile.__main__ import laws, main
from tests.hostile.stage import stage, tolerated


def test_a_share_of_the_attacks_with_a_fresh_seed(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--histories", "3"])
    printed = capsys.readouterr().out
    assert code == 0, printed
    assert printed.startswith("seed ")
    lines = printed.splitlines()[1:]
    assert [line.split(":")[0] for line in lines] == [law.name for law in laws()]
    assert not any(": 0 checks" in line for line in lines)


@pytest.mark.parametrize(("finalizers", "traitors"), [(3, 0), (4, 1), (5, 1), (6, 1), (7, 2)])
def test_honest_finalizers_are_a_quorum_and_traitors_no_part_of_two(
    finalizers: int, traitors: int
) -> None:
    assert tolerated(finalizers) == traitors


def test_a_seed_gives_one_stage() -> None:
    one, other = (stage(random.Random(3)) for _ in range(2))
    assert one.task.event_id == other.task.event_id
    assert one.traitors == other.traitors
