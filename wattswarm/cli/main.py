"""The entry point: global options, the groups, and how a command's end becomes an exit code."""

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, Final

from cyclopts import App, CycloptsError, Parameter

from wattswarm import __version__
from wattswarm.cli.failure import DONE, FAILED, INTERRUPTED, USAGE, Failure, of_error
from wattswarm.cli.output import Output
from wattswarm.cli.session import Session
from wattswarm.kernel.errors import WattSwarmError

HELP: Final = """A node for agent networks: work done, verified and decided, in a log to be checked.

Start a node with `wattswarm up --detach`, or see everything at once with `wattswarm demo`."""

GROUPS: Final = (
    ("up", "wattswarm.cli.node:up", "Start a node; --detach leaves it in the background."),
    ("down", "wattswarm.cli.node:down", "Stop the node and wait until it is gone."),
    ("node", "wattswarm.cli.node:app", "Start, stop and look at the node."),
    ("executors", "wattswarm.cli.executors:app", "Who does the work: add, list, check, remove."),
    ("task", "wattswarm.cli.task:app", "Submit tasks, watch them, and see what was decided."),
    ("knowledge", "wattswarm.cli.knowledge:app", "What was decided: find, compare, export."),
    ("topic", "wattswarm.cli.topic:app", "Post messages on feeds, read, follow, subscribe."),
    (
        "governance",
        "wattswarm.cli.governance:app",
        "Who may do what: show it, change it, sign it with others.",
    ),
    ("log", "wattswarm.cli.log:app", "The event log: show, verify, replay, export, import."),
    (
        "artifacts",
        "wattswarm.cli.artifacts:app",
        "Bodies outside the log: who names them, what may go.",
    ),
    ("actors", "wattswarm.cli.actors:app", "The actors: tree, rates, dials, restarts."),
    ("config", "wattswarm.cli.config:app", "Settings: in force, by default, validated."),
    ("doctor", "wattswarm.cli.doctor:doctor", "What ails the node, and how to mend it."),
    ("demo", "wattswarm.cli.demo:demo", "Three executors work on a document until it is decided."),
    ("chaos", "wattswarm.cli.chaos:app", "Inject faults, and check that nothing is lost."),
    ("completion", "wattswarm.cli.completion:completion", "Print a shell's completion script."),
)

app = App(name="wattswarm", help=HELP, version=__version__)
for _name, _target, _help in GROUPS:
    app.command(_target, name=_name, help=_help)


@app.meta.default
def launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    state_dir: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Run one command.

    Args:
        state_dir: The node's directory (else WATTSWARM_STATE_DIR, else ~/.wattswarm).
        json: Print results as JSON: one document, or one line for each item when streaming.
    """
    out = Output(as_json=json)
    session = Session(out, os.environ, state_dir)
    command, bound, ignored = app.parse_args(tokens, exit_on_error=False, print_error=True)
    try:
        code: int | None = command(*bound.args, **bound.kwargs, **dict.fromkeys(ignored, session))
    except Failure as failure:
        out.failure(failure)
        return failure.exit_code
    except WattSwarmError as error:
        failure = of_error(error)
        out.failure(failure)
        return failure.exit_code
    return DONE if code is None else code


def exit_code(arguments: Sequence[str]) -> int:
    """Return how a call of the command ends."""
    try:
        code: int | None = app.meta(
            arguments, exit_on_error=False, print_error=True, result_action="return_value"
        )
    except CycloptsError:
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read stdout has enough; nothing more may be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return DONE if code is None else code


def main() -> None:
    """Run the command line and exit with its code.

    An order to end is an interrupt, so that what a command started ends with it; `up` deals with
    such orders itself.
    """
    take_orders()
    sys.exit(exit_code(sys.argv[1:]))


def take_orders() -> None:
    """Have an order to end interrupt the command.

    Shells ignore interrupts for what a script runs in the background: orders would be ignored, too.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)
