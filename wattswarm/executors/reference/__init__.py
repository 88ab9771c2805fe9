"""The reference executor: real extractive work on real text, offline, the same every time.

Task types: `summarize` (sentences of the source, by the method that the profile names) and
`keywords` (phrases of the source). Inputs: `document` (or `text`, or `prompt`), and bounds
`max_sentences`, `max_chars`, `max_keywords`. Its `/verify` makes again what can be made again.

Asked to decide with an earlier answer to the same question at hand, it examines that as it would
any candidate, and gives it again if it holds; else it does the work. What was rejected it does not
give again.
"""

from collections.abc import Sequence
from typing import Final

from wattswarm.executors.abilities import Report
from wattswarm.executors.contract import (
    ExecuteAnswer,
    ExecuteRequest,
    InlineEvidence,
    Progress,
)
from wattswarm.executors.fields import write
from wattswarm.executors.reference.document import Unsuitable
from wattswarm.executors.reference.earlier import digest_of, repeatable
from wattswarm.executors.reference.summary import METHODS
from wattswarm.executors.reference.task import TASK_TYPES, output
from wattswarm.executors.reference.verification import judge
from wattswarm.executors.refusal import WorkRefused
from wattswarm.executors.sdk import Executor
from wattswarm.executors.seed import read_seed

PROFILES: Final = tuple(METHODS)
PROVIDER: Final = "wattswarm-reference"


def reference_executor(
    name: str = "reference", profiles: Sequence[str] = PROFILES, *, threads: int = 2
) -> Executor:
    """Return an executor that offers the named methods as profiles.

    Raises:
        WorkRefused: A profile is none of our methods.
    """
    unknown = sorted(set(profiles) - METHODS.keys())
    if unknown or not profiles:
        raise WorkRefused(f"no such profile: {', '.join(unknown)}; there are {', '.join(METHODS)}")
    executor = Executor(
        name=name,
        task_types=TASK_TYPES,
        profiles=tuple(profiles),
        provider_family=PROVIDER,
        model_id=",".join(profiles),
        threads=threads,
    )
    executor.execute(work)
    executor.verify(judge)
    return executor


def work(request: ExecuteRequest, report: Report) -> ExecuteAnswer:
    """Return the output for a request, with how it was made as evidence."""
    report(Progress(message=f"{request.task_type} by {request.profile}", fraction=0.0))
    seed = read_seed(request.seed_bundle)
    try:
        earlier = repeatable(request, seed)
        made = earlier or output(request.task_type, request.profile, request.inputs)
    except Unsuitable as error:
        raise WorkRefused(str(error), code="unsuitable_inputs") from error
    if digest_of(made) in seed.must_avoid:
        raise WorkRefused("the only output that this method gives was rejected before")
    report(Progress(message="done" if earlier is None else "holds still", fraction=1.0))
    trace = {name: made[name] for name in ("method", "source", "check_summary")}
    if earlier is not None and seed.exact is not None:
        trace["repeats"] = seed.exact.decision_id
    return ExecuteAnswer(
        candidate_output=made,
        evidence_inline=(InlineEvidence(mime="application/json", content=write(trace).decode()),),
    )
