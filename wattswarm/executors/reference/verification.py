"""Judging an output of this family by making again what can be made again.

Whoever made it: quotes must stand verbatim where they say, in order and once; limits must hold; the
answer must be the quotes and nothing else; measures must be what they are. When the method is one
of ours, the whole output is made again and compared. Then the task's own policy decides, with the
measured quality as the score. What cannot be seen is not passed: without the source, or with an
output of another kind, the outcome is inconclusive.
"""

import enum
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Final

import attrs

from wattswarm.executors.contract import Judgement, Outcome, VerifyRequest
from wattswarm.executors.fields import Json
from wattswarm.executors.policy_check import policy_judgement
from wattswarm.executors.reference import task
from wattswarm.executors.reference.claims import Claim, is_near, read_claim
from wattswarm.executors.reference.document import Document, Unsuitable
from wattswarm.executors.reference.keywords import METHOD as RAKE
from wattswarm.executors.reference.summary import (
    METHODS,
    Measures,
    check_summary,
    measure,
    source,
)
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.policy import ReasonCode, basis_points

FAILED_BP_MAX: Final = 2_000


class Finding(enum.IntEnum):
    """Reason codes of this verifier, outside the numbers that the protocol keeps for itself."""

    NOT_RECOMPUTABLE = 1000
    SHAPE_WRONG = 1001
    QUOTE_NOT_VERBATIM = 1002
    QUOTE_OUT_OF_ORDER = 1003
    LIMIT_EXCEEDED = 1004
    MEASURE_WRONG = 1005
    ANSWER_NOT_QUOTES = 1006
    METHOD_DIFFERS = 1007
    SOURCE_DIFFERS = 1008


@attrs.frozen(kw_only=True)
class Case:
    """One candidate before the verifier."""

    document: Document
    claim: Claim
    inputs: Mapping[str, Json]


@attrs.frozen
class Report:
    """What is wrong, in the order of the rules, and the quality where it could be measured."""

    findings: tuple[Finding, ...]
    quality_bp: int | None = None


def judge(request: VerifyRequest) -> Judgement:
    """Return what can honestly be said of the candidate.

    Raises:
        Malformed: The policy binding, the schema or the bounds among the inputs cannot be used.
    """
    try:
        document = task.document_of(request.inputs)
    except (Unsuitable, Malformed):
        return _inconclusive(request, ReasonCode.EVIDENCE_UNREACHABLE)
    report = _examine(document, request.candidate.output, request.inputs)
    if report.findings == (Finding.NOT_RECOMPUTABLE,):
        return _inconclusive(request, Finding.NOT_RECOMPUTABLE)
    judgement = policy_judgement(request, report.quality_bp)
    return _failed(judgement, report.findings) if report.findings else judgement


def holds(document: Document, output: Json, inputs: Mapping[str, Json]) -> bool:
    """Tell whether nothing is wrong with an output, whoever made it and when.

    Raises:
        Malformed: The bounds among the inputs cannot be used.
    """
    return not _examine(document, output, inputs).findings


def _inconclusive(request: VerifyRequest, code: int) -> Judgement:
    """Return that nothing can be said, unless the policy alone says that the output fails."""
    judgement = policy_judgement(request)
    if judgement.outcome is Outcome.FAILED:
        return judgement
    return Judgement(outcome=Outcome.INCONCLUSIVE, score_bp=0, reason_codes=(int(code),))


def _failed(judgement: Judgement, findings: tuple[Finding, ...]) -> Judgement:
    codes = [code for code in judgement.reason_codes if code != ReasonCode.SCHEMA_OK]
    return Judgement(
        outcome=Outcome.FAILED,
        score_bp=min(judgement.score_bp, FAILED_BP_MAX),
        reason_codes=(*codes, *(int(finding) for finding in findings)),
    )


def _examine(document: Document, output: Json, inputs: Mapping[str, Json]) -> Report:
    match output:
        case {"sentences": _}:
            quoted, examine = "sentences", _examine_summary
        case {"keywords": _}:
            quoted, examine = "keywords", _examine_keywords
        case _:
            return Report((Finding.NOT_RECOMPUTABLE,))
    try:
        claim = read_claim(output, quoted)
    except Malformed:
        return Report((Finding.SHAPE_WRONG,))
    return examine(Case(document=document, claim=claim, inputs=inputs))


# --- summaries ----------------------------------------------------------------------------------


