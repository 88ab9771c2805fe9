"""What must hold of a tree before anything of it is started."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from wattswarm.actors.runtime.spec import INSTANCES_MAX, ROOT, ChildSpec, TreeSpec


def problems_of(tree: TreeSpec) -> tuple[str, ...]:
    """Return every reason why the tree cannot be run, as sentences; nothing if it can."""
    children = [child for _, child in tree.children()]
    names = {child.id for child in children}
    return (
        *_repeated("actor", [child.id for child in children]),
        *_repeated("group", [group.name for group in tree.groups]),
        *_reserved(tree),
        *(sentence for child in children for sentence in _unknown_names(child, names)),
        *(sentence for child in children for sentence in _out_of_bounds(child)),
        *_cycles({child.id: child.asks for child in children}),
    )


def _repeated(what: str, names: list[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"the {what} {name} is listed {count} times"


def _reserved(tree: TreeSpec) -> Iterator[str]:
    for group in tree.groups:
        if group.placement == "worker" and group.name == ROOT:
            yield f"no worker can be called {ROOT}"
        for child in group.children:
            if "/" in child.id:
                yield f"the actor {child.id} has a slash in its name: those are for instances"


def _unknown_names(child: ChildSpec, names: set[str]) -> Iterator[str]:
    for name in (*child.talks_to, *child.asks):
        if name.partition("/")[0] not in names:
            yield f"{child.id} talks to {name}, which is not in the tree"


def _out_of_bounds(child: ChildSpec) -> Iterator[str]:
    counts = {
        "inbox.capacity": child.inbox.capacity,
        "concurrency": child.concurrency,
        "batch": child.batch,
        "burst": child.burst,
        "instances": child.instances,
    }
    for name, count in counts.items():
        if count < 1:
            yield f"{child.id}: {name} is {count}, at least 1 is needed"
    if child.instances > INSTANCES_MAX:
        yield f"{child.id}: {child.instances} instances, at most {INSTANCES_MAX} are possible"
    if child.batch > 1 and child.concurrency > 1:
        yield f"{child.id}: batch and concurrency cannot both be above 1"
    for name, value in child.args.items():
        if not _is_plain(value):
            yield f"{child.id}: the argument {name} is no plain value"
    if ":" not in child.actor:
        yield f"{child.id}: {child.actor} is no import path of the form package.module:Class"


def _is_plain(value: object) -> bool:
    match value:
        case None | bool() | int() | float() | str() | bytes():
            return True
        case list() | tuple():
            return all(_is_plain(item) for item in cast("Iterable[object]", value))
        case Mapping():
            items = cast("Mapping[object, object]", value).items()
            return all(isinstance(key, str) and _is_plain(item) for key, item in items)
        case _:
            return False


def _cycles(asks: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Two actors that ask each other wait for each other: one sentence per cycle found."""
    finished: set[str] = set()
    for start in asks:
        path = _cycle_from(start, asks, finished, [])
        if path:
            yield "asks go round in a circle: " + " → ".join(path)
            return


def _cycle_from(
    name: str, asks: Mapping[str, tuple[str, ...]], finished: set[str], path: list[str]
) -> list[str]:
    if name in path:
        return [*path[path.index(name) :], name]
    if name in finished:
        return []
    for target in asks.get(name, ()):
        if found := _cycle_from(target.partition("/")[0], asks, finished, [*path, name]):
            return found
    finished.add(name)
    return []
