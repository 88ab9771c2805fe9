"""What operators may ask of a group of actors, the same whether it lives here or in a worker."""

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from wattswarm.actors.runtime.atlas import Atlas
from wattswarm.actors.runtime.control import (
    ArmOne,
    Command,
    Disarm,
    InspectOne,
    ResizeOne,
    RestartOne,
    StatsOf,
    SuspendOne,
    TuneOne,
)
from wattswarm.actors.runtime.group import LocalGroup
from wattswarm.actors.runtime.stats import ActorStats


async def carry_out(command: Command, group: LocalGroup, atlas: Atlas) -> object:
    """Do what a command says in this process, and return what it is answered with.

    Raises:
        OutOfRange: A dial does not go there. LookupError: No such actor lives here.
    """
    match command:
        case StatsOf():
            return group.stats()
        case TuneOne(actor, dial, value):
            return group.tune(actor, dial, value)
        case RestartOne(actor):
            return group.restart(actor)
        case SuspendOne(actor, is_suspended):
            return group.suspend(actor, is_suspended)
        case InspectOne(actor):
            return plain(await group.inspect(actor))
        case ArmOne(number, rule):
            return atlas.services.faults.arm(number, rule)
        case Disarm(number):
            return atlas.services.faults.disarm(number)
        case ResizeOne(actor, instances, args):
            child = atlas.resize(actor, instances, args)
            if any(one.id == actor for one in group.spec.children):
                await group.resize(child)
            return None


def stats_from(value: object) -> list[ActorStats]:
    """Return readings that came from a worker as maps."""
    return msgspec.convert(value, list[ActorStats])


def plain(value: object) -> object:
    """Return a value as maps, lists, texts, numbers and truths; anything else as text."""
    match value:
        case Mapping():
            items = cast("Mapping[object, object]", value).items()
            return {str(name): plain(item) for name, item in items}
        case list() | tuple():
            return [plain(item) for item in cast("Sequence[object]", value)]
        case bool() | int() | float() | None:
            return value
        case _:
            return str(value)