def _examine_summary(case: Case) -> Report:
    findings = (*_quote_findings(case), *_order_findings(case), *_answer_findings(case, " "))
    indexes = _indexes(case)
    if indexes is None:
        return Report((*findings, *_stranger_findings(case)))
    budget = task.budget_of(case.inputs, case.document)
    chars = sum(len(quote.text) + 1 for quote in case.claim.quotes) - 1
    within = len(indexes) <= budget.sentences and chars <= budget.chars
    measures = measure(case.document, indexes, case.claim.method, budget)
    return Report(
        (
            *findings,
            *_unless(within, Finding.LIMIT_EXCEEDED),
            *_measure_findings(case, indexes, measures),
            *_method_findings(case, task.SUMMARIZE, METHODS.keys()),
        ),
        basis_points(measures.quality),
    )


def _indexes(case: Case) -> tuple[int, ...] | None:
    """Return which sentences the quotes are, or None when one is no whole sentence of ours."""
    by_start = {
        sentence.span.start: (index, sentence.span.end)
        for index, sentence in enumerate(case.document.sentences)
    }
    found = [by_start.get(quote.start, (0, -1)) for quote in case.claim.quotes]
    if any(quote.end != end for quote, (_, end) in zip(case.claim.quotes, found, strict=True)):
        return None
    return tuple(index for index, _ in found)


def _stranger_findings(case: Case) -> Iterator[Finding]:
    """Yield what quotes that are no sentences mean: a method of ours would never choose them."""
    ours = case.claim.method in METHODS
    yield Finding.METHOD_DIFFERS if ours else Finding.NOT_RECOMPUTABLE


def _measure_findings(
    case: Case, indexes: tuple[int, ...], measures: Measures
) -> Iterator[Finding]:
    try:
        claimed = Measures(
            coverage=case.claim.number("coverage"),
            redundancy=case.claim.number("redundancy"),
            confidence=case.claim.number("confidence"),
            quality=measures.quality,
        )
        said = case.claim.text("check_summary")
    except Malformed:
        yield Finding.SHAPE_WRONG
        return
    honest = is_near(attrs.asdict(claimed), attrs.asdict(measures))
    ours = case.claim.method in METHODS
    if not honest or (ours and said != check_summary(case.document, indexes, claimed)):
        yield Finding.MEASURE_WRONG


# --- keywords -----------------------------------------------------------------------------------


def _examine_keywords(case: Case) -> Report:
    places = {(quote.start, quote.end) for quote in case.claim.quotes}
    return Report(
        (
            *_quote_findings(case),
            *_unless(len(places) == len(case.claim.quotes), Finding.QUOTE_OUT_OF_ORDER),
            *_answer_findings(case, "; "),
            *_unless(len(places) <= task.keywords_most(case.inputs), Finding.LIMIT_EXCEEDED),
            *_method_findings(case, task.KEYWORDS_TYPE, {RAKE}),
        )
    )


# --- rules of both ------------------------------------------------------------------------------


def _unless(holds: bool, finding: Finding) -> Iterator[Finding]:
    if not holds:
        yield finding


def _quote_findings(case: Case) -> Iterator[Finding]:
    verbatim = all(quote.is_verbatim(case.document) for quote in case.claim.quotes)
    yield from _unless(verbatim, Finding.QUOTE_NOT_VERBATIM)
    given = case.claim.output.get("source")
    yield from _unless(is_near(given, source(case.document)), Finding.SOURCE_DIFFERS)


def _order_findings(case: Case) -> Iterator[Finding]:
    in_order = all(left.end <= right.start for left, right in pairwise(case.claim.quotes))
    yield from _unless(in_order, Finding.QUOTE_OUT_OF_ORDER)


def _answer_findings(case: Case, between: str) -> Iterator[Finding]:
    quoted = between.join(quote.folded for quote in case.claim.quotes)
    yield from _unless(case.claim.answer == quoted, Finding.ANSWER_NOT_QUOTES)


def _method_findings(case: Case, task_type: str, ours: Collection[str]) -> Iterator[Finding]:
    """Yield that the output is not what its method gives; of other methods nothing is known."""
    if case.claim.method not in ours:
        return
    try:
        made = task.output(task_type, case.claim.method, case.inputs)
    except Unsuitable:
        yield Finding.METHOD_DIFFERS
        return
    given = {**case.claim.output, "check_summary": ""}
    yield from _unless(is_near(given, {**made, "check_summary": ""}), Finding.METHOD_DIFFERS)
