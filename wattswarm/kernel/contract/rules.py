"""What a complete contract must be: one table of fields, and the relations between them.

Reading a contract from an event and checking one that a user wrote use the same table, so that
nothing can be created that others would ignore. Nothing here parses the JSON texts: what is derived
from the log must not depend on a JSON parser.
"""

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, TypeAlias, cast

import attrs

from wattswarm.kernel import artifact, fields
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.contract.model import (
    BY_RANK,
    Allocator,
    BudgetMode,
    Contract,
    Independence,
    Mode,
    Places,
    Reuse,
    Settlement,
    StageUnits,
)
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import ID_TEXT, NodeId
from wattswarm.kernel.limits import (
    ATTEMPT_MAX,
    CREATED_AT_MAX,
    DURATION_MS_MAX,
    INPUTS_INLINE_BYTES_MAX,
    MEMBERS_MAX,
    NAME_BYTES_MAX,
    SCHEMA_BYTES_MAX,
    SEEN_ITEMS_MAX,
    UINT_MAX,
)
from wattswarm.kernel.policy import read_binding
from wattswarm.kernel.signature import NODE_ID_BYTES

Rule: TypeAlias = Callable[[Value, str], object]
"""Returns what the value stands for, or raises Malformed with the path."""

Terms: TypeAlias = Mapping[str, Value]


@attrs.frozen
class Problem:
    """One thing that is wrong with a contract: where, which rule, and what to do."""

    path: str
    code: str
    message: str


# --- rules of single fields ---------------------------------------------------------------------


def _uint(least: int, most: int) -> Rule:
    return lambda value, path: fields.uint(value, path, least=least, most=most)


def _text(bytes_max: int) -> Rule:
    def rule(value: Value, path: str) -> str:
        # Signed values hold neither, so that this refuses documents and never an event.
        if type(value) is str and UNSIGNABLE.search(value):
            raise fields.bad(path, "not text that can be signed: U+0000, or half a surrogate pair")
        return fields.text(value, path, bytes_max=bytes_max)

    return rule


def _word(words: type[Mode] | type[BudgetMode] | type[Independence] | type[Allocator]) -> Rule:
    allowed = tuple(item.value for item in words)
    return lambda value, path: fields.word(value, path, allowed)


def _id_text(value: Value, path: str) -> str:
    if type(value) is not str or not ID_TEXT.match(value):
        raise fields.bad(path, "not 1 to 128 characters of A-Z a-z 0-9 . _ : -")
    return value


def _node(value: Value, path: str) -> NodeId:
    if type(value) is not bytes or len(value) != NODE_ID_BYTES:
        raise fields.bad(path, "not the id of a node, which people write as 64 hex digits")
    return NodeId(value)


def _decider(value: Value, path: str) -> NodeId | None:
    return None if value == BY_RANK else _node(value, path)


UNSIGNABLE: Final = re.compile("[\0\ud800-\udfff]")
COUNT: Final = _uint(1, MEMBERS_MAX)
QUORUM: Final = _uint(1, SEEN_ITEMS_MAX)
ATTEMPTS: Final = _uint(1, ATTEMPT_MAX)
DURATION: Final = _uint(1, DURATION_MS_MAX)
WINDOW: Final = _uint(0, DURATION_MS_MAX)
UNITS: Final = _uint(1, UINT_MAX)

FIELDS: Final[Mapping[str, Rule | Mapping[str, Rule]]] = {
    "name": _text(NAME_BYTES_MAX),
    "task_type": _id_text,
    "inputs": _text(INPUTS_INLINE_BYTES_MAX),
    "inputs_ref": artifact.read,
    "output_schema": _text(SCHEMA_BYTES_MAX),
    "policy": read_binding,
    "mode": _word(Mode),
    "budget_mode": _word(BudgetMode),
    "quorum_threshold": QUORUM,
    "da_quorum_threshold": QUORUM,
    "independence": _word(Independence),
    "commit_reveal": fields.flag,
    "allocator": _word(Allocator),
    "decider": _decider,
    "max_concurrency": {"propose": COUNT, "verify": COUNT},
    "max_proposers": COUNT,
    "max_verifiers": COUNT,
    "topk": COUNT,
    "no_new_evidence_rounds": COUNT,
    "max_attempts": ATTEMPTS,
    "lease_ms": DURATION,
    "time_ms": DURATION,
    "commit_window_ms": WINDOW,
    "reveal_window_ms": WINDOW,
    "decision_window_ms": WINDOW,
    "decider_timeout_ms": DURATION,
    "expires_at": _uint(1, CREATED_AT_MAX),
    "stage_units": {"explore": UNITS, "verify": UNITS, "finalize": UNITS},
    "max_steps": UNITS,
    "cost_units": UNITS,
    "reuse": {
        "max_attempts": ATTEMPTS,
        "verify_time_ms": WINDOW,
        "verify_units": _uint(0, UINT_MAX),
    },
    "settlement": {
        "window_ms": WINDOW,
        "implicit_weight_bp": _uint(0, 10_000),
        "W": _uint(0, UINT_MAX),
        "K": _uint(1, UINT_MAX),
        "P": _uint(0, UINT_MAX),
        "authority": _node,
    },
}

