"""What a task's own policy says of an output: the least that every verifier checks."""

from collections.abc import Mapping
from typing import Final, Literal, cast

from wattswarm.executors.contract import Judgement, Outcome, Policy, VerifyRequest
from wattswarm.executors.fields import Fields, parse, write
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import Digest
from wattswarm.kernel.limits import POLICY_PARAMS_BYTES_MAX
from wattswarm.kernel.policy import PolicyBinding, evaluate

OUTCOMES: Final[Mapping[Literal["passed", "failed"], Outcome]] = {
    "passed": Outcome.PASSED,
    "failed": Outcome.FAILED,
}


def policy_judgement(request: VerifyRequest, score_bp: int | None = None) -> Judgement:
    """Return what the policy that the task is bound to says of the candidate's output.

    Args:
        score_bp: The verifier's own score; without it the policy has one.

    Raises:
        Malformed: The binding or the schema cannot be used; no output would pass or fail.
    """
    found = evaluate(
        _binding(request.policy),
        request.candidate.output,
        _schema(request),
        score_bp=score_bp,
    )
    return Judgement(
        outcome=OUTCOMES[found.status],
        score_bp=found.score_bp,
        reason_codes=tuple(int(code) for code in found.reason_codes),
    )


def _schema(request: VerifyRequest) -> Mapping[str, object]:
    if not isinstance(request.output_schema, Mapping):
        raise Malformed(code="bad_schema", path="$.output_schema", message="a schema is an object")
    return cast("Mapping[str, object]", request.output_schema)


def _binding(policy: Policy) -> PolicyBinding:
    try:
        digest = bytes.fromhex(policy.policy_hash)
        version = int(policy.policy_version)
    except ValueError as error:
        raise Malformed(
            code="policy_unsupported",
            path="$.policy",
            message="a policy's hash is hex and its version a number",
        ) from error
    return PolicyBinding(
        id=policy.policy_id,
        version=version,
        hash=Digest(digest),
        params=write(policy.policy_params).decode(),
    )


def policy_of(binding: PolicyBinding) -> Policy:
    """Return a contract's policy binding as executors are told it."""
    params = parse(binding.params.encode(), bytes_max=POLICY_PARAMS_BYTES_MAX)
    return Policy(
        policy_id=binding.id,
        policy_version=str(binding.version),
        policy_hash=binding.hash.hex(),
        policy_params=Fields.of(params).members,
    )
