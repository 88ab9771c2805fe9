"""The kill matrix: every fault at every point of every actor of real nodes under load.

A round is split over a few nodes that run side by side, since much of it is waiting. After each
fault a node has to take up work again by itself; at the end of a round every invariant is checked
against what is left of each node. The same seed gives the same faults in the same order.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

import attrs
import trio

from wattswarm.actors.runtime.rule import GENERIC_POINTS
from wattswarm.actors.runtime.services import load
from wattswarm.actors.runtime.spec import ROOT
from wattswarm.chaos.beginnings import Beginnings
from wattswarm.chaos.cases import Case, Drive, Step, matrix
from wattswarm.chaos.invariants import Invariant
from wattswarm.chaos.lane import open_lane
from wattswarm.chaos.outcome import Tally, document, report
from wattswarm.chaos.subject import LIMITS, NodeGaveUp
from wattswarm.config.load import load as load_config
from wattswarm.config.state_dir import StateDir
from wattswarm.node.tree import tree

LANES: Final = 3
STEPS_PER_LANE: Final = 6
"""With fewer faults than this a further node is not worth its start."""

SEED_BITS: Final = 32
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
        firsts = [step for step in plan if _is_first_start(step)]
        others = [step for step in plan if not _is_first_start(step)]
        lanes = min(LANES, -(-len(others) // STEPS_PER_LANE))
        async with trio.open_nursery() as nursery:
            for lane in range(lanes):
                nursery.start_soon(self._lane, lane, others[lane::lanes])
            if firsts:
                nursery.start_soon(self._beginnings, firsts)

    async def _lane(self, lane: int, steps: Sequence[Step]) -> None:
        folder = self._folder(f"{lane}")
        dice = _dice(self.seed, self.number, lane)
        try:
            async with open_lane(f"lane{lane}", folder, dice, self.tally) as node:
                await node.run(steps)
        except NodeGaveUp as error:
            self.tally.violation(Invariant.ALIVE, f"lane {lane} ended: {error}")

    async def _beginnings(self, steps: Sequence[Step]) -> None:
        cases = [step for step in steps if isinstance(step, Case)]
        await Beginnings(folder=self._folder("first"), tally=self.tally).run(cases)

    def _folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        return folder


def points() -> Sequence[tuple[str, str, str]]:
    """Return every fault point of a node under test: actor, name, and where the actor lives."""
    environ = {f"WATTSWARM_{name}": str(value) for name, value in LIMITS.items()}
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        state = StateDir(Path(folder))
        spec = tree(load_config(state.config_path, environ), state, state.key())
    return [
        (child.id, point, ROOT if group.placement == ROOT else group.name)
        for group, child in spec.children()
        for point in (*load(child.actor).points, *GENERIC_POINTS)
    ]


def _places(only: str | None) -> frozenset[str]:
    plan = matrix(points(), Random(0), only)
    return frozenset(step.place for step in plan if isinstance(step, Case))


def _is_first_start(step: Step) -> bool:
    return isinstance(step, Case) and step.drive is Drive.FIRST_START


def _dice(*parts: int) -> Random:
    return Random("/".join(map(str, parts)))


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
