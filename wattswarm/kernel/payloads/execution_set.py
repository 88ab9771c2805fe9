"""Who means to work on a task together, and who says who does."""

from itertools import pairwise
from typing import ClassVar, Final, NamedTuple

import attrs

from wattswarm.kernel import fields
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.ids import NodeId, TaskId
from wattswarm.kernel.limits import MEMBERS_MAX
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form


class Member(NamedTuple):
    """A node of an execution set, and what it is thought to do there."""

    node: NodeId
    role_hint: str


@attrs.frozen(kw_only=True)
class ExecutionIntentDeclared:
    """The author means to take part in working on a task, or says that it does not."""

    kind: ClassVar[str] = "EXECUTION_INTENT_DECLARED"

    task: TaskId
    execution_set: str
    role_hint: str
    intent: str
    revision: int


@attrs.frozen(kw_only=True)
class ExecutionSetConfirmed:
    """The author holds these nodes for the members of an execution set."""

    kind: ClassVar[str] = "EXECUTION_SET_CONFIRMED"

    task: TaskId
    execution_set: str
    members: tuple[Member, ...]
    revision: int


def _members(value: Value, path: str) -> tuple[Member, ...]:
    items = fields.array(value, path, most=MEMBERS_MAX)
    if not items:
        raise fields.bad(path, "a set has members")
    members = tuple(_member(item, f"{path}[{index}]") for index, item in enumerate(items))
    if any(left.node >= right.node for left, right in pairwise(members)):
        raise fields.bad(path, "members are not in ascending order, or one stands twice")
    return members


def _member(value: Value, path: str) -> Member:
    pair = fields.array(value, path, most=2)
    if len(pair) != 2:
        raise fields.bad(path, "not a pair [node, role]")
    return Member(NodeId(form.id32(pair[0], f"{path}[0]")), form.name(pair[1], f"{path}[1]"))


FORMS: Final = (
    Form(
        ExecutionIntentDeclared.kind,
        ExecutionIntentDeclared,
        {
            "task": form.id32,
            "execution_set": form.name,
            "role_hint": form.name,
            "intent": form.name,
            "revision": form.number,
        },
    ),
    Form(
        ExecutionSetConfirmed.kind,
        ExecutionSetConfirmed,
        {
            "task": form.id32,
            "execution_set": form.name,
            "members": _members,
            "revision": form.number,
        },
    ),
)
