"""A node with a fault armed from its first moment: `python -m wattswarm.chaos.first_start`.

There are points that a node passes once in its life, long before its API could arm anything.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from wattswarm.actors.runtime.rule import Fault, FaultRule
from wattswarm.config.load import load
from wattswarm.config.state_dir import StateDir
from wattswarm.node import run
from wattswarm.telemetry.log import configure


def main(arguments: Sequence[str]) -> int:
    """Run a node until it is told to stop, and return its exit status."""
    parser = argparse.ArgumentParser(prog="wattswarm.chaos.first_start")
    parser.add_argument("--state-dir", required=True, type=Path)
    parser.add_argument("--fault", required=True, type=Fault)
    parser.add_argument("--actor", required=True)
    parser.add_argument("--point", required=True)
    parser.add_argument("--duration-ms", type=int, default=0)
    options = parser.parse_args(arguments)
    state = StateDir(options.state_dir)
    loaded = load(state.config_path, dict(os.environ))
    configure(level=loaded.config.log.level, style=loaded.config.log.format)
    rule = FaultRule(
        fault=options.fault,
        target=options.actor,
        point=options.point,
        nth=1,
        times=1,
        duration_s=options.duration_ms / 1_000 or None,
    )
    return run(loaded, state, (rule,))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
