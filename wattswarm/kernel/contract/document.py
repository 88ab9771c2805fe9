"""A contract as people write it: JSON with defaults, names in hex, times from now on.

`resolve` fills in every default and reports everything that is wrong at once, each with its path,
so that nothing half-right is ever signed.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import attrs

from wattswarm.kernel import canonical
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.contract import rules
from wattswarm.kernel.contract.conversion import convert
from wattswarm.kernel.contract.model import Contract, to_payload
from wattswarm.kernel.contract.quorum import role_problems
from wattswarm.kernel.contract.rules import FIELDS, Problem
from wattswarm.kernel.contract.setting import Setting, defaults
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.limits import CONTRACT_BYTES_MAX
from wattswarm.kernel.policy import read_binding
from wattswarm.kernel.version import Version

LIFE: Final = "expires_in_ms"
DOCUMENT_FIELDS: Final = (*FIELDS, LIFE)


def resolve(
    doc: Mapping[str, object],
    *,
    network_id: str,
    pin: Version,
    created_at: int,
    creator: NodeId,
) -> Contract | Rejection:
    """Return the complete contract of a document, or a refusal that lists all that is wrong.

    Args:
        doc: A JSON object, parsed. Node ids are hex; `expires_in_ms` may stand for `expires_at`;
            `policy` may be an id; `inputs`, `output_schema` and a policy's `params` are JSON
            values.
        network_id: `local:` networks default to no independence and to votes without commits.
        pin: The governance version that the task will run under.
        created_at: When the task is dated, ms since the Unix epoch.
        creator: By default the authority on feedback.

    Returns:
        The contract, or a `contract_invalid` rejection whose details are
        `{"errors": [{"path", "code", "message"}, …]}`.
    """
    setting = Setting(network_id=network_id, pin=pin, created_at=created_at, creator=creator)
    reading = _read(doc)
    terms = _terms(reading, setting)
    found = [*reading.problems, *rules.problems(terms, broken=reading.broken)]
    wrong = reading.broken | rules.names(found)
    found += role_problems(terms, pin, wrong)
    found += _setting_problems(terms, setting, wrong)
    if found:
        return _rejection(found)
    contract = rules.made(terms)
    too_large = _size_problem(contract)
    return contract if too_large is None else _rejection([too_large])


def sample() -> dict[str, object]:
    """Return a small document that `resolve` accepts on any node."""
    return {
        "name": "a first task",
        "task_type": "summarize",
        "inputs": {
            "prompt": "Summarize the text in two sentences.",
            "text": (
                "A log that is only ever appended to can be copied and checked by anyone. "
                "Whoever holds the same set of events computes the same state from it. "
                "So nodes need not agree on an order; they exchange what the other lacks."
            ),
        },
        "output_schema": {
            "type": "object",
            "required": ["answer"],
            "properties": {"answer": {"type": "string", "minLength": 1}},
        },
        LIFE: 600_000,
    }


@attrs.define
class _Reading:
    """What a document gives, as it would stand in a payload, and what of it is wrong already."""

    given: dict[str, Value] = attrs.field(factory=dict[str, Value])
    broken: set[str] = attrs.field(factory=set[str])
    problems: list[Problem] = attrs.field(factory=list[Problem])

    def fail(self, name: str, problem: Problem) -> None:
        """Note that a field is wrong, so that nothing more is said about it."""
        self.broken.add("expires_at" if name == LIFE else name)
        self.problems.append(problem)


def _read(doc: Mapping[str, object]) -> _Reading:
    reading = _Reading()
    for name, value in doc.items():
        if name not in DOCUMENT_FIELDS:
            reading.problems.append(rules.unknown_field(name, DOCUMENT_FIELDS, "$"))
            continue
        try:
            reading.given[name] = _field(doc, name, value)
        except Malformed as error:
            reading.fail(name, Problem(error.path, error.code, error.message))
    return reading


def _field(doc: Mapping[str, object], name: str, value: object) -> Value:
    path = f"$.{name}"
    if value is None:
        raise Malformed(
            code="bad_field", path=path, message="null is not a value; leave this field out"
        )
    if name == LIFE and "expires_at" in doc:
        raise Malformed(
            code="inconsistent",
            path=path,
            message=f"expires_at and {LIFE} say the same thing; leave one of them out",
        )
    return convert(name, value, path)


def _terms(reading: _Reading, setting: Setting) -> Mapping[str, Value]:
    terms = dict(defaults(reading.given, setting))
    if "inputs_ref" in reading.given:
        del terms["inputs"]
    for name, value in reading.given.items():
        if name != LIFE:
            terms[name] = _merged(terms.get(name), value)
    return {name: value for name, value in terms.items() if name not in reading.broken}


def _merged(default: Value | None, value: Value) -> Value:
    """Return a group with what was given and the defaults of the rest; anything else as given."""
    if isinstance(default, Mapping) and isinstance(value, Mapping):
        return {**default, **value}
    return value


def _setting_problems(
    terms: Mapping[str, Value], setting: Setting, wrong: Collection[str]
) -> Iterator[Problem]:
    if "expires_at" not in wrong:
        yield from _expiry_problems(terms["expires_at"], setting.created_at)
    if "policy" not in wrong:
        yield from _policy_problems(terms["policy"], setting.pin)


def _expiry_problems(expires_at: Value, created_at: int) -> Iterator[Problem]:
    if isinstance(expires_at, int) and expires_at <= created_at:
        message = f"{expires_at} is not after the task's date {created_at}; give more, or {LIFE}"
        yield Problem("$.expires_at", "already_expired", message)


def _policy_problems(bound: Value, pin: Version) -> Iterator[Problem]:
    binding = read_binding(bound)
    if not pin.registers(binding):
        message = (
            f"governance version {pin.version} does not register {binding.id}; "
            f"use one of {', '.join(name.id for name in pin.policies) or 'none, as it has none'}"
        )
        yield Problem("$.policy", "policy_not_registered", message)


def _size_problem(contract: Contract) -> Problem | None:
    size = len(canonical.encode(to_payload(contract)))
    if size <= CONTRACT_BYTES_MAX:
        return None
    return Problem(
        "$.inputs",
        "too_large",
        f"the contract has {size} bytes, at most {CONTRACT_BYTES_MAX} are allowed; "
        "store the inputs as an artifact and name it in inputs_ref",
    )


def _rejection(found: list[Problem]) -> Rejection:
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return Rejection(
        code="contract_invalid",
        message=f"{found[0].path}: {found[0].message}{more}",
        details={"errors": [attrs.asdict(problem) for problem in found]},
    )
