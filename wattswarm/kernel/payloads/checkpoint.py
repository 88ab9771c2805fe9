"""Checkpoints: what a node held at some moment, lane by lane, under its signature."""

from itertools import pairwise
from typing import ClassVar, Final, NamedTuple

import attrs

from wattswarm.kernel import fields
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.event import LANE_CLASSES, LaneClass
from wattswarm.kernel.ids import SCOPE, Digest
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form


class LaneMark(NamedTuple):
    """The trie of a lane: of its `events` events dated before `cut`."""

    scope: str
    lane_class: LaneClass
    cut: int
    events: int
    root: Digest


@attrs.frozen(kw_only=True)
class CheckpointCreated:
    """The author held these lanes when its log ended at `seq` with the chain value `chain`.

    The chain is the author's own and can be checked by nobody else; the roots can be compared by
    whoever has the same lanes. One that differs is a reason to reconcile, and proves nothing.
    """

    kind: ClassVar[str] = "CHECKPOINT_CREATED"

    seq: int
    chain: Digest
    lanes: tuple[LaneMark, ...]


def _lanes(value: Value, path: str) -> tuple[LaneMark, ...]:
    items = fields.array(value, path)
    if not items:
        raise fields.bad(path, "a checkpoint states at least one lane")
    lanes = tuple(_lane(item, f"{path}[{index}]") for index, item in enumerate(items))
    if any(left[:2] >= right[:2] for left, right in pairwise(lanes)):
        raise fields.bad(path, "lanes are not in ascending order, or one stands twice")
    return lanes


def _lane(value: Value, path: str) -> LaneMark:
    parts = fields.array(value, path, most=len(LaneMark._fields))
    if len(parts) != len(LaneMark._fields):
        raise fields.bad(path, "not [scope, class, cut, events, root]")
    return LaneMark(
        scope=_scope(parts[0], f"{path}[0]"),
        lane_class=LANE_CLASSES[fields.word(parts[1], f"{path}[1]", tuple(LANE_CLASSES))],
        cut=form.date(parts[2], f"{path}[2]"),
        events=form.number(parts[3], f"{path}[3]"),
        root=Digest(form.id32(parts[4], f"{path}[4]")),
    )


def _scope(value: Value, path: str) -> str:
    if type(value) is not str or not SCOPE.match(value):
        raise fields.bad(path, "not a scope")
    return value


FORMS: Final = (
    Form(
        CheckpointCreated.kind,
        CheckpointCreated,
        {"seq": form.number, "chain": form.id32, "lanes": _lanes},
    ),
)
