"""`wattswarm demo`: the main job from start to end on a node of its own, and nothing left."""

import contextlib
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

import wattswarm
from wattswarm.cli.failure import FAILED
from wattswarm.cli.node import GRACE_MS
from wattswarm.cli.session import Here, Session

if TYPE_CHECKING:
    from wattswarm.cli.client import Client
    from wattswarm.cli.processes import Started
    from wattswarm.config.state_dir import StateDir
    from wattswarm.surface.task import TaskView

EXECUTORS: Final = (("one", "textrank"), ("two", "frequency"), ("three", "relevance"))
EXAMPLES: Final = Path(wattswarm.__file__).parents[1] / "examples" / "contracts"
EXAMPLE: Final = EXAMPLES / "summarize_federalist_10.json"
TOGETHER: Final[Mapping[str, Any]] = {
    "independence": "executor",
    "max_concurrency": {"propose": 3, "verify": 3},
    "max_proposers": 3,
    "max_verifiers": 3,
}
"""Three may propose and three verify, none of them its own work."""


@attrs.frozen(kw_only=True)
class DemoResult:
    """How it ended; the last line of `wattswarm demo --json`."""

    state: str
    task_id: str
    decision: str | None
    log_head: int
    log_verified: bool
    projection_digest: str


def demo(
    *,
    contract: str | None = None,
    timeout_s: float = 120.0,
    session: Here,
) -> int:
    """Start a node and three executors, let them work on a document until it is decided, and stop.

    Everything is real and on this machine: a node with its database in a temporary directory,
    three executors as HTTP services, who propose summaries and verify each other's work, a decision
    that is final, the log verified. Nothing is left, unless --state-dir says where to keep it.

    Args:
        contract: Another contract, a JSON file; by default one from examples/.
        timeout_s: Longest wait for the decision.
    """
    from wattswarm.cli.processes import executors

    wanted = read(contract)
    with _place(session) as state, executors(EXECUTORS, state.path) as started:
        for executor in started:
            session.out.note(f"executor {executor.name} ({executor.profile}) at {executor.url}")
        with _node(session, state) as client:
            for executor in started:
                _add(client, executor)
            result = _work(session, client, wanted, timeout_s)
    session.out.note("the executors are stopped")
    session.out.show(result, _told)
    return 0 if result.state == "finalized" and result.log_verified else FAILED


def _add(client: "Client", executor: "Started") -> None:
    from wattswarm.surface.executor import ExecutorView

    body = {"name": executor.name, "base_url": executor.url, "profile": executor.profile}
    client.post(ExecutorView, "/executors", body)


def read(contract: str | None) -> Mapping[str, Any]:
    """Return the contract: a file's, the example's, or the sample where there are no examples."""
    from wattswarm.cli.input_file import read_contract
    from wattswarm.kernel.contract import sample

    if contract is not None:
        return read_contract(contract)
    return read_contract(str(EXAMPLE)) if EXAMPLE.exists() else {**sample(), **TOGETHER}


@contextmanager
def _place(session: Session) -> "Generator[StateDir]":
    """Give the state directory: the one that was asked for, or one that is gone afterwards."""
    from wattswarm.config.state_dir import StateDir

    if session.state_dir is not None:
        session.state.prepare()
        yield session.state
        return
    with tempfile.TemporaryDirectory(prefix="wattswarm-demo-") as directory:
        state = StateDir(Path(directory))
        state.prepare()
        yield state


@contextmanager
def _node(session: Session, state: "StateDir") -> "Generator[Client]":
    """Run a node in the background; it is gone when this ends."""
    from wattswarm.cli.client import Access, open_client
    from wattswarm.cli.launch import start_detached, stop

    config = session.config().config.node
    try:
        node = start_detached(state, ["--set=api.listen=127.0.0.1:0"], deadline_ms=config.start_ms)
        session.out.note(f"node at {node.api_url} (process {node.pid})")
        with open_client(Access(node.api_url, state.known_token())) as client:
            yield client
    finally:
        stop(state, deadline_ms=config.stop_ms + GRACE_MS)
        session.out.note("the node is down")


def _work(
    session: Session, client: "Client", contract: Mapping[str, Any], timeout_s: float
) -> DemoResult:
    from wattswarm.surface.log import Digests, Verified
    from wattswarm.surface.task import Submitted

    submitted = client.post(Submitted, "/tasks", {"contract": contract})
    session.out.note(f"task {submitted.task_id} is submitted")
    state = _follow(session, client, submitted.task_id, timeout_s)
    decision = _decision(session, client, submitted.task_id) if state == "final" else None
    verified = client.post(Verified, "/log/verify")
    session.out.note(f"log: {verified.events} events, verified: {verified.ok}")
    digests = client.get(Digests, "/log/digest", min_seq=verified.head_seq)
    return DemoResult(
        state="finalized" if state == "final" else state,
        task_id=submitted.task_id,
        decision=decision,
        log_head=verified.head_seq,
        log_verified=verified.ok,
        projection_digest=digests.digest,
    )


def _follow(session: Session, client: "Client", task_id: str, timeout_s: float) -> str:
    """Show the task as it goes on, and return the word that it ends with."""
    from wattswarm.cli.watch import follow, screen

    state = "open"
    quiet = contextlib.nullcontext(_progress(session))
    with quiet if not session.out.is_live else screen(session.out) as draw:
        for view in follow(client, task_id, timeout_s=timeout_s):
            draw(view)
            state = view.task.state
    return state


def _progress(session: Session) -> "Callable[[TaskView], None]":
    """Return a function that tells on stderr how far the task is."""

    told: list[str] = []

    def tell(view: "TaskView") -> None:
        row = view.task
        line = (
            f"{row.state}: {row.candidates} candidates, {row.results} results, "
            f"+{row.approvals} −{row.rejections}, {row.events} events"
        )
        if line not in told[-1:]:
            told.append(line)
            session.out.note(line)

    return tell


def _decision(session: Session, client: "Client", task_id: str) -> str:
    from wattswarm.cli.views.task import decision_view
    from wattswarm.surface.task import DecisionView

    decision = client.get(DecisionView, f"/tasks/{task_id}/decision")
    if not session.out.as_json:
        session.out.show(decision, decision_view)
    return decision.candidate_id


def _told(result: DemoResult) -> str:
    return (
        f"{result.state}: the log's {result.log_head} events are "
        f"{'verified' if result.log_verified else 'NOT sound'}, "
        f"projection digest {result.projection_digest}"
    )
