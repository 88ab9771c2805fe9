"""Tasks that wait for places."""

from wattswarm.actors.dispatch.queue import ANY, PlaceQueue
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import EventId, TaskId

TASKS: list[TaskId] = [EventId(digest(Context.DIGEST, bytes([index]))) for index in range(6)]


def test_as_many_tasks_are_admitted_as_places_are_free_in_the_order_in_which_they_came() -> None:
    queue = PlaceQueue()
    for task_id in TASKS:
        queue.wait(task_id, "one")
    assert list(queue.admit(lambda _: 2)) == TASKS[:2]
    assert list(queue.admit(lambda _: 9)) == TASKS[2:]
    assert len(queue) == 0


def test_a_task_waits_once_however_often_it_asks() -> None:
    queue = PlaceQueue()
    queue.wait(TASKS[0], "one")
    queue.wait(TASKS[1], "one")
    queue.wait(TASKS[0], "one")
    assert list(queue.admit(lambda _: 9)) == TASKS[:2]


def test_a_full_executor_holds_up_nobody_who_waits_for_another() -> None:
    queue = PlaceQueue()
    queue.wait(TASKS[0], "full")
    queue.wait(TASKS[1], "free")
    queue.wait(TASKS[2])
    places = {"full": 0, "free": 1, ANY: -1}
    assert list(queue.admit(places.__getitem__)) == [TASKS[1]]
    assert len(queue) == 2
