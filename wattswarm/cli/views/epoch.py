"""Epochs on a terminal."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from wattswarm.cli.views.style import cut, short, word
from wattswarm.surface.epoch import EpochView
from wattswarm.surface.task import EpochEndSaid, VoidedView


def epoch_lines(epochs: Sequence[EpochView]) -> Iterator[RenderableType]:
    """Yield the newest epoch of a continuous task, and what is signed for its end."""
    first = {each.pin for each in epochs if each.epoch == 1}
    for each in epochs:
        if not each.is_newest:
            continue
        is_other = bool(first) and each.pin not in first
        number = "" if each.version is None else f" {each.version}"
        pin = f", under governance{number} {each.pin[:12]}" if is_other or not first else ""
        yield Text(f"epoch {each.epoch} is open from {each.opened_at} until {each.expires_at}{pin}")
        yield from map(Text, _endings(each))


def _endings(view: EpochView) -> Iterator[str]:
    for said in view.endings:
        have = f"{len(said.signers)} of {said.threshold} finalizers"
        yield f"  {have} signed that it is over and {said.next_pin[:12]} follows"


def epoch_ended_view(answer: EpochEndSaid) -> RenderableType:
    """Return what became of an epoch by this node's word."""
    row, ended = answer.task, answer.ended
    head = Text.assemble(
        f"your word that epoch {ended.epoch} is over is in the log as event {answer.seq}; task ",
        short(row.task_id), " is ", word(row.state),
    )  # fmt: skip
    opened = () if answer.opened is None else tuple(epoch_lines((answer.opened,)))
    return Group(head, *opened, *(Text(f"next: {step}", "cyan") for step in answer.next_steps))


def voided_lines(voided: Sequence[VoidedView]) -> Iterator[RenderableType]:
    """Yield what finalizers put out of effect in a task, and why."""
    for said in voided:
        reason = f": {cut(said.reason, 80)}" if said.reason else ""
        rest = f"; {said.dependents} events depend on it" if said.dependents else ""
        if said.word == "revoked":
            told = f"event {said.target[:12]} ({said.event_kind}) was revoked by finalizers"
        else:
            told = f"node {said.target[:12]} was penalized by finalizers: {said.events} events void"
        yield Text(f"✗ {told}{reason}{rest}", "red")
