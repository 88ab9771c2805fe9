"""The table of event kinds, made of the code: `python -m tests.kinds` prints it.

For each kind: its class of lane, its fields, whose it is, what judges it, what it does, the codes
of its verdicts, what it may wait for, and the unit tests that speak of it.
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

import attrs

from wattswarm.kernel import payloads
from wattswarm.kernel.board import kinds as board
from wattswarm.kernel.governance import chain, statements
from wattswarm.kernel.payloads import statement as statement_payloads
from wattswarm.kernel.payloads.form import Form
from wattswarm.kernel.rule import Rule
from wattswarm.kernel.task import RULES

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "protocol" / "event-kinds.md"
FORMAL = {"test_kinds.py", "test_payloads.py"}
"""Tests of the forms of all kinds, which say nothing of any one rule."""

TESTS = sorted(
    path
    for path in (ROOT / "tests" / "unit" / "kernel").glob("test_*.py")
    if path.name not in FORMAL
)
SAID_BY = {
    "CANDIDATE_PROPOSED": ".propose(",
    "DECISION_COMMITTED": ".decide(",
    "DECISION_FINALIZED": ".seal(",
    "EPOCH_ENDED": ".end_epoch(",
    "EVIDENCE_AVAILABLE": ".confirm(",
    "TASK_CLAIMED": ".claim(",
    "TASK_CLAIM_RENEWED": ".renew(",
    "TASK_RETRY_SCHEDULED": ".retry(",
    "VERIFIER_RESULT_SUBMITTED": ".find(",
    "VOTE_COMMIT": ".commit(",
    "VOTE_REVEAL": ".reveal(",
}
"""What tests call to say an event of a kind (`tests/support/scene.py`)."""

HEAD = """# Kinds of events

Made of the code by `python -m tests.kinds --write`; a test compares. How payloads are encoded is
told in [bytes.md](bytes.md), what the codes mean in `wattswarm/kernel/codes.py`.

An event is judged by the first check that fails: {order}.

For every kind of a task's events, beside its own codes: {common}. What names an event that has no
effect itself is `depends_on_ignored` or `depends_on_revoked`. A kind marked † takes effect whatever
statements say of its carrier.
"""
COMMON = (
    "wrong_scope",
    "unknown_kind",
    "wrong_class",
    "unknown_field",
    "bad_field",
    "revoked",
    "penalized",
    "wrong_epoch",
    "after_expiry",
    "date_order",
)


@attrs.frozen(kw_only=True)
class Kind:
    """One row of the table."""

    name: str
    lane_class: str
    fields: tuple[str, ...]
    who: str
    rule: str
    effect: str
    codes: frozenset[str]
    awaits: frozenset[str]
    is_voidable: bool
    says: str
    family: str

    @property
    def tests(self) -> tuple[str, ...]:
        """The unit tests of the kind: of its family of rules, and those that name it."""
        words = (self.name, _class_name(self.name), SAID_BY.get(self.name, self.name))
        return tuple(
            path.name
            for path in TESTS
            if path.name.startswith(f"test_{self.family}")
            or any(word in _text(path) for word in words)
        )


@cache
def _text(path: Path) -> str:
    return path.read_text("utf-8")


def _class_name(kind: str) -> str:
    return "".join(part.capitalize() for part in kind.split("_"))


# --- reading the code -----------------------------------------------------------------------------


def reached(function: Callable[..., object]) -> Iterator[ast.AST]:
    """Yield the syntax of a function, and of all that it calls in the kernel."""
    seen: set[object] = set()
    pending: list[Callable[..., object]] = [function]
    while pending:
        each = pending.pop()
        if each in seen:
            continue
        seen.add(each)
        yield ast.parse(textwrap.dedent(inspect.getsource(each)))
        names = each.__code__.co_names
        found = (each.__globals__.get(name) for name in names)
        pending += [
            other
            for other in found
            if inspect.isfunction(other) and other.__module__.startswith("wattswarm.kernel")
        ]


def codes_in(trees: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the codes that are given: the first constants of `ignored` and `Ignored`."""
    for call in _calls(trees, {"ignored", "Ignored"}):
        yield from _constants(call.args[0])


def awaited_in(trees: Iterable[ast.AST]) -> Iterator[str]:
    """Yield what is waited for."""
    for tree in trees:
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(value=ast.Name(id="On"), attr=name):
                    yield name.lower()
                case _:
                    pass


def _calls(trees: Iterable[ast.AST], names: set[str]) -> Iterator[ast.Call]:
    for tree in trees:
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[_, *_]) if name in names:
                    yield node
                case _:
                    pass


def _constants(node: ast.AST) -> Iterator[str]:
    """Yield the codes of an argument, which is one, or one of two."""
    match node:
        case ast.Constant(value=str() as code):
            yield code
        case ast.IfExp():
            yield from _constants(node.body)
            yield from _constants(node.orelse)
        case _:
            return


def standings_in(module: ModuleType) -> Iterator[str]:
    """Yield the codes of ignored governance events that a module gives."""
    for call in _calls([ast.parse(inspect.getsource(module))], {"Standing"}):
        if len(call.args) == 2 and "IGNORED" in ast.unparse(call.args[0]):
            yield from _constants(call.args[1])


