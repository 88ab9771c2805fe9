"""The epochs of a continuous task as people read them; pure."""

import heapq
from collections.abc import Iterator
from typing import Final

from wattswarm.kernel.contract import Mode
from wattswarm.kernel.decide.epoch import RENEWABLE
from wattswarm.kernel.ids import short
from wattswarm.kernel.records import Label
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.views import going_word, state_word
from wattswarm.surface.epoch import EndingView, EpochView
from wattswarm.surface.words import when

SHOWN_MAX: Final = 16
"""The newest epochs, as many of them as are shown."""


def is_continuous(state: TaskState) -> bool:
    """Tell whether a task has epochs to be told of: one of an unknown contract has none yet."""
    is_known = state.contract is not None and state.label is not None
    return is_known and state.terms.mode is Mode.CONTINUOUS


def epoch_views(state: TaskState) -> tuple[EpochView, ...]:
    """Return the newest epochs of a continuous task, in order; none of others."""
    if not is_continuous(state):
        return ()
    newest = heapq.nlargest(SHOWN_MAX, _labels(state))
    return tuple(epoch_view(state, label) for label in reversed(newest))


def epoch_view(state: TaskState, label: Label) -> EpochView:
    """Return one open epoch."""
    version, outcome = state.version_of(label), state.outcome(label)
    return EpochView(
        epoch=label.epoch,
        pin=label.pin.hex(),
        version=None if version is None else version.version,
        opened_at=when(state.opened_at(label)),
        expires_at=when(state.expires_at(label.epoch)),
        is_newest=label == state.label,
        candidate_id=None if outcome is None else outcome.candidate.hex(),
        is_disputed=outcome is not None and outcome.is_disputed,
        endings=tuple(_endings(state, label)),
    )


def missing_for_end(state: TaskState) -> int:
    """Return how many finalizers have to sign yet that the newest epoch is over."""
    signed = (count for (label, _), count in state.ending.items() if label == state.here)
    return max(1, state.governing.threshold - max(signed, default=0))


def epoch_steps(state: TaskState, now_ms: int) -> Iterator[str]:
    """Yield what has to happen for the next epoch to open, once that is all there is to do."""
    if not is_continuous(state) or going_word(state, now_ms) not in RENEWABLE:
        return
    epoch, missing = state.here.epoch, missing_for_end(state)
    is_begun = any(label == state.here for label, _ in state.ending)
    if is_begun or now_ms > state.ends_at:
        who = "1 finalizer has" if missing == 1 else f"{missing} finalizers have"
        yield f"{who} to sign that epoch {epoch} is over: `task end-epoch`"
    elif state_word(state, now_ms) == "final":
        yield (
            f"epoch {epoch + 1} opens when finalizers end epoch {epoch}, from "
            f"{when(state.ends_at)} on; `task end-epoch --now` has it end before"
        )


def epoch_story(state: TaskState) -> Iterator[str]:
    """Yield sentences about the newest epoch, and about signatures for its end."""
    if not is_continuous(state):
        return
    view = epoch_view(state, state.here)
    number = "" if view.version is None else f"version {view.version} of "
    pin = f"{number}governance ({view.pin[:12]})"
    first = (
        "" if state.pin in (None, state.here.pin) else f", the first ran under {short(state.pin)}"
    )
    yield (
        f"It is in epoch {view.epoch}, which was opened at {view.opened_at} under {pin}{first}, "
        f"and lasts until {view.expires_at}."
    )
    for said in view.endings:
        yield (
            f"{len(said.signers)} of {said.threshold} needed finalizers signed that epoch "
            f"{view.epoch} is over and {said.next_pin[:12]} is to follow."
        )


def _labels(state: TaskState) -> Iterator[Label]:
    if state.pin is not None:
        yield Label(1, state.pin)
    yield from state.openings


def _endings(state: TaskState, label: Label) -> Iterator[EndingView]:
    version = state.version_of(label)
    threshold = 0 if version is None else version.threshold
    for next_pin in sorted(pin for of, pin in state.ending if of == label):
        signers = sorted(
            node.hex() for of, pin, node in state.endings if (of, pin) == (label, next_pin)
        )
        yield EndingView(
            next_pin=next_pin.hex(),
            signers=tuple(signers),
            threshold=threshold,
            missing=max(0, threshold - len(signers)),
        )
