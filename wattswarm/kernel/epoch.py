"""The rule of the ends of epochs, which open the next ones.

Finalizers of an epoch's pin sign that it is over and which pin follows; the signatures are gathered
by that over all carriers, and the next epoch is open once there are as many as the pin's threshold.
Nothing else of a carrier is read, but for one thing: how long the next epoch lasts counts from the
latest date that so many finalizers of the pin carried its opening on, or later, that it takes an
honest one: one more than can be missing from a quorum. Opening an epoch closes and clears
nothing: an event belongs to the epoch that it names.
"""

from wattswarm.kernel.contract import Mode
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import Digest, TaskId
from wattswarm.kernel.limits import EPOCH_MAX
from wattswarm.kernel.payloads.epoch import EpochEnded
from wattswarm.kernel.records import Label
from wattswarm.kernel.rule import Entry, Hold, Provided, Rule, ignored, waits
from wattswarm.kernel.signature import Domain, is_valid, message
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Need, On, Waiting
from wattswarm.kernel.version import Version


def epoch_end_message(network_id: str, task_id: TaskId, label: Label, next_pin: Digest) -> bytes:
    """Return the bytes that a finalizer signs."""
    epoch, pin = label
    return message(Domain.EPOCH_END, [network_id, task_id, epoch, pin, next_pin])


def epoch_end_hash(network_id: str, task_id: TaskId, label: Label, next_pin: Digest) -> Digest:
    """Return the name of a content, by which its carriers wait for its quorum."""
    return digest(Context.EPOCH_END, epoch_end_message(network_id, task_id, label, next_pin))


def judge(entry: Entry[EpochEnded], state: TaskState) -> Hold | None:
    """Return why a carrier has no effect, or None: its content has its quorum."""
    event, ended = entry.event, entry.payload
    label = Label(event.epoch, ended.pin)
    if state.terms.mode is Mode.ONE_SHOT or not 0 < label.epoch < EPOCH_MAX:
        return ignored("wrong_epoch")
    if not state.is_open(label):
        is_first = label.epoch == 1
        return ignored("wrong_pin") if is_first else waits(Need(On.EPOCH, label.pin, label.epoch))
    version = state.version_of(label)
    if version is None:
        return waits(Need(On.VERSION, label.pin))
    if entry.facts is None:
        entry.facts = _valid(ended, label, version, state)
        _count(entry, label, state)
    if not entry.facts:
        return ignored("no_valid_signature")
    if state.ending[label, ended.next_pin] < version.threshold:
        return waits(_quorum(label, ended.next_pin, state))
    if ended.next_pin not in state.versions:
        return _follows_unknown(ended.next_pin, label, state)
    return None


def _follows_unknown(next_pin: Digest, label: Label, state: TaskState) -> Hold:
    """Return the hold of all carriers of a content that has its quorum, and names what is none."""
    need = Need(On.VERSION, next_pin)
    return Hold(Waiting((need,)), need, provides=_quorum(label, next_pin, state))


def _valid(ended: EpochEnded, label: Label, version: Version, state: TaskState) -> tuple[int, ...]:
    """Return the indexes of the valid signatures, of Finalizers of the pin only: at most n."""
    signed = epoch_end_message(state.network_id, state.task_id, label, ended.next_pin)
    return tuple(
        index
        for index, (signer, signature) in enumerate(ended.sigs)
        if signer in version.finalizers
        and (
            state.endings.get((label, ended.next_pin, signer)) == signature
            or is_valid(signer, signed, signature)
        )
    )


def _count(entry: Entry[EpochEnded], label: Label, state: TaskState) -> None:
    ended = entry.payload
    for signer, signature in (ended.sigs[index] for index in entry.facts or ()):
        held = state.endings.get((label, ended.next_pin, signer))
        if held is None:
            count = state.ending.get((label, ended.next_pin), 0)
            state.ending[label, ended.next_pin] = count + 1
        state.endings[label, ended.next_pin, signer] = min(signature, held or signature)


def _quorum(label: Label, next_pin: Digest, state: TaskState) -> Need:
    return Need(On.QUORUM, epoch_end_hash(state.network_id, state.task_id, label, next_pin))


def apply(entry: Entry[EpochEnded], state: TaskState) -> Provided:
    """Open the next epoch, with its first attempt, and wake what waited for that."""
    event, ended = entry.event, entry.payload
    label, version = Label(event.epoch, ended.pin), state.versions[ended.pin]
    opened = Label(event.epoch + 1, ended.next_pin)
    carried = (label, ended.next_pin, event.author)
    if event.author in version.finalizers:
        state.carried[carried] = max(event.created_at, state.carried.get(carried, event.created_at))
    date_ms = _date_ms(label, ended.next_pin, version, state)
    state.attempts.setdefault(opened, 1)
    state.label = min(state.here, opened, key=lambda label: (-label.epoch, label.pin))
    state.openings[opened] = max(date_ms, state.openings.get(opened, date_ms))
    state.opened[opened.epoch] = max(date_ms, state.opened.get(opened.epoch, date_ms))
    return (
        _quorum(label, ended.next_pin, state),
        Need(On.EPOCH, opened.pin, opened.epoch),
        Need(On.EPOCH, b"", opened.epoch),
        Need(On.EXPIRY, b"", opened.epoch),
    )


def _date_ms(label: Label, next_pin: Digest, version: Version, state: TaskState) -> int:
    """Return the latest date that enough finalizers carried an opening on, or later.

    The creation of the task, as long as there are too few. More carriers only move it later.
    """
    dates = sorted(
        state.carried.get((label, next_pin, node), state.created_at) for node in version.finalizers
    )
    return max(state.created_at, dates[version.threshold - 1])


RULES = (
    Rule(
        EpochEnded.kind,
        "anybody, for finalizers of the pin",
        judge,
        apply,
        in_task=False,
        voidable=False,
    ),
)
