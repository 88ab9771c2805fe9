"""The kill matrix: every fault at every point of every actor of real nodes under load.

A round is split over a few nodes that run side by side, since much of it is waiting. After each
fault a node has to take up work again by itself; at the end of a round every invariant is checked
against what is left of each node. The same seed gives the same faults in the same order.
"""

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final

import attrs
import trio

from wattswarm.actors.runtime.actor import points_of
from wattswarm.actors.runtime.services import load
from wattswarm.actors.runtime.spec import ROOT
from wattswarm.chaos.beginnings import Beginnings
from wattswarm.chaos.cases import Case, Drive, Kind, Step, matrix
from wattswarm.chaos.invariants import Invariant
from wattswarm.chaos.lane import open_lane
from wattswarm.chaos.outcome import Tally, document, report
from wattswarm.chaos.subject import COMPACT, LIMITS, NodeGaveUp
from wattswarm.config.load import load as load_config
from wattswarm.config.state_dir import StateDir
from wattswarm.node.tree import tree

LANES: Final = 2
"""Nodes with worker processes that run side by side, beside one that is one process."""

STEPS_PER_LANE: Final = 6
"""With fewer faults than this a further node is not worth its start."""

SEED_BITS: Final = 32
NO_SETTINGS: Final[Mapping[str, int | str]] = {}
PREFIX: Final = "ws-"


def main(rounds: int, seed: int | None, only: str | None, as_json: bool) -> int:
    """Run the matrix and return 0 when every fault struck and nothing was violated, else 1.

    Args:
        rounds: How often the whole matrix runs, in another order each time.
        seed: Of the orders and the loads; a fresh one when None.
        only: Only faults whose name holds this text.
        as_json: Whether the outcome goes to stdout as one JSON document; progress is on stderr.
    """
    chosen = Random().getrandbits(SEED_BITS) if seed is None else seed
    tally = Tally(_tell)
    _tell(f"kill matrix, seed {chosen}: again with `--seed {chosen}`")
    duration_s = trio.run(_rounds, rounds, chosen, only, tally)
    found = document(
        tally, rounds=rounds, seed=chosen, points=len(_places(only)), duration_s=duration_s
    )
    sys.stdout.write(json.dumps(found) + "\n" if as_json else report(found))
    return 0 if tally.is_clean else 1


async def _rounds(rounds: int, seed: int, only: str | None, tally: Tally) -> float:
    """Run all rounds and return how long they took, in seconds."""
    began = trio.current_time()
    plans = [matrix(points(), _dice(seed, number), only) for number in range(rounds)]
    tally.planned = sum(map(len, plans))
    for number, plan in enumerate(plans):
        with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
            await Round(folder=Path(folder), seed=seed, number=number, tally=tally).run(plan)
    return trio.current_time() - began


@attrs.frozen(kw_only=True)
class Round:
    """One round in a directory of its own."""

    folder: Path
    seed: int
    number: int
    tally: Tally

    async def run(self, plan: Sequence[Step]) -> None:
        """Strike all faults of the plan, on several nodes at a time."""
        shares = share(plan)
        async with trio.open_nursery() as nursery:
            if shares.first_starts:
                nursery.start_soon(self._beginnings, shares.first_starts)
            if shares.compact:
                nursery.start_soon(self._lane, "c", shares.compact, COMPACT)
            lanes = min(LANES, -(-len(shares.rest) // STEPS_PER_LANE))
            for lane in range(lanes):
                nursery.start_soon(self._lane, str(lane), shares.rest[lane::lanes], NO_SETTINGS)

    async def _lane(
        self, name: str, steps: Sequence[Step], settings: Mapping[str, int | str]
    ) -> None:
        dice = _dice(self.seed, self.number, name)
        try:
            async with open_lane(self._folder(name), dice, self.tally, settings) as lane:
                await lane.run(steps)
        except NodeGaveUp as error:
            self.tally.violation(Invariant.ALIVE, f"the node of lane {name} ended: {error}")

    async def _beginnings(self, cases: Sequence[Case]) -> None:
        await Beginnings(folder=self._folder("first"), tally=self.tally).run(cases)

    def _folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        return folder


@attrs.define
class Shares:
    """A plan by the kind of node that each fault strikes, in the order of the plan."""

    first_starts: list[Case] = attrs.field(factory=list[Case])
    compact: list[Step] = attrs.field(factory=list[Step])
    rest: list[Step] = attrs.field(factory=list[Step])


def share(plan: Sequence[Step]) -> Shares:
    """Return the plan by nodes.

    What kills or stops the root process strikes a node that is one process, which is up again
    soonest; but for each actor and fault the first one strikes a node with workers.
    """
    shares = Shares()
    seen: set[tuple[str, Kind]] = set()
    for step in plan:
        if not isinstance(step, Case):
            shares.rest.append(step)
        elif step.drive is Drive.FIRST_START:
            shares.first_starts.append(step)
        elif step.is_in_root and (step.actor, step.kind) in seen:
            shares.compact.append(step)
        else:
            seen.add((step.actor, step.kind))
            shares.rest.append(step)
    return shares


def points() -> Sequence[tuple[str, str, str]]:
    """Return every fault point of a node under test: actor, name, and where the actor lives."""
    environ = {f"WATTSWARM_{name}": str(value) for name, value in LIMITS.items()}
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        state = StateDir(Path(folder))
        spec = tree(load_config(state.config_path, environ), state, state.key())
    return [
        (child.id, point, ROOT if group.placement == ROOT else group.name)
        for group, child in spec.children()
        for point in points_of(load(child.actor))
    ]


def _places(only: str | None) -> frozenset[str]:
    plan = matrix(points(), Random(0), only)
    return frozenset(step.place for step in plan if isinstance(step, Case))


def _dice(*parts: int | str) -> Random:
    return Random("/".join(map(str, parts)))


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