def first_line(thing: object) -> str:
    """Return the first paragraph of a docstring."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


# --- the table ------------------------------------------------------------------------------------


def kinds() -> tuple[Kind, ...]:
    """Return all kinds that have a meaning, by name."""
    return tuple(
        sorted([*_of_tasks(), *_of_governance(), *_of_board()], key=lambda kind: kind.name)
    )


def _of_tasks() -> Iterator[Kind]:
    forms = payloads.FORMS
    for kind, rule in RULES.items():
        yield _task_kind(rule, forms[kind])


def _task_kind(rule: Rule[object], form: Form[object]) -> Kind:
    trees = [*reached(rule.judge)]
    return Kind(
        name=rule.kind,
        lane_class="work",
        fields=_fields(form),
        who=rule.who,
        rule=f"`{rule.judge.__module__.removeprefix('wattswarm.kernel.')}.{rule.judge.__name__}`",
        effect=first_line(rule.apply),
        codes=frozenset(codes_in(trees)) - frozenset(COMMON),
        awaits=frozenset(awaited_in(trees)),
        is_voidable=rule.voidable,
        says=first_line(form.made),
        family=rule.judge.__module__.rpartition(".")[2],
    )


def _fields(form: Form[object]) -> tuple[str, ...]:
    return (*form.required, *(f"{name}?" for name in form.optional))


GOVERNANCE: Mapping[str, tuple[Sequence[str], str, str, str]] = {
    "GOVERNANCE_UPDATED": (
        ("version", "sigs"),
        "anybody, for finalizers of the predecessor",
        "A full snapshot of governance, and what it follows.",
        "The version is valid for ever, and can be a pin.",
    ),
    "NODE_ADMITTED": (
        ("node",),
        "a finalizer of a valid version",
        "A node is admitted.",
        "Events of the node are taken into the set.",
    ),
}


def _of_governance() -> Iterator[Kind]:
    for kind, (fields, who, says, effect) in GOVERNANCE.items():
        yield _governance_kind(kind, fields, who, says, effect, chain)
    for form in statement_payloads.FORMS:
        yield _governance_kind(
            form.kind,
            _fields(form),
            "anybody, for finalizers of the version that it names",
            first_line(form.made),
            "What it names is put out of effect, or back into it.",
            statements,
        )


def _governance_kind(
    kind: str, fields: Sequence[str], who: str, says: str, effect: str, module: ModuleType
) -> Kind:
    shared = {"wrong_network", "bad_version", "inconsistent"}
    return Kind(
        name=kind,
        lane_class="control",
        fields=tuple(fields),
        who=who,
        rule=f"`{module.__name__.removeprefix('wattswarm.kernel.')}`",
        effect=effect,
        codes=frozenset(standings_in(module)) | shared,
        awaits=frozenset({"quorum", "predecessor" if module is chain else "version"}),
        is_voidable=False,
        says=says,
        family="governance" if module is chain else "statement",
    )


def _of_board() -> Iterator[Kind]:
    for kind in board.KINDS.values():
        key = _listed(("scope", "author", *kind.last_writer))
        yield Kind(
            name=kind.kind,
            lane_class=kind.lane_class.value,
            fields=_fields(kind.form),
            who="anybody, for itself",
            rule=f"`board.judging.judge`{_own_rule(kind)}",
            effect=f"The newest stands by {key}." if kind.last_writer else "It stands for itself.",
            codes=frozenset(kind.codes) | {"inconsistent"},
            awaits=frozenset(),
            is_voidable=True,
            says=first_line(kind.says),
            family="board",
        )


def _own_rule(kind: board.BoardKind) -> str:
    return f", `board.kinds.{kind.judge.__name__}`" if kind.codes else ""


def document() -> str:
    """Return the whole document."""
    order = inspect.getdoc(sys.modules[Rule.__module__]) or ""
    steps = " ".join(line.strip() for line in order.splitlines() if line.startswith("    "))
    common = ", ".join(f"`{code}`" for code in COMMON)
    head = HEAD.format(order=steps.replace(" · ", ", "), common=common)
    return "\n".join([head, *map(_section, kinds())])


def _section(kind: Kind) -> str:
    mark = "" if kind.is_voidable else " †"
    lines = [
        f"## {kind.name}{mark}",
        "",
        kind.says,
        "",
        "| | |",
        "| --- | --- |",
        f"| class | {kind.lane_class} |",
        f"| fields | {_listed(kind.fields) or 'none'} |",
        f"| who | {kind.who} |",
        f"| judged by | {kind.rule} |",
        f"| effect | {kind.effect} |",
        f"| own codes | {_listed(sorted(kind.codes)) or 'none'} |",
        f"| waits for | {', '.join(sorted(kind.awaits)) or 'nothing'} |",
        f"| tests | {', '.join(kind.tests)} |",
        "",
    ]
    return "\n".join(lines)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    if "--write" in sys.argv:
        DOCUMENT.write_text(document(), "utf-8")
    else:
        sys.stdout.write(document())
