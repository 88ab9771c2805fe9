"""Many things going wrong at once: every ask still ends in time, and everything comes back."""

import signal
from contextlib import suppress
from random import Random

import attrs
import pytest
import trio

from tests.support.actors import MANY, Forward, Nap, Note, Who, child, running, until
from wattswarm.actors.runtime import (
    ActorError,
    Backoff,
    Fault,
    FaultRule,
    GroupSpec,
    InboxSpec,
    TreeSpec,
)

STORM_S = 3.0
DEADLINE_S = 3.0
SLACK_S = 5.0
"""A busy machine may be late; an ask that is never answered is later still."""

FAST = Backoff(cap_s=0.1)
ACTORS = ("probe", "asker", "local")


def storm_tree() -> TreeSpec:
    probe = child(instances=2, shard_by="key", backoff=FAST, inbox=InboxSpec(capacity=16))
    asker = child("asker", asks=("probe",), concurrency=8, backoff=FAST)
    local = child("local", asks=("probe",), concurrency=4, backoff=FAST)
    groups = (
        GroupSpec(name="a", children=(probe,)),
        GroupSpec(name="b", children=(asker,)),
        GroupSpec(name="c", children=(local,), placement="root"),
    )
    groups = tuple(
        attrs.evolve(group, restarts=MANY, intensity=MANY, backoff=FAST) for group in groups
    )
    return TreeSpec(groups=groups, intensity=MANY)


async def strike(tree, dice: Random, number: int) -> None:
    """Do one of the things that a nemesis or an operator may do."""
    channel = dice.choice([Fault.DROP, Fault.DUPLICATE, Fault.REORDER, Fault.DELAY])
    point = dice.choice(["handle.*", "recover.*"])
    match dice.randrange(8):
        case 0:
            tree.kill(dice.choice("ab"), signal.SIGKILL)
        case 1:
            tree.pause(dice.choice("ab"), dice.random() / 2)
        case 2:
            odds = {"probability": 0.2, "duration_s": 0.02, "expires_s": 0.5, "seed": number}
            await tree.arm(FaultRule(fault=channel, target="*", **odds))
        case 3:
            nth = dice.randrange(1, 50)
            await tree.arm(FaultRule(fault=Fault.CORRUPT, target="p*", nth=nth, expires_s=1))
        case 4:
            odds = {"probability": 0.05, "expires_s": 0.4, "seed": number}
            await tree.arm(FaultRule(fault=Fault.CRASH, target="*", point=point, **odds))
        case 5:
            await tree.resize("probe", dice.randrange(1, 5))
        case 6:
            await tree.restart(dice.choice(ACTORS))
        case _:
            tree.restart_group(dice.choice("ab"))


@pytest.mark.parametrize("seed", range(2))
async def test_a_storm_passes(seed):
    answered = 0
    late = []
    async with running(storm_tree(), chaos_enabled=True) as tree:
        end = trio.current_time() + STORM_S

        async def nemesis():
            dice, number = Random(seed), 0
            while trio.current_time() < end:
                number += 1
                with suppress(ActorError):
                    await strike(tree, dice, number)
                await trio.sleep(dice.random() / 4)

        async def ask(number):
            nonlocal answered
            dice = Random(number)
            while trio.current_time() < end:
                inner = Nap(0.001, key=str(dice.randrange(9)))
                name = dice.choice(ACTORS)
                msg = (
                    inner if name == "probe" or dice.random() < 0.9 else Forward("probe", inner, 1)
                )
                began = trio.current_time()
                with suppress(ActorError):
                    await tree.ref(name).ask(msg, deadline_s=DEADLINE_S)
                    answered += 1
                if trio.current_time() - began > DEADLINE_S + SLACK_S:
                    late.append((name, msg))

        async def tell(number):
            while trio.current_time() < end:
                with trio.move_on_after(0.05):
                    await tree.ref(ACTORS[number]).tell(Note("x", key=str(number)))
                await trio.sleep(0.002)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(nemesis)
            for number in range(8):
                nursery.start_soon(ask, number)
            for number in range(len(ACTORS)):
                nursery.start_soon(tell, number)
        await tree.disarm()
        assert late == []
        assert answered > 0
        for name in ACTORS:
            await until(lambda name=name: answers(tree, name), within_s=30)


async def answers(tree, name):
    try:
        await tree.ref(name).ask(Who(), deadline_s=2)
    except ActorError:
        return False
    return True
