"""The memory of answers: bounded, and the least recently used goes first."""

import pytest
import trio

from wattswarm.executors.contract import Progress
from wattswarm.executors.remembered import Key, KeyReused, OnProgress, Remembered, Reply


def _ignore(progress: Progress) -> None:
    del progress


class Works:
    """Counts how often it was done."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.runs = 0

    async def __call__(self, report: OnProgress) -> Reply:
        self.runs += 1
        report(Progress(message="working"))
        return self.reply


async def _ask(memory: Remembered, key: str, works: Works) -> Reply:
    return await memory.reply(Key("execute", key), b"digest", works, _ignore)


async def test_the_least_recently_used_is_forgotten_first(nursery: trio.Nursery) -> None:
    memory, works = Remembered(nursery, entries_max=2), Works(Reply(200, b"{}"))
    for key in ("a", "b", "a", "c", "a", "b"):
        await _ask(memory, key, works)
    assert works.runs == 4  # a, b, c, and b again


async def test_large_answers_are_bounded_in_all(nursery: trio.Nursery) -> None:
    memory, works = Remembered(nursery, bytes_max=10), Works(Reply(200, b"12345678"))
    for key in ("a", "b", "b", "a"):
        await _ask(memory, key, works)
    assert works.runs == 3
    huge = Works(Reply(200, b"12345678901"))
    await _ask(memory, "c", huge)
    await _ask(memory, "c", huge)
    assert huge.runs == 2


async def test_failures_are_forgotten(nursery: trio.Nursery) -> None:
    memory, works = Remembered(nursery), Works(Reply(500, b"{}"))
    await _ask(memory, "a", works)
    assert (await _ask(memory, "a", works)).status == 500
    assert works.runs == 2


async def test_a_key_belongs_to_one_request_and_one_call(nursery: trio.Nursery) -> None:
    memory, works = Remembered(nursery), Works(Reply(200, b"{}"))
    await _ask(memory, "a", works)
    with pytest.raises(KeyReused):
        await memory.reply(Key("execute", "a"), b"other", works, _ignore)
    await memory.reply(Key("verify", "a"), b"other", works, _ignore)
    assert works.runs == 2


async def test_everybody_who_waits_hears_of_progress(nursery: trio.Nursery) -> None:
    memory, works = Remembered(nursery), Works(Reply(200, b"{}"))
    heard: list[str] = []
    async with trio.open_nursery() as askers:
        for name in ("one", "two"):
            askers.start_soon(
                memory.reply,
                Key("execute", "a"),
                b"digest",
                works,
                lambda progress, name=name: heard.append(f"{name} {progress.message}"),
            )
    assert works.runs == 1
    assert sorted(heard) in (["one working"], ["one working", "two working"], ["two working"])