OPTIONAL: Final = frozenset({"inputs", "inputs_ref"})
"""One of these is there, and the other is not."""


def field_problems(
    terms: Terms, *, known: Collection[str] = FIELDS.keys(), broken: Collection[str] = ()
) -> Iterator[Problem]:
    """Yield what is wrong with single fields: unknown, missing, or of another form.

    Args:
        terms: A contract as it stands, or will stand, in a payload.
        known: Names that are not unknown.
        broken: Names of fields that are left out because they are known to be wrong.
    """
    yield from _unknown(terms, known, "$")
    for name, rule in FIELDS.items():
        if name in terms:
            yield from _value_problems(terms[name], rule, f"$.{name}")
        elif name not in OPTIONAL and name not in broken:
            yield _missing(f"$.{name}")


def _value_problems(value: Value, rule: Rule | Mapping[str, Rule], path: str) -> Iterator[Problem]:
    if not callable(rule):
        yield from _group_problems(value, rule, path)
        return
    try:
        rule(value, path)
    except Malformed as error:
        yield Problem(error.path, error.code, _sentence(value, error))


def _group_problems(value: Value, rules: Mapping[str, Rule], path: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield Problem(path, "bad_field", f"{_show(value)} is not a map of {', '.join(rules)}")
        return
    yield from _unknown(value, rules.keys(), path)
    for name, rule in rules.items():
        if name in value:
            yield from _value_problems(value[name], rule, f"{path}.{name}")
        else:
            yield _missing(f"{path}.{name}")


def is_sound(name: str, value: Value) -> bool:
    """Tell whether a field may have this value, by itself."""
    return not any(_value_problems(value, FIELDS[name], f"$.{name}"))


def _unknown(terms: Terms, known: Collection[str], path: str) -> Iterator[Problem]:
    for name in terms:
        if name not in known:
            yield unknown_field(name, known, path)


def unknown_field(name: object, known: Collection[str], path: str) -> Problem:
    """Return the problem of a field that does not exist, with the nearest that does."""
    near = difflib.get_close_matches(str(name), sorted(known), n=1)
    advice = f"did you mean {near[0]}?" if near else "leave it out"
    return Problem(f"{path}.{name}", "unknown_field", f"there is no field {name}; {advice}")


def _missing(path: str) -> Problem:
    return Problem(path, "bad_field", "this field is missing; it has no default")


def _sentence(value: Value, error: Malformed) -> str:
    is_about_value = error.message.startswith("not ")
    return f"{_show(value)} is {error.message}" if is_about_value else error.message


def _show(value: object) -> str:
    shown = value.hex() if isinstance(value, bytes) else repr(value)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"


# --- relations between fields -------------------------------------------------------------------


@attrs.frozen
class Relation:
    """A condition on several fields; it is checked when each of them is right by itself."""

    path: str
    over: tuple[str, ...]
    holds: Callable[[Terms], bool]
    message: str


def _number(terms: Terms, name: str) -> int:
    return cast("int", terms[name])


def _part(terms: Terms, group: str, name: str) -> int:
    return cast("Mapping[str, int]", terms[group])[name]


def _stages_fit(terms: Terms) -> bool:
    units = cast("Mapping[str, int]", terms["stage_units"])
    return sum(units.values()) <= _number(terms, "cost_units")


RELATIONS: Final[Sequence[Relation]] = (
    Relation(
        "$.inputs",
        ("inputs", "inputs_ref"),
        lambda terms: ("inputs" in terms) != ("inputs_ref" in terms),
        "a task has inputs or inputs_ref, and not both; leave one of them out",
    ),
    Relation(
        "$.time_ms",
        ("time_ms", "lease_ms"),
        lambda terms: _number(terms, "time_ms") >= _number(terms, "lease_ms"),
        "time_ms bounds all leases together and is at least lease_ms; raise it or lower lease_ms",
    ),
    Relation(
        "$.budget_mode",
        ("mode", "budget_mode"),
        lambda terms: (
            terms["mode"] != Mode.CONTINUOUS or terms["budget_mode"] == BudgetMode.EPOCH_RENEW
        ),
        "a continuous task has units for each epoch; set budget_mode to epoch_renew",
    ),
    Relation(
        "$.max_verifiers",
        ("max_verifiers", "quorum_threshold"),
        lambda terms: _number(terms, "max_verifiers") >= _number(terms, "quorum_threshold"),
        "fewer verifiers than quorum_threshold could never be a quorum; raise max_verifiers",
    ),
    Relation(
        "$.max_verifiers",
        ("max_verifiers", "da_quorum_threshold"),
        lambda terms: _number(terms, "max_verifiers") >= _number(terms, "da_quorum_threshold"),
        "fewer verifiers than da_quorum_threshold cannot confirm evidence; raise max_verifiers",
    ),
    Relation(
        "$.stage_units",
        ("stage_units", "cost_units"),
        _stages_fit,
        "the stages have more units than the task; raise cost_units or lower stage_units",
    ),
    Relation(
        "$.reuse.verify_time_ms",
        ("reuse", "time_ms"),
        lambda terms: _part(terms, "reuse", "verify_time_ms") <= _number(terms, "time_ms"),
        "checking a reused decision may not take longer than time_ms; lower it",
    ),
    Relation(
        "$.reuse.verify_units",
        ("reuse", "cost_units"),
        lambda terms: _part(terms, "reuse", "verify_units") <= _number(terms, "cost_units"),
        "checking a reused decision may not cost more than cost_units; lower it",
    ),
)


def problems(
    terms: Terms, *, known: Collection[str] = FIELDS.keys(), broken: Collection[str] = ()
) -> list[Problem]:
    """Return everything that is wrong with a contract, fields first; see `field_problems`."""
    found = list(field_problems(terms, known=known, broken=broken))
    wrong = names(found) | set(broken)
    found += (
        Problem(relation.path, "inconsistent", relation.message)
        for relation in RELATIONS
        if wrong.isdisjoint(relation.over) and not relation.holds(terms)
    )
    return found


def names(found: Collection[Problem]) -> set[str]:
    """Return the names of the fields that the problems are in."""
    return {problem.path.split(".", 2)[1].partition("[")[0] for problem in found}


# --- reading ------------------------------------------------------------------------------------


def read(value: Value | None) -> Contract:
    """Return the contract that `value`, a part of a TASK_CREATED payload, is.

    Raises:
        Malformed: The first thing that is wrong with it, with the path.
    """
    if not isinstance(value, Mapping):
        raise fields.bad("$", "a contract is a map")
    for problem in problems(value):
        raise Malformed(code=problem.code, path=problem.path, message=problem.message)
    return made(value)


def made(terms: Terms) -> Contract:
    """Return the contract of terms in which `problems` finds nothing."""
    settlement = cast("Mapping[str, int]", terms["settlement"])
    inputs_ref = terms.get("inputs_ref")
    return Contract(
        name=cast("str", terms["name"]),
        task_type=cast("str", terms["task_type"]),
        inputs=cast("str | None", terms.get("inputs")),
        inputs_ref=None if inputs_ref is None else artifact.read(inputs_ref),
        output_schema=cast("str", terms["output_schema"]),
        policy=read_binding(terms["policy"]),
        mode=Mode(cast("str", terms["mode"])),
        budget_mode=BudgetMode(cast("str", terms["budget_mode"])),
        quorum_threshold=_number(terms, "quorum_threshold"),
        da_quorum_threshold=_number(terms, "da_quorum_threshold"),
        independence=Independence(cast("str", terms["independence"])),
        commit_reveal=cast("bool", terms["commit_reveal"]),
        allocator=Allocator(cast("str", terms["allocator"])),
        decider=_decider(terms["decider"], "$.decider"),
        max_concurrency=Places(**cast("Mapping[str, int]", terms["max_concurrency"])),
        max_proposers=_number(terms, "max_proposers"),
        max_verifiers=_number(terms, "max_verifiers"),
        topk=_number(terms, "topk"),
        no_new_evidence_rounds=_number(terms, "no_new_evidence_rounds"),
        max_attempts=_number(terms, "max_attempts"),
        lease_ms=_number(terms, "lease_ms"),
        time_ms=_number(terms, "time_ms"),
        commit_window_ms=_number(terms, "commit_window_ms"),
        reveal_window_ms=_number(terms, "reveal_window_ms"),
        decision_window_ms=_number(terms, "decision_window_ms"),
        decider_timeout_ms=_number(terms, "decider_timeout_ms"),
        expires_at=_number(terms, "expires_at"),
        stage_units=StageUnits(**cast("Mapping[str, int]", terms["stage_units"])),
        max_steps=_number(terms, "max_steps"),
        cost_units=_number(terms, "cost_units"),
        reuse=Reuse(**cast("Mapping[str, int]", terms["reuse"])),
        settlement=Settlement(
            window_ms=settlement["window_ms"],
            implicit_weight_bp=settlement["implicit_weight_bp"],
            w=settlement["W"],
            k=settlement["K"],
            p=settlement["P"],
            authority=NodeId(_part_bytes(terms, "settlement", "authority")),
        ),
    )


def _part_bytes(terms: Terms, group: str, name: str) -> bytes:
    return cast("Mapping[str, bytes]", terms[group])[name]
