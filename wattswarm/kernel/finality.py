"""Finality: counted, not judged.

An epoch is final with a candidate when enough distinct Finalizers of its pin signed that, over
network, task, epoch, pin, candidate and decision, wherever their signatures stand. Nothing else is
read: not the carrier's author, date or verdict, no votes, no evidence, no expiry, no later version.
Those are conditions for signing, never for counting, and nothing that arrives later can take
finality back. A carrier counts when it stands in its task's scope and its lane's class and its
payload can be read.
"""

from wattswarm.kernel.ids import EventId, TaskId
from wattswarm.kernel.payloads.decision import DecisionFinalized
from wattswarm.kernel.records import Carrier, Label, Seal
from wattswarm.kernel.rule import Entry, Hold, Provided, Rule, ignored, waits
from wattswarm.kernel.signature import Domain, is_valid, message
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Need, On
from wattswarm.kernel.version import Version


def finality_message(
    network_id: str, task_id: TaskId, label: Label, candidate: EventId, decision: EventId
) -> bytes:
    """Return the bytes that a finalizer signs."""
    epoch, pin = label
    return message(Domain.FINALITY, [network_id, task_id, epoch, pin, candidate, decision])


def judge(entry: Entry[DecisionFinalized], state: TaskState) -> Hold | None:
    """Return why a carrier has no effect, or None: it needs one valid signature of a finalizer."""
    event, carried = entry.event, entry.payload
    label = Label(event.epoch, carried.pin)
    if not state.is_open(label):
        is_first = label.epoch == 1
        return ignored("wrong_pin") if is_first else waits(Need(On.EPOCH, label.pin, label.epoch))
    version = state.version_of(label)
    if version is None:
        return waits(Need(On.VERSION, label.pin))
    entry.facts = _valid(carried, label, version, state)
    return None if entry.facts else ignored("no_valid_signature")


def _valid(
    carried: DecisionFinalized, label: Label, version: Version, state: TaskState
) -> tuple[int, ...]:
    """Return the indexes of the valid signatures, of Finalizers of the pin only: at most n."""
    signed = finality_message(
        state.network_id, state.task_id, label, carried.candidate, carried.decision
    )
    return tuple(
        index
        for index, (signer, signature) in enumerate(carried.sigs)
        if signer in version.finalizers
        and (
            state.seals.get(Seal(label, carried.candidate, signer, carried.decision)) == signature
            or is_valid(signer, signed, signature)
        )
    )


def apply(entry: Entry[DecisionFinalized], state: TaskState) -> Provided:
    """Count the valid signatures of the carrier."""
    event, carried = entry.event, entry.payload
    assert entry.facts is not None
    label = Label(event.epoch, carried.pin)
    valid = [carried.sigs[index] for index in entry.facts]
    for signer, signature in valid:
        seal = Seal(label, carried.candidate, signer, carried.decision)
        state.seals[seal] = min(signature, state.seals.get(seal, signature))
        if (label, carried.candidate, signer) not in state.signed:
            state.signed[label, carried.candidate, signer] = True
            count = state.sealed.get((label, carried.candidate), 0)
            state.sealed[label, carried.candidate] = count + 1
    state.carriers[event.event_id] = Carrier(
        event_id=event.event_id,
        author=event.author,
        created_at=event.created_at,
        label=label,
        candidate=carried.candidate,
        decision=carried.decision,
        signers=tuple(signer for signer, _ in valid),
    )
    return ()


RULES = (
    Rule(
        DecisionFinalized.kind,
        "anybody, for finalizers of the pin",
        judge,
        apply,
        in_task=False,
        voidable=False,
    ),
)
