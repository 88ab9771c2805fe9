"""What users name is asked for by that name, whatever is in it."""

import pytest

from wattswarm.cli.failure import Failure
from wattswarm.cli.segment import segment


@pytest.mark.parametrize(
    ("name", "written"),
    [("3f9c", "3f9c"), ("projection_builder/0", "projection_builder/0"), ("a?b#c", "a%3Fb%23c")],
)
def test_a_name_is_one_part_of_a_path(name: str, written: str) -> None:
    assert segment(name) == written


@pytest.mark.parametrize("name", ["", ".", "..", "../node", "a//b", "a/.."])
def test_what_would_name_something_else_is_refused(name: str) -> None:
    with pytest.raises(Failure) as caught:
        segment(name)
    assert caught.value.code == "usage"
