"""In which order executors are offered to the roster."""

from wattswarm.actors.dispatch.clients import in_order
from wattswarm.kernel.duty import ExecutorOffer
from wattswarm.kernel.ids import EventId

OFFERS = [ExecutorOffer(name=name, provider="p", model=f"m-{name}") for name in "abc"]
STANDING = {"m-a": -5, "m-b": 9}


def order(task: int, *free: str, standing: dict[str, int] = STANDING) -> list[str]:
    found = in_order(
        EventId(bytes([task]) * 32), OFFERS, {*free}, lambda _, model: standing.get(model, 0)
    )
    return [offer.name for offer in found]


def test_whose_word_held_more_often_comes_first() -> None:
    assert {tuple(order(task, *"abc")) for task in range(20)} == {("b", "c", "a")}


def test_a_free_place_comes_before_a_good_name() -> None:
    assert {tuple(order(task, "a")) for task in range(20)} == {("a", "b", "c")}


def test_tasks_spread_over_executors_that_stand_alike() -> None:
    assert len({order(task, *"abc", standing={})[0] for task in range(50)}) == 3
